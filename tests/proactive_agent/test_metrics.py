import pytest

from proactive_agent.metrics import summarise
from proactive_agent.records import EpisodeRecord, VerdictRecord
from tests.proactive_agent.records import FAILED, episode

EPISODES = [
    episode("ask", "ask", "right", sample_id=0),
    episode("wrong", sample_id=1),
    episode("abstain", sample_id=2, stop="abstained"),
    episode("ask", "ask", "ask", "ask", sample_id=3, stop="turn_limit"),
    episode("ask", "unreadable", sample_id=4, stop="invalid"),
    episode("ask", sample_id=5, error=FAILED),
    episode("right", scenario="coco", sample_id=0),
]


def test_acc_is_the_share_of_right_episodes_and_psr_the_mean_of_turns_less_one() -> None:
    rod = summarise(EPISODES).scenarios["rod"]
    assert (rod.episodes, rod.correct) == (5, 1)
    assert rod.acc == pytest.approx(1 / 5)
    assert rod.psr == pytest.approx((2 + 0 + 0 + 3 + 1) / 5)


def test_suggestions_really_made_count_the_one_at_the_limit() -> None:
    assert summarise(EPISODES).scenarios["rod"].suggestions == pytest.approx((2 + 4 + 1) / 5)


def test_errors_are_counted_apart_and_change_no_rate() -> None:
    with_error = summarise(EPISODES).scenarios["rod"]
    without = summarise([e for e in EPISODES if e.error is None]).scenarios["rod"]
    assert with_error.errors == 1
    assert (with_error.acc, with_error.psr) == (without.acc, without.psr)
    assert with_error.actions == without.actions


def test_actions_are_counted_over_all_turns() -> None:
    rod = summarise(EPISODES).scenarios["rod"]
    assert rod.actions.model_dump() == {
        "proactive": 7, "abstain": 1, "predict": 2, "unrelated": 0, "invalid": 1,
    }  # fmt: skip
    assert rod.invalid == {"unreadable": 1}
    assert rod.turn_limit == 1


@pytest.mark.parametrize(("via", "kind"), [("text", "unrelated"), ("call", "proactive")])
def test_talk_is_no_request_but_a_call_that_asks_is(via: str, kind: str) -> None:
    talk = episode("ask", stop="invalid")
    talk.turns[0].action.tool = "ask_clarification"
    talk.turns[0].via = via  # type: ignore[assignment]
    counted = summarise([talk]).scenarios["rod"].actions.model_dump()
    assert {name for name, count in counted.items() if count} == {kind}


def test_the_macro_average_weighs_scenarios_alike() -> None:
    summary = summarise(EPISODES)
    assert summary.acc == pytest.approx((1 / 5 + 1) / 2)
    assert summary.psr == pytest.approx((6 / 5 + 0) / 2)
    assert list(summary.scenarios) == ["rod", "coco"]


def test_the_order_of_episodes_does_not_matter() -> None:
    assert summarise(EPISODES) == summarise(reversed(EPISODES))


def test_replies_that_only_the_lenient_parser_understood_are_counted() -> None:
    def understood_by_lenient(found: EpisodeRecord) -> EpisodeRecord:
        found.turns[-1].lenient_verdict = VerdictRecord(suggestion="mismatch", category="correct")
        return found

    summary = summarise(
        [understood_by_lenient(episode("unreadable")), understood_by_lenient(episode("wrong"))]
    )
    assert summary.scenarios["rod"].lenient_only == 1


def test_tokens_are_summed_and_unknown_where_one_is() -> None:
    known = summarise([episode("ask", "right")]).scenarios["rod"]
    assert (known.input_tokens, known.output_tokens) == (20, 4)
    half = episode("ask", "right")
    half.turns[0].usage.output_tokens = None
    unknown = summarise([half]).scenarios["rod"]
    assert (unknown.input_tokens, unknown.output_tokens) == (20, None)


def test_without_episodes_there_are_no_rates() -> None:
    only_errors = summarise([episode(error=FAILED)])
    assert only_errors.scenarios["rod"].acc is None
    assert only_errors.acc is None
    assert only_errors.errors == 1
