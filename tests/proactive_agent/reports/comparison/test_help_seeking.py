import pytest

from proactive_agent.reports.comparison.help_seeking import help_seeking
from tests.proactive_agent.reports.comparison.playing import answers, played

NEEDED = played("m zero-shot", answers("AAA1-") + answers("AA11", "coco"), provider="openai:m")
CLEAR = played(
    "m clear", answers("A1111") + answers("1111", "coco"), provider="openai:m", condition="clear"
)


def test_a_run_on_clear_pictures_gives_the_false_alarms() -> None:
    (pair,) = help_seeking([NEEDED, CLEAR])
    assert (pair.needed, pair.clear) == ("m zero-shot", "m clear")
    rod = pair.scenarios["rod"]
    assert rod.samples == 4, "one sample met an error in one of the runs"
    assert (rod.asks_needed.value, rod.asks_clear.value) == (3 / 4, 1 / 4)
    assert rod.balanced_accuracy.value == pytest.approx(3 / 4)
    assert rod.f1.value == pytest.approx(2 * 3 / (2 * 3 + 1 + 1))
    assert pair.macro.balanced_accuracy.value == pytest.approx((3 / 4 + 3 / 4) / 2)
    assert pair.macro.samples == 8


def test_the_shares_have_wilsons_interval_and_the_rest_a_bootstraps() -> None:
    (pair,) = help_seeking([NEEDED, CLEAR])
    rod = pair.scenarios["rod"]
    assert rod.asks_needed == NEEDED.summary.scenarios["rod"].asked_at_once
    assert rod.d_prime.low < rod.d_prime.value < rod.d_prime.high


def named(condition: str, **more: object) -> object:
    settings = {"provider": "openai:m", **more}
    return played(condition, answers("A1"), condition=condition, **settings)


@pytest.mark.parametrize(
    ("conditions", "pairs"),
    [
        (["zero-shot", "hint", "clear"], [("zero-shot", "clear"), ("hint", "clear")]),
        (["hint", "clear", "hint+clear"], [("hint", "hint+clear")]),
        (["reference", "clear"], []),
        (["zero-shot", "hint"], []),
    ],
)
def test_a_run_is_paired_with_the_most_similar_clear_run(
    conditions: list[str], pairs: list[tuple[str, str]]
) -> None:
    found = help_seeking([named(condition) for condition in conditions])
    assert [(pair.needed, pair.clear) for pair in found] == pairs


@pytest.mark.parametrize(
    "other", [{"provider": "openai:other"}, {"protocol": "mcqa"}, {"file": "other bytes"}]
)
def test_runs_that_differ_in_other_settings_are_not_paired(other: dict[str, str]) -> None:
    assert help_seeking([named("zero-shot"), named("clear", **other)]) == []
