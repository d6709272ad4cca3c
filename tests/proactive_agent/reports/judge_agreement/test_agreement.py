import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proactive_agent.reports.judge_agreement.agreement import Agreement

inter_rater = pytest.importorskip("statsmodels.stats.inter_rater")


def test_by_hand() -> None:
    # Cohen's own kind of example: 20 + 15 agree of 50; chance (25 * 30 + 25 * 20) / 2500 = 0.5.
    found = Agreement(both=20, first_only=5, second_only=10, neither=15)
    assert found.raw == pytest.approx(0.7)
    assert found.kappa == pytest.approx(0.4)


def test_pairs_are_counted() -> None:
    pairs = [(True, True), (True, False), (True, False), (False, True), (False, False)]
    assert Agreement.of(pairs) == (1, 2, 1, 1)


@pytest.mark.parametrize("counts", [(0, 0, 0, 0), (5, 0, 0, 0), (0, 0, 0, 5)])
def test_without_two_kinds_there_is_no_kappa(counts: tuple[int, int, int, int]) -> None:
    assert Agreement(*counts).kappa is None


@settings(deadline=None)
@given(st.lists(st.integers(1, 60), min_size=4, max_size=4))
def test_as_statsmodels_computes_it(counts: list[int]) -> None:
    found = Agreement(*counts)
    table = np.array(counts).reshape(2, 2)
    assert found.kappa == pytest.approx(inter_rater.cohens_kappa(table).kappa)
