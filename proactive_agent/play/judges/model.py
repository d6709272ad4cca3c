"""A model as the judge: any provider; it is shown texts alone."""

import time

from proactive_agent.play.judges.base import Case, Judge, judged, said
from proactive_agent.play.judges.prompt import JudgePrompt, UnreadableError
from proactive_agent.providers import (
    Provider,
    Reply,
    Request,
    RequestKey,
    Sampling,
    TextPart,
    UserMessage,
)
from proactive_agent.records.episode import JudgementRecord, UsageRecord
from proactive_agent.tools.reading import clean

SAMPLING = Sampling(max_tokens=8192, temperature=0.0)
"""Greedy, with room to think."""


class ModelJudge(Judge):
    """Asks once per reply; verdicts that cannot be read are none, and the record says why."""

    def __init__(self, spec: str, provider: Provider, prompt: JudgePrompt) -> None:
        self.name = f"{spec}, {prompt.name}"
        self._provider = provider
        self._prompt = prompt

    @property
    def provider(self) -> Provider:
        return self._provider

    async def judge(self, case: Case, key: RequestKey) -> JudgementRecord:
        texts = self._prompt.texts(case)
        message = UserMessage((TextPart(texts.user),))
        started = time.perf_counter()
        reply = await self._provider.complete(
            Request(key, (message,), system=texts.system, sampling=SAMPLING)
        )
        problem = None
        try:
            met = self._read(reply, case)
        except UnreadableError as error:
            met, problem = [False] * len(case.answers), str(error)
        usage = UsageRecord.of(reply.usage, time.perf_counter() - started)
        return judged(self.name, case, met, reply=clean(reply.text), problem=problem, usage=usage)

    def _read(self, reply: Reply, case: Case) -> list[bool]:
        if reply.finish_reason == "length":
            raise UnreadableError("the judge did not come to an end")
        return self._prompt.read(said(clean(reply.text)), case)
