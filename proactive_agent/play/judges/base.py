"""The interface of a judge: which accepted answers an open-ended reply gives.

To add one: a subclass of `Judge`, and its line in `choose.py`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

from proactive_agent.providers import Provider, RequestKey
from proactive_agent.records.episode import JudgedAnswerRecord, JudgementRecord
from proactive_agent.scenarios import AcceptedAnswer
from proactive_agent.tools import Intervention


@dataclass(frozen=True, slots=True)
class Case:
    """A reply, and what it is judged by."""

    scenario: str
    question: str
    """The whole text that the model was shown."""
    answers: tuple[AcceptedAnswer, ...]
    """In the order in which a judge has a verdict for each."""
    other_categories: tuple[str, ...]
    """Wrong ones, by which a guess among several is known."""
    reply: str
    """What the model said, without its thinking."""

    @classmethod
    def of_record(cls, scenario: str, question: str, reply: str, record: JudgementRecord) -> "Case":
        """The case of a recorded judgement, to be judged again."""
        answers = tuple(AcceptedAnswer(a.text, _intervention(a)) for a in record.answers)
        return cls(scenario, question, answers, tuple(record.other_categories), said(reply))


class Judge(ABC):
    """Judges open-ended replies; `judge` may be called many times at once."""

    name: str
    """With everything that its verdicts depend on."""

    @property
    def provider(self) -> Provider | None:
        """The model that is asked."""
        return None

    @property
    def charges(self) -> bool:
        """Whether verdicts cost money."""
        return self.provider is not None and self.provider.charges

    @abstractmethod
    async def judge(self, case: Case, key: RequestKey) -> JudgementRecord:
        """Judges a reply; `key` says which.  Raises ProviderError where no verdict came."""


def judged(judge: str, case: Case, met: Iterable[bool], **more: object) -> JudgementRecord:
    """The record of verdicts, one for each accepted answer."""
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
    """What a model says once it has thought; nothing where it never came to the end of that."""
    _, thought, after = text.rpartition("</think>")
    if thought:
        return after.strip()
    return "" if text.lstrip().startswith("<think>") else text


def _intervention(answer: JudgedAnswerRecord) -> Intervention | None:
    return None if answer.tool is None else Intervention(answer.tool, answer.argument)
