import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from proactive_agent.metrics.statistics import Estimate, average, estimate, ratio, share
from proactive_agent.metrics.statistics.resampling import DRAWS


@pytest.mark.parametrize(("successes", "trials"), [(0, 26), (26, 26), (7, 23), (1, 1), (40, 2591)])
def test_a_share_has_wilsons_interval(successes: int, trials: int) -> None:
    found = share(successes, trials)
    assert found.value == successes / trials
    expected = proportion_confint(successes, trials, method="wilson")
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-12)


def test_a_share_of_nothing_is_unknown() -> None:
    assert share(0, 0) == Estimate()


def series(observed: float, draws: np.ndarray) -> np.ndarray:
    return np.concatenate([[observed], draws])


def test_an_estimate_is_what_was_observed_with_the_middle_of_the_resamples() -> None:
    found = estimate(series(0.4, np.linspace(0, 1, DRAWS)))
    assert found.value == 0.4
    assert (found.low, found.high) == pytest.approx((0.025, 0.975), abs=1e-9)


def test_samples_that_are_all_alike_give_no_interval() -> None:
    assert estimate(series(7.0, np.full(DRAWS, 7.0))) == Estimate(value=7.0)


def test_what_is_unknown_in_some_resamples_has_the_interval_of_the_others() -> None:
    draws = np.where(np.arange(DRAWS) % 2, np.nan, np.linspace(0, 1, DRAWS))
    found = estimate(series(0.5, draws))
    assert (found.low, found.high) == pytest.approx((0.025, 0.975), abs=1e-3)


def test_what_was_not_observed_is_unknown_whatever_resamples_say() -> None:
    assert estimate(series(np.nan, np.linspace(0, 1, DRAWS))) == Estimate()


def test_a_ratio_over_nothing_is_unknown() -> None:
    found = ratio(np.array([1.0, 1.0, 0.0]), np.array([2.0, 0.0, 0.0]))
    assert found[0] == 0.5
    assert np.isnan(found[1:]).all()


def test_an_average_leaves_out_what_is_unknown() -> None:
    whole, unknown = np.full(DRAWS + 1, 0.2), np.full(DRAWS + 1, np.nan)
    assert average([whole, unknown, whole * 3])[0] == pytest.approx(0.4)
    assert np.isnan(average([unknown])).all()
