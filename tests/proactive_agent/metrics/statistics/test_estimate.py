import numpy as np
import pytest

from proactive_agent.metrics.statistics import Estimate, average, estimate, ratio
from proactive_agent.metrics.statistics.resampling import DRAWS


def series(observed: float, draws: np.ndarray) -> np.ndarray:
    return np.concatenate([[observed], draws])


def test_an_estimate_has_the_observed_value_and_the_percentile_interval() -> None:
    found = estimate(series(0.4, np.linspace(0, 1, DRAWS)))
    assert found.value == 0.4
    assert (found.low, found.high) == pytest.approx((0.025, 0.975), abs=1e-9)


def test_equal_samples_give_no_interval() -> None:
    assert estimate(series(7.0, np.full(DRAWS, 7.0))) == Estimate(value=7.0)


def test_unknown_resamples_are_ignored() -> None:
    draws = np.where(np.arange(DRAWS) % 2, np.nan, np.linspace(0, 1, DRAWS))
    found = estimate(series(0.5, draws))
    assert (found.low, found.high) == pytest.approx((0.025, 0.975), abs=1e-3)


def test_an_unobserved_number_is_unknown_despite_known_resamples() -> None:
    assert estimate(series(np.nan, np.linspace(0, 1, DRAWS))) == Estimate()


def test_a_ratio_by_zero_is_unknown() -> None:
    found = ratio(np.array([1.0, 1.0, 0.0]), np.array([2.0, 0.0, 0.0]))
    assert found[0] == 0.5
    assert np.isnan(found[1:]).all()


def test_an_average_ignores_unknown_series() -> None:
    whole, unknown = np.full(DRAWS + 1, 0.2), np.full(DRAWS + 1, np.nan)
    assert average([whole, unknown, whole * 3])[0] == pytest.approx(0.4)
    assert np.isnan(average([unknown])).all()
