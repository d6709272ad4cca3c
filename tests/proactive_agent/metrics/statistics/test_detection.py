from statistics import NormalDist

import numpy as np
import pytest

from proactive_agent.metrics.statistics.detection import Detection, detect


def detected(hits: float, needed: float, false_alarms: float, clear: float) -> dict[str, float]:
    found = detect(*(np.array([float(n)]) for n in (hits, needed, false_alarms, clear)))
    return {
        name: series.item() for name, series in zip(Detection._fields, found, strict=True)
    }  # fmt: skip


def test_asking_is_measured_where_it_is_needed_and_where_not() -> None:
    found = detected(hits=15, needed=20, false_alarms=4, clear=16)
    assert (found["asks_needed"], found["asks_clear"]) == (0.75, 0.25)
    assert found["balanced_accuracy"] == 0.75
    precision, recall = 15 / 19, 15 / 20
    assert found["f1"] == pytest.approx(2 * precision * recall / (precision + recall))
    z = NormalDist().inv_cdf
    assert found["d_prime"] == pytest.approx(z(15.5 / 21) - z(4.5 / 17))


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
    assert np.isnan(found["balanced_accuracy"])
    assert np.isnan(found["d_prime"])
