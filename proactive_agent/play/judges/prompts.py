"""Prompts for a model that judges, and the parsing of its verdicts.

`OwnPrompt` is this project's prompt. `OfficialPrompt` is the published one, from a protocol pack.
"""

import json
import re
from abc import ABC, abstractmethod
from typing import NamedTuple

from proactive_agent.play.judges.base import Case
from proactive_agent.scenarios import SCENARIOS
from proactive_agent.scenarios.wording import JUDGE, OWN_JUDGE, Wording
from proactive_agent.tools import UserError

_PLACE = re.compile(r"\{(user_prompt|correct_answers|generated_answer)\}")
_LIST = re.compile(r"\[([^\[\]]*)\]")
_VERDICTS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_BITS = re.compile(r"[01](?:\s*,\s*[01])*")


class UnreadableError(Exception):
    """A judge's reply contains no usable verdicts; the message says why."""


class JudgeTexts(NamedTuple):
    """The system and user texts that a judge receives."""

    system: str
    user: str


class JudgePrompt(ABC):
    """A way to ask a model for verdicts."""

    name: str

    @abstractmethod
    def texts(self, case: Case) -> JudgeTexts:
        """Returns the texts that ask about a case."""

    @abstractmethod
    def read(self, text: str, case: Case) -> list[bool]:
        """Returns one verdict for each accepted answer. Raises UnreadableError."""


class OwnPrompt(JudgePrompt):
    """A numbered list of answers in, a JSON list of verdicts out.

    Reading tolerates text around the list, Python's spelling, and words for yes and no. A list of
    the wrong length is unreadable.
    """

    name = OWN_JUDGE

    def texts(self, case: Case) -> JudgeTexts:
        numbered = (f"{number}. {answer.text}" for number, answer in enumerate(case.answers, 1))
        reply = json.dumps(case.reply, ensure_ascii=False)
        user = _filled(JUDGE.user, case.question, "\n".join(numbered), reply)
        return JudgeTexts(JUDGE.system, user)

    def read(self, text: str, case: Case) -> list[bool]:
        lists = [found for match in _LIST.finditer(text) if (found := _verdicts(match[1]))]
        if not lists:
            raise UnreadableError("there is no list of verdicts")
        if len(lists[-1]) != len(case.answers):
            raise UnreadableError(f"{len(lists[-1])} verdicts for {len(case.answers)} answers")
        return lists[-1]


class OfficialPrompt(JudgePrompt):
    """The prompt of a protocol pack: comma-separated answers in, comma-separated bits out.

    An accepted answer that contains a comma counts as several answers, as published.
    """

    def __init__(self, wording: Wording) -> None:
        """Raises UserError if the wording has no published prompt."""
        if wording.judge is None:
            raise UserError(
                "--judge-prompt official needs the protocol pack of the official data, which holds "
                "the authors' prompt: fetch it with data protocol DIR, or use --judge-prompt own"
            )
        self.name = f"official {wording.name}"
        self._wording = wording.judge

    def texts(self, case: Case) -> JudgeTexts:
        listed = [answer.strip().replace(".", "") for answer in _listed(case).split(",")]
        user = _filled(self._wording.user, case.question, str(listed), case.reply)
        return JudgeTexts(self._wording.system, user)

    def read(self, text: str, case: Case) -> list[bool]:
        published = self._wording.proactive_answers[SCENARIOS[case.scenario].title]
        own = sum(answer.kind == "proactive" for answer in case.answers)
        # A state that accepts no suggestions has fewer proactive answers than published.
        proactive = min(published, own)
        bits = _bits(text, _listed(case))
        if len(bits) == len(case.answers) and proactive == own:
            return bits
        return _by_kind(case, any(bits[:proactive]), any(bits[proactive:]))


def _filled(template: str, question: str, answers: str, reply: str) -> str:
    """Fills the placeholders of a template once; placeholders in inserted text stay as they are."""
    values = {"user_prompt": question, "correct_answers": answers, "generated_answer": reply}
    return _PLACE.sub(lambda place: values[place[1]], template)


def _verdicts(inside: str) -> list[bool] | None:
    """Returns the verdicts between two brackets, or None if anything else is there."""
    words = [word.strip().strip("\"'").casefold() for word in inside.strip().rstrip(",").split(",")]
    if not all(word in _VERDICTS for word in words):
        return None
    return [_VERDICTS[word] for word in words]


def _bits(text: str, listed: str) -> list[bool]:
    """Returns the last bits of a text, one for each listed answer. Raises UnreadableError."""
    found = _BITS.findall(text)
    if not found:
        raise UnreadableError("there are no bits")
    bits = [bit.strip() == "1" for bit in found[-1].split(",")]
    expected = sum(bool(answer.strip()) for answer in listed.split(","))
    if len(bits) != expected:
        raise UnreadableError(f"{len(bits)} bits for {expected} answers")
    return bits


def _listed(case: Case) -> str:
    return ", ".join(answer.text.replace(".", "") for answer in case.answers) + "."


def _by_kind(case: Case, proactive: bool, category: bool) -> list[bool]:
    """Returns verdicts per kind: the first answer of each kind gets the verdict of the kind.

    Used where bits and answers do not correspond one to one.
    """
    left = {"proactive": proactive, "category": category}
    return [left.pop(answer.kind, False) for answer in case.answers]
