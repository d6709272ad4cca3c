import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from proactive_agent.metrics.statistics import resampling
from proactive_agent.metrics.statistics.resampling import flip_signs
from proactive_agent.metrics.statistics.testing import holm, permutation_test, sign_test, stars


@pytest.mark.parametrize(("better", "worse"), [(8, 1), (1, 8), (5, 5), (0, 3), (30, 12)])
def test_the_sign_test_of_right_and_wrong_is_mcnemars(better: int, worse: int) -> None:
    theirs = mcnemar([[4, better], [worse, 9]], exact=True)
    assert sign_test(better, worse) == pytest.approx(theirs.pvalue)


def test_without_differing_samples_p_is_1() -> None:
    assert sign_test(0, 0) == 1


@pytest.mark.parametrize(
    "p_values",
    [[0.04], [0.01, 0.04, 0.03, 0.005], [0.02, 0.02, 0.02], [1, 0.6, 0.5], [0, 0.9, 0.01]],
)
def test_holm_adjusts_as_statsmodels_does(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])


def test_holm_ignores_unknown_p_values() -> None:
    assert holm([0.01, None, 0.04]) == [0.02, None, 0.04]


@pytest.mark.parametrize(
    ("p_value", "mark"),
    [(0.0009, "***"), (0.001, "**"), (0.01, "*"), (0.049, "*"), (0.05, ""), (None, "")],
)
def test_stars_are_below_their_bounds(p_value: float | None, mark: str) -> None:
    assert stars(p_value) == mark


DIFFERENCES = np.array([1, 0, 2, -1, 3, 1, 0, 1, 2, -1, 0, 1], dtype=float)


def test_the_permutation_test_is_scipys() -> None:
    theirs = stats.permutation_test(
        (DIFFERENCES, np.zeros_like(DIFFERENCES)), lambda a, b, axis: np.mean(a - b, axis=axis),
        permutation_type="samples", vectorized=True, n_resamples=np.inf,
    )  # fmt: skip
    found = permutation_test(flip_signs(DIFFERENCES, "x"))
    assert found == pytest.approx(theirs.pvalue, abs=0.01)


def test_one_sample_is_never_significant() -> None:
    assert permutation_test(flip_signs(np.array([9.0]), "x")) == 1


def test_many_equal_differences_are_significant() -> None:
    found = permutation_test(flip_signs(np.ones(26), "x"))
    assert found is not None
    assert found < 0.001


def test_no_samples_give_no_p_value() -> None:
    assert permutation_test(flip_signs(np.array([]), "x")) is None


def test_the_limit_for_many_samples_is_the_same_test(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    differences = rng.integers(-2, 3, 2000) + 0.05
    drawn = permutation_test(flip_signs(differences, "x"))
    monkeypatch.setattr(resampling, "LARGE", 1999)
    assert permutation_test(flip_signs(differences, "x")) == pytest.approx(drawn, abs=0.02)
