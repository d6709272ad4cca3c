"""The published judge's prompt: answers as a comma-separated list in, bits out.

The texts and thresholds come from the protocol pack.  Everything else is as published, with its
quirk: an accepted answer that holds a comma counts as several, each with a bit of its own.
"""

import re

from proactive_agent.play.judges.base import Case
from proactive_agent.play.judges.prompt import JudgePrompt, Texts, UnreadableError, filled
from proactive_agent.scenarios import SCENARIOS
from proactive_agent.scenarios.wording import Wording
from proactive_agent.tools import UserError

_BITS = re.compile(r"[01](?:\s*,\s*[01])*")


class OfficialPrompt(JudgePrompt):
    """The prompt of a protocol pack."""

    def __init__(self, wording: Wording) -> None:
        """Raises UserError where the wording is our own."""
        if wording.judge is None:
            raise UserError(
                "the official judge's prompt is the authors' text and comes with the protocol "
                "pack of the data: fetch it with data protocol DIR, or use --judge-prompt own"
            )
        self.name = f"official {wording.name}"
        self._wording = wording.judge

    def texts(self, case: Case) -> Texts:
        listed = [answer.strip().replace(".", "") for answer in _listed(case).split(",")]
        user = filled(self._wording.user, case.question, str(listed), case.reply)
        return Texts(self._wording.system, user)

    def read(self, text: str, case: Case) -> list[bool]:
        published = self._wording.proactive_answers[SCENARIOS[case.scenario].title]
        own = sum(answer.kind == "proactive" for answer in case.answers)
        # There are fewer where a state takes no suggestions.
        proactive = min(published, own)
        bits = read_bits(text, _listed(case))
        if len(bits) == len(case.answers) and proactive == own:
            return bits
        return _by_kind(case, any(bits[:proactive]), any(bits[proactive:]))


def read_bits(text: str, listed: str) -> list[bool]:
    """The last comma-separated bits of a text, one per listed answer.  Raises UnreadableError."""
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
    """Verdicts where bits and answers do not fit together: the first of a kind stands for it."""
    left = {"proactive": proactive, "category": category}
    return [left.pop(answer.kind, False) for answer in case.answers]
