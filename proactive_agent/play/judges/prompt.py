"""The interface of a judge's prompt: how a model is asked, and how its verdicts are read."""

import re
from abc import ABC, abstractmethod
from typing import NamedTuple

from proactive_agent.play.judges.base import Case

_PLACE = re.compile(r"\{(user_prompt|correct_answers|generated_answer)\}")


class UnreadableError(Exception):
    """A judge's reply holds no verdicts; the message says why."""


class Texts(NamedTuple):
    """What a judge is told."""

    system: str
    user: str


class JudgePrompt(ABC):
    """One way to ask."""

    name: str

    @abstractmethod
    def texts(self, case: Case) -> Texts:
        """What a model is told about a case."""

    @abstractmethod
    def read(self, text: str, case: Case) -> list[bool]:
        """A verdict for each accepted answer.  Raises UnreadableError."""


def filled(template: str, question: str, answers: str, reply: str) -> str:
    """A template with its places filled; what is put in is not looked at again."""
    values = {"user_prompt": question, "correct_answers": answers, "generated_answer": reply}
    return _PLACE.sub(lambda place: values[place[1]], template)
