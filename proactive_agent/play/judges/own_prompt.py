"""Our own judge's prompt: a numbered list in, a JSON list of verdicts out.

Reading is tolerant of what stands around the list, of Python's spelling and of words for yes and
no; a list of another length than asked for is never made to fit.
"""

import json
import re

from proactive_agent.play.judges.base import Case
from proactive_agent.play.judges.prompt import JudgePrompt, Texts, UnreadableError, filled
from proactive_agent.scenarios.wording import JUDGE, OWN_JUDGE

_LIST = re.compile(r"\[([^\[\]]*)\]")
_VERDICTS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class OwnPrompt(JudgePrompt):
    """One verdict for each accepted answer, whatever commas they hold."""

    name = OWN_JUDGE

    def texts(self, case: Case) -> Texts:
        numbered = (f"{number}. {answer.text}" for number, answer in enumerate(case.answers, 1))
        reply = json.dumps(case.reply, ensure_ascii=False)
        return Texts(JUDGE.system, filled(JUDGE.user, case.question, "\n".join(numbered), reply))

    def read(self, text: str, case: Case) -> list[bool]:
        lists = [found for match in _LIST.finditer(text) if (found := _verdicts(match[1]))]
        if not lists:
            raise UnreadableError("there is no list of verdicts")
        if len(lists[-1]) != len(case.answers):
            raise UnreadableError(f"{len(lists[-1])} verdicts for {len(case.answers)} answers")
        return lists[-1]


def _verdicts(inside: str) -> list[bool] | None:
    """The verdicts between two brackets; None where anything else stands there."""
    words = [word.strip().strip("\"'").casefold() for word in inside.strip().rstrip(",").split(",")]
    if not all(word in _VERDICTS for word in words):
        return None
    return [_VERDICTS[word] for word in words]
