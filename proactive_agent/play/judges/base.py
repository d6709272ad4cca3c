"""The interface of a judge, which decides which accepted answers an open-ended reply gives.

To add a judge, subclass `Judge` and choose it in `choose.py`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

from proactive_agent.play.budget import Budget
from proactive_agent.providers import Provider, RequestKey
from proactive_agent.records.episode import JudgedAnswerRecord, JudgementRecord
from proactive_agent.scenarios import AcceptedAnswer
from proactive_agent.tools import Intervention


@dataclass(frozen=True, slots=True)
class Case:
    """A reply to judge, with the question and the accepted answers."""

    scenario: str
    question: str
    """The complete text that the model was shown."""
    answers: tuple[AcceptedAnswer, ...]
    """The accepted answers, in the order of the judge's verdicts."""
    other_categories: tuple[str, ...]
    """The sample's wrong categories; a reply that names several is no settled answer."""
    reply: str
    """The model's reply without its reasoning."""

    @classmethod
    def of_record(cls, scenario: str, question: str, reply: str, record: JudgementRecord) -> "Case":
        """Returns the case of a recorded judgement, so that it can be judged again."""
        answers = tuple(AcceptedAnswer(a.text, _intervention(a)) for a in record.answers)
        return cls(scenario, question, answers, tuple(record.other_categories), said(reply))


class Judge(ABC):
    """Judges open-ended replies. Concurrent calls of `judge` are allowed."""

    name: str
    """Names everything that the verdicts depend on."""

    @property
    def provider(self) -> Provider | None:
        """The model that is asked; None for rules."""
        return None

    @property
    def charges(self) -> bool:
        """Whether verdicts cost money."""
        return self.provider is not None and self.provider.charges

    @abstractmethod
    async def judge(self, case: Case, key: RequestKey) -> JudgementRecord:
        """Returns the verdicts on a reply. `key` identifies the reply.

        Raises ProviderError if the model gives no verdict.
        """


async def ask(judge: Judge, case: Case, key: RequestKey, budget: Budget | None) -> JudgementRecord:
    """Returns the judgement on a case and charges it to the budget.

    Raises ProviderError if the model gives no verdict, StoppedError if the run ends for now, and
    UserError if the costs of the judge are unknown.
    """
    if budget is None or not judge.charges:
        return await judge.judge(case, key)
    budget.check()
    judgement = await judge.judge(case, key)
    budget.add(judgement.usage.cost_usd, of="the judge")
    return judgement


def judged(judge: str, case: Case, met: Iterable[bool], **more: object) -> JudgementRecord:
    """Returns the record of a judge's verdicts, one for each accepted answer."""
    answers = [
        JudgedAnswerRecord(
            text=answer.text,
            kind=answer.kind,
            met=given,
            tool=answer.intervention.tool if answer.intervention else None,
            argument=answer.intervention.argument if answer.intervention else None,
        )
        for answer, given in zip(case.answers, met, strict=True)
    ]
    others = list(case.other_categories)
    return JudgementRecord.model_validate(
        {"judge": judge, "answers": answers, "other_categories": others, **more}
    )


def said(text: str) -> str:
    """Returns a reply without its reasoning; an empty text if the reasoning never ends."""
    _, thought, after = text.rpartition("</think>")
    if thought:
        return after.strip()
    return "" if text.lstrip().startswith("<think>") else text


def _intervention(answer: JudgedAnswerRecord) -> Intervention | None:
    return None if answer.tool is None else Intervention(answer.tool, answer.argument)
