import numpy as np
import pytest
from scipy import stats

from proactive_agent.metrics import Summary, Tallies, summarise
from proactive_agent.metrics.statistics import Estimate
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.records.outline import outline_of
from proactive_agent.tools import UserError
from tests.proactive_agent.written_records import FAILED, episode, turn

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
    assert (rod.samples, rod.episodes, rod.correct) == (5, 5, 1)
    assert rod.acc.value == pytest.approx(1 / 5)
    assert rod.psr.value == pytest.approx((2 + 0 + 0 + 3 + 1) / 5)


def test_suggestions_really_made_count_the_one_at_the_limit() -> None:
    rod = summarise(EPISODES).scenarios["rod"]
    assert rod.suggestions.value == pytest.approx((2 + 4 + 1) / 5)
    assert (rod.turn_limit, rod.at_limit.value) == (1, pytest.approx(1 / 5))


def test_errors_are_counted_separately_and_change_no_rate() -> None:
    with_error = summarise(EPISODES).scenarios["rod"]
    without = summarise([e for e in EPISODES if e.error is None]).scenarios["rod"]
    assert with_error.errors == 1
    apart = {"errors", "turns", "finish_reasons", "input_tokens", "output_tokens"}
    assert with_error.model_dump(exclude=apart) == without.model_dump(exclude=apart)


def test_costs_include_episodes_with_errors() -> None:
    rod = summarise(EPISODES).scenarios["rod"]
    assert (rod.turns, rod.input_tokens, rod.output_tokens) == (12, 120, 24)
    assert rod.mean_input_tokens.value == pytest.approx(110 / 5)


def test_an_error_before_the_first_reply_cost_nothing() -> None:
    summary = summarise([episode("right"), episode(sample_id=1, error=FAILED)])
    assert summary.scenarios["rod"].input_tokens == 10


def test_finish_reasons_are_counted_over_all_replies() -> None:
    reply = {"text": "", "tool_calls": [], "finish_reason": "recitation!", "tool_format": None}
    silent = turn("right", reply=reply | {"finish_reason": None})
    other = episode("ask", "right", turns=[turn("ask", reply=reply), silent])
    failed = episode("ask", sample_id=1, error=FAILED)
    rod = summarise([other, failed]).scenarios["rod"]
    assert rod.finish_reasons == {"not reported": 1, "recitation!": 1, "stop": 1}


def test_tokens_are_unknown_if_one_reply_is() -> None:
    half = episode("ask", "right", usage={"input_tokens": 20})
    rod = summarise([half, episode("right", sample_id=1)]).scenarios["rod"]
    assert (rod.input_tokens, rod.output_tokens) == (30, None)
    assert rod.mean_output_tokens == Estimate()


def test_actions_are_counted_over_all_turns() -> None:
    rod = summarise(EPISODES).scenarios["rod"]
    assert rod.actions.model_dump() == {
        "proactive": 7, "vague": 0, "abstain": 1, "predict": 2, "unrelated": 0, "invalid": 1,
    }  # fmt: skip
    assert rod.proactive.value == pytest.approx(7 / 11)
    assert rod.invalid_reasons == {"unreadable": 1}


def test_the_macro_average_weights_scenarios_equally() -> None:
    summary = summarise(EPISODES)
    assert summary.acc.value == pytest.approx((1 / 5 + 1) / 2)
    assert summary.psr.value == pytest.approx((6 / 5 + 0) / 2)
    assert summary.macro.proactive.value == pytest.approx((7 / 11 + 0) / 2)
    assert list(summary.scenarios) == ["rod", "coco"]


def test_the_average_over_one_scenario_is_its_own_number() -> None:
    summary = summarise(EPISODES[:5])
    assert summary.acc == summary.scenarios["rod"].acc
    assert summary.psr == summary.scenarios["rod"].psr


def test_the_order_of_episodes_does_not_matter() -> None:
    repeated = [episode("right", sample_id="b", repeat=1), episode("wrong", sample_id="b")]
    assert summarise([*EPISODES, *repeated]) == summarise([*reversed(repeated), *EPISODES[::-1]])


def test_the_later_record_of_an_episode_counts() -> None:
    failed = episode("unreadable", sample_id=0, error=FAILED)
    bad, good = episode("ask", "unreadable", stop="invalid"), episode("right", sample_id=0)
    found = summarise([failed, bad, good]).scenarios["rod"]
    assert found.model_dump() == summarise([good]).scenarios["rod"].model_dump()


def test_records_and_outlines_have_the_same_summary() -> None:
    assert summarise(EPISODES) == summarise(map(outline_of, EPISODES))


def test_without_episodes_there_are_no_rates() -> None:
    only_errors = summarise([episode(error=FAILED)])
    assert only_errors.scenarios["rod"].acc == only_errors.acc == Estimate()
    assert only_errors.errors == 1


def test_a_summary_round_trips_through_its_file() -> None:
    repeats = [episode("right", sample_id=0, repeat=1)]
    summary = summarise([*EPISODES, *repeats])
    assert Summary.model_validate_json(summary.model_dump_json()) == summary


def test_an_unknown_scenario_is_wrong_input() -> None:
    with pytest.raises(UserError, match="unknown scenario 'cubism'"):
        summarise([episode("right", scenario="cubism")])


def alike(*correct: bool, repeats: int = 1) -> list[EpisodeRecord]:
    return [
        episode("right" if right else "wrong", sample_id=sample, repeat=repeat)
        for sample, right in enumerate(correct)
        for repeat in range(repeats)
    ]


def test_repeats_do_not_count_as_new_samples() -> None:
    """Repeats of a deterministic model do not narrow the interval."""
    half = [True, False] * 20
    once = summarise(alike(*half)).acc
    often = summarise(alike(*half, repeats=8)).acc
    assert once.value == often.value == 0.5
    assert None not in (once.low, often.low)
    assert often.low == pytest.approx(once.low, abs=0.03)
    assert often.high == pytest.approx(once.high, abs=0.03)


def test_the_average_is_resampled_within_each_scenario() -> None:
    rod, coco = np.arange(40) % 2, np.arange(25) % 5 == 0
    others = [e.model_copy(update={"scenario": "coco"}) for e in alike(*coco)]
    found = summarise([*alike(*rod), *others]).acc
    theirs = stats.bootstrap(
        (rod, coco), lambda a, b, axis: (a.mean(axis) + b.mean(axis)) / 2,
        n_resamples=10_000, method="percentile", rng=1,
    ).confidence_interval  # fmt: skip
    assert (found.low, found.high) == pytest.approx(tuple(theirs), abs=0.015)


def test_running_metrics_are_those_of_the_summary() -> None:
    tallies = Tallies()
    for one in EPISODES:
        tallies.add(one)
    summary = summarise(EPISODES)
    assert (tallies.acc, tallies.psr) == (summary.acc.value, summary.psr.value)
    assert tallies.errors == 1
    assert Tallies().acc is None
