"""The judge by rules: on hand-labelled answers, and rule by rule."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest

from proactive_agent.play.judges import Case
from proactive_agent.play.judges.rules import RulesJudge, verdicts
from proactive_agent.reports.judge_agreement.agreement import (
    Agreement,
    VerdictPair,
    agreement,
    compare_with_people,
)
from proactive_agent.reports.judge_agreement.labelled import (
    EMBEDDED,
    Kind,
    LabelledAnswer,
    read_labelled,
)
from proactive_agent.scenarios import SCENARIOS, AcceptedAnswer
from proactive_agent.tools import Intervention
from tests.proactive_agent.play.judges.cases import vsod

LABELLED = read_labelled(EMBEDDED)
HELD_OUT = [answer for answer in LABELLED if answer.held_out]
TUNED = [answer for answer in LABELLED if not answer.held_out]


def agrees(answers: Sequence[LabelledAnswer], kind: Kind) -> Agreement:
    found = asyncio.run(compare_with_people(RulesJudge(), answers, lambda: None))
    return agreement([pair for pair in found if isinstance(pair, VerdictPair)], kind)


def test_enough_answers_are_labelled_and_no_one_twice() -> None:
    per_scenario = Counter(answer.scenario for answer in LABELLED)
    assert len(LABELLED) >= 150
    assert min(per_scenario[name] for name in SCENARIOS) >= 20
    assert len(HELD_OUT) >= 60
    assert len({(answer.scenario, answer.answer) for answer in LABELLED}) == len(LABELLED)


def test_both_labels_are_common_enough_for_kappa_to_mean_something() -> None:
    for part in (TUNED, HELD_OUT):
        assert 0.3 < sum(answer.proactive for answer in part) / len(part) < 0.6
        judged = [answer.category for answer in part if answer.category is not None]
        assert 0.15 < sum(judged) / len(judged) < 0.6


# Measured lower bounds. Those on held-out answers tell users what to expect. Do not raise them by
# tuning the rules on these answers.


@pytest.mark.parametrize(("kind", "raw", "kappa"), [("proactive", 0.99, 0.98),
                                                    ("category", 0.99, 0.98)])  # fmt: skip
def test_the_rules_agree_with_people_where_they_were_tuned(
    kind: Kind, raw: float, kappa: float
) -> None:
    found = agrees(TUNED, kind)
    assert found.raw is not None
    assert found.kappa is not None
    assert (found.raw >= raw, found.kappa >= kappa) == (True, True), found


@pytest.mark.parametrize(("kind", "raw", "kappa"), [("proactive", 0.80, 0.60),
                                                    ("category", 0.95, 0.90)])  # fmt: skip
def test_the_rules_agree_with_people_on_answers_held_out(
    kind: Kind, raw: float, kappa: float
) -> None:
    found = agrees(HELD_OUT, kind)
    assert found.raw is not None
    assert found.kappa is not None
    assert (found.raw >= raw, found.kappa >= kappa) == (True, True), found


def test_what_they_miss_are_requests_not_refusals() -> None:
    """Few answers that the rules read as requests are not requests."""
    found = agrees(HELD_OUT, "proactive")
    assert found.first_only / (found.both + found.first_only) <= 0.1


@pytest.mark.parametrize(
    ("reply", "given"),
    [
        ("Please wait until the hedge has passed.", "wait"),
        ("Rewind the video, or move the camera.", "rewind camera"),
        ("It's a horse. No need to rewind.", "category"),
        ("A horse, I think; but let the video play on to make sure.", "wait category"),
        ("A horse or a cow.", ""),
        ("Denoise the picture.", ""),
        ("Show me another frame.", "wait rewind"),
        ("", ""),
    ],
)
def test_a_verdict_for_each_accepted_answer(reply: str, given: str) -> None:
    names = ("wait", "rewind", "camera", "category")
    met = verdicts(vsod(reply))
    assert " ".join(name for name, one in zip(names, met, strict=True) if one) == given


def test_a_direction_counts_where_none_is_named() -> None:
    accepted = (AcceptedAnswer("Push it away", Intervention("move_object")),)
    case = Case("rod", "", accepted, (), "Move the block to the left.")
    assert verdicts(case) == [True]


@pytest.mark.parametrize(
    "reply",
    ["don't move it " * 5000, "not a horse or " * 5000, "a'" * 30000, "horse " * 5000, "\x00[(*",
     "could " * 10000, "ho\u0301rse İ ß" * 100],
)  # fmt: skip
def test_no_reply_is_too_much(reply: str) -> None:
    assert len(verdicts(vsod(reply))) == 4
