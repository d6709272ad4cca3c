"""The judge by rules: synonyms for requests, whole words for categories. It needs no model.

`python -m proactive_agent judge --agreement` measures its agreement with labelled answers.
"""

from proactive_agent.play.judges.base import Case, Judge, judged
from proactive_agent.play.judges.naming import settled_category
from proactive_agent.providers import RequestKey
from proactive_agent.records.episode import JudgementRecord, UsageRecord
from proactive_agent.scenarios import AcceptedAnswer
from proactive_agent.tools import Intervention
from proactive_agent.tools.phrases import requests_in

VERSION = "rules v2"
FREE = UsageRecord(input_tokens=0, output_tokens=0, cached_tokens=0, cost_usd=0.0)


class RulesJudge(Judge):
    """Finds requests as the simulated user does, and the category that a reply settles on."""

    name = VERSION

    async def judge(self, case: Case, key: RequestKey) -> JudgementRecord:
        return judged(self.name, case, verdicts(case), usage=FREE)


def verdicts(case: Case) -> list[bool]:
    """Returns for each accepted answer whether the reply gives it."""
    requests = requests_in(case.reply)
    right = [answer.text for answer in case.answers if answer.kind == "category"]
    settled = settled_category(case.reply, [*right, *case.other_categories])
    return [
        answer.text == settled
        if answer.kind == "category"
        else any(_asks_for(request, answer) for request in requests)
        for answer in case.answers
    ]


def _asks_for(request: Intervention, answer: AcceptedAnswer) -> bool:
    """Whether a request matches an accepted answer; an open direction matches every direction."""
    wanted = answer.intervention
    if wanted is None or request.tool != wanted.tool:
        return False
    return None in (request.argument, wanted.argument) or request == wanted
