from itertools import product

import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from proactive_agent.metrics.statistics import Estimate, mean_estimate, mean_share, share_of
from proactive_agent.metrics.statistics.shares import Proportion, paired_difference


def limits(found: Estimate | Proportion | None) -> tuple[float, float]:
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    return found.low, found.high


def same(samples: int, trials: float) -> np.ndarray:
    return np.full(samples, trials, dtype=np.float64)


@pytest.mark.parametrize(("successes", "trials"), [(0, 26), (26, 26), (7, 23), (1, 1), (40, 2591)])
def test_a_share_has_wilsons_interval(successes: int, trials: int) -> None:
    found = share_of((np.arange(trials) < successes) * 1.0, same(trials, 1))
    assert found == Proportion(successes / trials, trials)
    expected = proportion_confint(successes, trials, method="wilson")
    assert limits(found) == pytest.approx(expected, abs=1e-12)


def test_a_share_without_trials_is_unknown() -> None:
    assert share_of(same(3, 0), same(3, 0)) is None
    assert mean_share([]) is None


@pytest.mark.parametrize("right", [0, 5])
def test_equal_repeats_count_once(right: int) -> None:
    assert share_of(same(20, right), same(20, 5)) == Proportion(right / 5, 20)


def test_repeats_that_agree_are_worth_no_more_than_their_samples() -> None:
    found = share_of(np.repeat([5.0, 0.0], 10), same(20, 5))
    assert found is not None
    # A little less, because the spread between twenty samples is itself uncertain.
    assert 15 < found.trials < 20


def test_repeats_that_differ_like_trials_are_worth_their_number() -> None:
    rng = np.random.default_rng(1)
    found = share_of(rng.binomial(5, 0.5, 2000).astype(float), same(2000, 5))
    assert found is not None
    assert 9_000 < found.trials <= 10_000


def test_trials_of_samples_with_another_share_are_worth_less_than_their_number() -> None:
    """Turns: samples with many turns can have another share than samples with few."""
    found = share_of(np.repeat([0.0, 5.0, 15.0], 10), np.repeat([1.0, 20.0, 20.0], 10))
    assert found is not None
    assert found.trials < 100 < 410


def test_an_average_of_equal_shares_is_worth_the_trials_of_all() -> None:
    found = mean_share([Proportion(0.2, 25)] * 7)
    assert found is not None
    assert found.value == pytest.approx(0.2)
    assert found.trials == pytest.approx(7 * 25)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_an_average_of_extreme_shares_has_an_interval(value: float) -> None:
    found = mean_share([Proportion(value, 25)] * 7)
    assert limits(found) == pytest.approx(limits(Proportion(value, 7 * 25)))


def test_the_least_certain_share_limits_an_average() -> None:
    found = mean_share([Proportion(0.5, 10), Proportion(0.5, 1e9)])
    assert found is not None
    assert found.trials == pytest.approx(4 * 10, rel=0.01)


def test_an_average_of_one_keeps_its_interval() -> None:
    assert mean_share([Proportion(0.3, 10)]) == Proportion(0.3, 10)
    one = Estimate(value=2.0, low=1.0, high=4.0)
    assert mean_estimate([Estimate(), one]) == one


def test_an_average_of_numbers_combines_the_distances_to_their_limits() -> None:
    found = mean_estimate([
        Estimate(value=2.0, low=1.0, high=6.0), Estimate(value=4.0, low=4.0, high=7.0), Estimate()
    ])  # fmt: skip
    assert found.value == 3
    assert limits(found) == pytest.approx((3 - 1 / 2, 3 + 5 / 2))


def test_an_average_is_unbounded_where_one_of_its_numbers_is() -> None:
    found = mean_estimate([Estimate(value=2.0, low=1.0), Estimate(value=4.0, low=3.0, high=5.0)])
    assert found == Estimate(value=3.0, low=3 - 2**0.5 / 2)


def test_an_average_of_exact_numbers_has_no_interval() -> None:
    assert mean_estimate([Estimate(value=1.0), Estimate(value=2.0)]) == Estimate(value=1.5)
    assert mean_estimate([]) == Estimate()


def test_a_difference_of_uncorrelated_shares_has_newcombes_interval() -> None:
    pairs = np.array([*product([1.0, 0.0, 0.0], [1.0, 1.0, 1.0, 0.0])] * 2)
    found = paired_difference(pairs[:, 0], pairs[:, 1])
    expected = confint_proportions_2indep(8, 24, 18, 24, compare="diff", method="newcomb")
    assert found.value == pytest.approx(8 / 24 - 18 / 24)
    assert limits(found) == pytest.approx(expected, abs=1e-9)


def test_equal_samples_make_the_interval_of_a_difference_narrower() -> None:
    ours = np.repeat([1.0, 0.0], 20)
    theirs = np.concatenate([[0.0], ours[1:]])
    paired, shuffled = paired_difference(ours, theirs), paired_difference(ours, theirs[::-1])
    assert paired.value == pytest.approx(0.025)
    assert limits(paired)[1] < 0.15 < 0.3 < limits(shuffled)[1]


def test_two_perfect_runs_have_an_interval() -> None:
    found = paired_difference(same(25, 1), same(25, 1))
    assert found.value == 0
    assert limits(found) == pytest.approx((-0.13318, 0.13318), abs=1e-4)
