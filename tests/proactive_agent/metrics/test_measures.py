"""The rows of single episodes, computed by hand."""

from typing import Any

import pytest

from proactive_agent.metrics import ScenarioSummary, summarise
from proactive_agent.records.episode import EpisodeRecord
from tests.proactive_agent.written_records import episode, turn

RIGHT = {"suggestion": "mismatch", "category": "correct"}
WRONG = {"suggestion": "mismatch", "category": "wrong"}
ASKS = {"suggestion": "correct", "category": "mismatch"}
UNREAD = {"suggestion": "mismatch", "category": "mismatch"}


def rod(*episodes: EpisodeRecord) -> ScenarioSummary:
    numbered = [e.model_copy(update={"sample_id": number}) for number, e in enumerate(episodes)]
    return summarise(numbered).scenarios["rod"]


# First turns --------------------------------------------------------------------------------------


def test_right_at_once_counts_right_first_turns() -> None:
    found = rod(episode("right"), episode("ask", "right"), episode("wrong"))
    assert found.right_at_once.value == pytest.approx(1 / 3)


def test_asked_at_once_counts_first_turns_that_ask() -> None:
    found = rod(episode("ask", "right"), episode("right"), episode("ask", "ask", stop="turn_limit"))
    assert found.asked_at_once.value == pytest.approx(2 / 3)


def talk(question: str, via: str = "text") -> EpisodeRecord:
    action = {"kind": "intervention", "tool": "ask_clarification", "question": question}
    verdict = {"suggestion": "wrong", "category": "mismatch"}
    turns = [turn("ask", action=action, verdict=verdict, via=via)]
    return episode("ask", stop="invalid", turns=turns)


@pytest.mark.parametrize(
    ("question", "via", "kind", "asked"),
    [
        ("Could you move the block to the left?", "text", "unrelated", 1),
        ("Nice weather today.", "text", "unrelated", 0),
        ("Nice weather today.", "call", "proactive", 1),
    ],
)
def test_words_ask_for_help_if_they_name_a_change_and_calls_always_do(
    question: str, via: str, kind: str, asked: int
) -> None:
    """On clear pictures no help is possible, and a request in words is not an action."""
    found = rod(talk(question, via))
    assert {name for name, count in found.actions.model_dump().items() if count} == {kind}
    assert found.asked_at_once.value == asked


# Luck and need ------------------------------------------------------------------------------------


def test_extra_asks_compares_all_right_episodes_with_the_shortest_way() -> None:
    detour = episode("ask", "ask", "ask", "right", fewest=2)
    lucky = [episode("ask", "right", fewest=4), episode("right", fewest=2)]
    others = [episode("ask", "wrong", fewest=2), episode("ask", "right", fewest=None)]
    found = rod(detour, *lucky, *others)
    assert found.extra_asks.value == pytest.approx((1 - 3 - 2) / 3)


def shown(*kinds: str, enough: bool) -> EpisodeRecord:
    turns = [turn(kind, index) for index, kind in enumerate(kinds)]
    turns[-1]["enough"] = enough
    return episode(*kinds, turns=turns, fewest=1)


def test_informed_counts_right_answers_on_informative_frames() -> None:
    found = rod(
        shown("ask", "right", enough=True),
        shown("ask", "right", enough=False),
        shown("right", enough=False),
        shown("ask", "wrong", enough=True),
    )
    assert (found.acc.value, found.informed.value) == (3 / 4, 1 / 4)
    assert found.informed.low == pytest.approx(0.0456, abs=1e-4)  # Wilson


@pytest.mark.parametrize(
    ("old", "informed"),
    [
        (episode("ask", "ask", "right", scenario="quickdraw", fewest=2), 1.0),
        (episode("ask", "right", scenario="quickdraw", fewest=2), 0.0),
        (episode("right", scenario="vsod", fewest=0), 1.0),
        (episode("ask", "right", scenario="vsod", fewest=2), 0.0),
        (episode("ask", "wrong", scenario="vsod", fewest=1), 0.0),
        (episode("ask", "right", scenario="vsod", fewest=1), None),  # in which direction?
        (episode("right", scenario="vsod", condition="clear+hint"), 1.0),
        (episode("right", scenario="coco", fewest=None), None),
    ],
)
def test_records_without_the_field_tell_it_by_their_suggestions(
    old: EpisodeRecord, informed: float | None
) -> None:
    other = episode("wrong", scenario="rod", fewest=1)
    summary = summarise([old, other])
    assert summary.scenarios[old.scenario].informed.value == informed
    assert summary.macro.informed.value == (None if informed is None else informed / 2)


# Tool calls ---------------------------------------------------------------------------------------


def call(name: str, /, **action: Any) -> dict[str, Any]:
    return turn(name, via="call", **({"action": action} if action else {}))


def test_calls_are_valid_then_fitting_then_right() -> None:
    asked = {"kind": "intervention", "tool": "ask_clarification", "question": "Move it left?"}
    turns = [
        call("unreadable"),
        call("right"),
        call("ask", **asked),
        call("ask", kind="intervention", tool="rotate_object"),
        call("ask"),
        call("ask"),
        turn("ask", via="text"),
    ]
    turns[3]["verdict"] = turns[4]["verdict"] = {"suggestion": "wrong", "category": "mismatch"}
    found = rod(episode(*["ask"] * 7, turns=turns))
    assert found.valid_calls.value == pytest.approx(5 / 6)
    assert found.fitting_calls.value == pytest.approx(2 / 3), "rotate_object does not fit rod"
    assert found.right_calls.value == pytest.approx(1 / 2)


def test_call_rates_are_unknown_without_calls() -> None:
    assert rod(episode("right")).valid_calls.value is None


# The parsers --------------------------------------------------------------------------------------


def parsed(*verdicts: tuple[dict[str, str], dict[str, str] | None]) -> EpisodeRecord:
    """An episode with the verdicts of the official and, if different, the lenient parser."""
    turns = [
        turn("unreadable", index, verdict=official, lenient_verdict=lenient)
        for index, (official, lenient) in enumerate(verdicts)
    ]
    kinds = ["unreadable"] * len(turns)
    return episode(*kinds, turns=turns, stop="invalid", protocol="mcqa")


def ended(found: EpisodeRecord, *, right: bool = False, stop: str = "invalid") -> EpisodeRecord:
    outcome = found.outcome.model_copy(update={"correct": right, "stop": stop})
    return found.model_copy(update={"outcome": outcome})


@pytest.mark.parametrize(
    ("played", "gap", "still_open"),
    [
        (parsed((ASKS, None), (UNREAD, RIGHT)), 1, 0),
        (parsed((UNREAD, WRONG)), 0, 0),
        (parsed((UNREAD, ASKS)), 0, 1),
        (ended(parsed((RIGHT, WRONG)), right=True), -1, 0),
        (ended(parsed((ASKS, RIGHT)), stop="turn_limit"), 1, 0),
        (ended(parsed((UNREAD, ASKS)), stop="turn_limit"), 0, 0),
    ],
    ids=["gains", "wrong both ways", "would go on", "loses", "at the limit", "asks at the limit"],
)
def test_the_parser_gap_with_the_official_parser(
    played: EpisodeRecord, gap: int, still_open: int
) -> None:
    found = rod(played)
    assert (found.parser_gap.value, found.parser_open) == (gap, still_open)


@pytest.mark.parametrize(
    ("played", "gap"),
    [
        (ended(parsed((UNREAD, ASKS), (RIGHT, None)), right=True), 1),
        (ended(parsed((UNREAD, ASKS), (WRONG, None))), 0),
        (ended(parsed((UNREAD, RIGHT)), right=True), 1),
    ],
    ids=["only lenient got so far", "wrong both ways", "right at once"],
)
def test_the_parser_gap_with_the_lenient_parser(played: EpisodeRecord, gap: int) -> None:
    found = rod(played)
    assert (found.parser_gap.value, found.parser_open) == (gap, 0)


def test_replies_that_only_the_lenient_parser_understood_are_counted() -> None:
    assert rod(parsed((UNREAD, RIGHT)), parsed((WRONG, RIGHT))).lenient_only == 1


# Open-ended answers -------------------------------------------------------------------------------


def judged(*met: str, problem: str | None = None, judge: str = "rules v1", **usage: Any) -> Any:
    answers = [
        {"text": kind, "kind": kind, "met": kind in met} for kind in ("proactive", "category")
    ]
    return {"judge": judge, "answers": answers, "problem": problem, "usage": usage}


def answered(*judgements: Any) -> EpisodeRecord:
    turns = [turn("ask", index, judgement=one) for index, one in enumerate(judgements)]
    return episode(*["ask"] * len(turns), protocol="oeg", turns=turns)


def test_open_ended_answers_are_judged_by_their_first_turn() -> None:
    found = rod(
        answered(judged("proactive")),
        answered(judged("category"), judged("proactive")),
        answered(judged("proactive", "category")),
        answered(judged(problem="no bits")),
    )
    assert (found.ps.value, found.cc.value, found.agg.value) == (1 / 2, 1 / 2, 3 / 4)
    assert found.asked_at_once.value == 1 / 2
    assert found.judge_problems == 1


def test_open_ended_scores_need_a_judgement() -> None:
    assert rod(episode("right")).agg.value is None


def test_the_cost_of_the_judge_is_counted_separately() -> None:
    dear = judged("category", judge="openai:x own", cost_usd=0.25)
    assert rod(answered(dear), answered(dear), answered(judged())).judge_cost_usd == 0.5
    unknown = judged("category", judge="openai:x own")
    assert rod(answered(dear), answered(unknown)).judge_cost_usd is None
