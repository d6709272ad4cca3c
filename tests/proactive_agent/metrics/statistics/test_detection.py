from statistics import NormalDist

import numpy as np
import pytest

from proactive_agent.metrics.statistics.detection import COUNTS, Detection, detect


def asking(hits: int, needed: int, false_alarms: int, clear: int) -> Detection:
    """Detects from one row per sample; samples without a picture of a kind have no such trial."""
    rows = np.zeros((max(needed, clear), len(COUNTS)))
    for column, count in enumerate((hits, needed, false_alarms, clear)):
        rows[:count, column] = 1
    return detect(rows, "x")


def detected(hits: int, needed: int, false_alarms: int, clear: int) -> dict[str, float | None]:
    found = asking(hits, needed, false_alarms, clear)._asdict()
    return {name: measure and measure.value for name, measure in found.items()}


def test_asking_is_measured_where_it_is_needed_and_where_not() -> None:
    found = detected(hits=15, needed=20, false_alarms=5, clear=20)
    assert (found["asks_needed"], found["asks_clear"]) == (0.75, 0.25)
    assert found["balanced_accuracy"] == pytest.approx(0.75)
    precision, recall = 15 / 20, 15 / 20
    assert found["f1"] == pytest.approx(2 * precision * recall / (precision + recall))
    z = NormalDist().inv_cdf
    assert found["d_prime"] == pytest.approx(z(15.5 / 21) - z(5.5 / 21))


@pytest.mark.parametrize("asked", [0, 20])
def test_constant_behaviour_has_chance_accuracy(asked: int) -> None:
    found = detected(asked, 20, asked, 20)
    assert found["balanced_accuracy"] == 0.5
    assert found["d_prime"] == 0


def test_d_prime_is_finite_for_perfect_behaviour() -> None:
    z = NormalDist().inv_cdf
    assert detected(20, 20, 0, 20)["d_prime"] == pytest.approx(z(20.5 / 21) - z(0.5 / 21))


def test_measures_of_both_kinds_need_pictures_of_both_kinds() -> None:
    found = detected(3, 5, 0, 0)
    assert found["asks_needed"] == 0.6
    assert found["balanced_accuracy"] is None
    assert found["d_prime"] is None


def test_perfect_behaviour_reaches_the_ceiling_of_d_prime_and_has_a_lower_limit_only() -> None:
    found = asking(25, 25, 0, 25)
    assert found.ceiling.value == found.d_prime.value == pytest.approx(4.14, abs=0.01)
    assert found.d_prime.high is None
    z = NormalDist().inv_cdf
    low = 25 / (25 + 1.959964**2)  # Wilson's limit of 25 of 25
    assert found.d_prime.low == pytest.approx(2 * z(25.5 / 26) - 2**0.5 * (z(25.5 / 26) - z(low)))


def test_d_prime_has_the_limits_of_its_rates() -> None:
    found = asking(60, 100, 20, 100)
    z = NormalDist().inv_cdf
    (h_low, h_high), (f_low, f_high) = (0.50201, 0.69060), (0.13335, 0.28883)
    assert found.d_prime.low == pytest.approx(
        found.d_prime.value - np.hypot(z(60.5 / 101) - z(h_low), z(f_high) - z(20.5 / 101)),
        abs=1e-3,
    )
    assert found.d_prime.high == pytest.approx(
        found.d_prime.value + np.hypot(z(h_high) - z(60.5 / 101), z(20.5 / 101) - z(f_low)),
        abs=1e-3,
    )
