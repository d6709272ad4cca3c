"""A model as the judge. Any provider can judge; it is shown text only."""

import time

from proactive_agent.play.judges.base import Case, Judge, judged, said
from proactive_agent.play.judges.prompts import JudgePrompt, UnreadableError
from proactive_agent.play.seeds import derive_seed
from proactive_agent.providers import (
    Provider,
    Reply,
    Request,
    RequestKey,
    Sampling,
    TextPart,
    UserMessage,
)
from proactive_agent.providers.reply_check import ask
from proactive_agent.records.episode import JudgementRecord, UsageRecord

SAMPLING = Sampling(max_tokens=8192, temperature=0.0)
"""Greedy decoding, with room for reasoning."""


def model_judge_name(spec: str, prompt: JudgePrompt, sampling: Sampling) -> str:
    """Returns the name of a judge in records, which tells judges apart that may differ."""
    return f"{spec}, {prompt.name}" + ", sampling" * sampling.varies


class ModelJudge(Judge):
    """Asks a model once for each reply.

    If its verdicts cannot be read, no answer counts as given and the record says why.
    """

    def __init__(
        self, spec: str, provider: Provider, prompt: JudgePrompt, sampling: Sampling = SAMPLING
    ) -> None:
        self.name = model_judge_name(spec, prompt, sampling)
        self._provider = provider
        self._prompt = prompt
        self._sampling = sampling

    @property
    def provider(self) -> Provider:
        return self._provider

    async def judge(self, case: Case, key: RequestKey) -> JudgementRecord:
        texts = self._prompt.texts(case)
        message = UserMessage((TextPart(texts.user),))
        started = time.perf_counter()
        seed = derive_seed(0, key.scenario, key.sample_id, "judge", key.turn, key.repeat)
        request = Request(key, (message,), system=texts.system, sampling=self._sampling, seed=seed)
        reply = await ask(self._provider, request)
        problem = None
        try:
            met = self._read(reply, case)
        except UnreadableError as error:
            met, problem = [False] * len(case.answers), str(error)
        usage = UsageRecord.of(reply.usage, time.perf_counter() - started)
        return judged(self.name, case, met, reply=reply.text, problem=problem, usage=usage)

    def _read(self, reply: Reply, case: Case) -> list[bool]:
        if reply.cut_off:
            raise UnreadableError("the judge's reply was cut off at its token limit")
        return self._prompt.read(said(reply.text), case)
