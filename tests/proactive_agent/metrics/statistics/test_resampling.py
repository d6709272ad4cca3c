import numpy as np
import pytest
from scipy import stats

from proactive_agent.metrics.statistics import estimate, ratio, resample, resampling

RNG = np.random.default_rng(7)
COUNTS = RNG.integers(1, 5, 90).astype(float)
HITS = RNG.binomial(COUNTS.astype(int), 0.3).astype(float)


def test_the_first_element_is_the_observed_sum() -> None:
    sums = resample(("hits", "counts"), np.stack([HITS, COUNTS], axis=1), "x")
    assert sums["hits"][0] == HITS.sum()
    assert sums["counts"][0] == COUNTS.sum()
    assert len(sums["hits"]) == resampling.DRAWS + 1


def test_the_interval_of_a_mean_is_the_percentile_bootstraps_of_scipy() -> None:
    rows = np.stack([HITS, np.ones_like(HITS)], axis=1)
    sums = resample(("hits", "samples"), rows, "x")
    found = estimate(ratio(sums["hits"], sums["samples"]))
    theirs = stats.bootstrap(
        (HITS,), np.mean, n_resamples=10_000, method="percentile", rng=1
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx(tuple(theirs), abs=0.03)


def test_the_interval_of_a_ratio_resamples_whole_samples() -> None:
    sums = resample(("hits", "counts"), np.stack([HITS, COUNTS], axis=1), "x")
    found = estimate(ratio(sums["hits"], sums["counts"]))
    theirs = stats.bootstrap(
        (HITS, COUNTS), lambda hits, counts, axis: hits.sum(axis) / counts.sum(axis), paired=True,
        n_resamples=10_000, method="percentile", rng=1,
    ).confidence_interval  # fmt: skip
    assert (found.low, found.high) == pytest.approx(tuple(theirs), abs=0.01)


def test_the_same_rows_under_the_same_name_give_the_same_draws() -> None:
    rows = np.stack([HITS, COUNTS], axis=1)
    one, again, other = (resample(("hits", "counts"), rows, name) for name in ("x", "x", "y"))
    assert np.array_equal(one["hits"], again["hits"])
    assert not np.array_equal(one["hits"], other["hits"])


def test_every_resample_has_as_many_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampling, "_CELLS", 1000)  # makes many parts
    rows = np.stack([HITS, np.ones_like(HITS)], axis=1)
    sums = resample(("hits", "samples"), rows, "x")
    assert set(sums["samples"]) == {len(HITS)}
    assert sums["hits"].std() > 0


def test_an_unknown_number_makes_its_own_column_unknown_and_no_other() -> None:
    rows = np.stack([HITS, COUNTS], axis=1)
    rows[3, 1] = np.nan
    sums = resample(("hits", "counts"), rows, "x")
    assert np.isnan(sums["counts"]).all()
    assert np.isfinite(sums["hits"]).all()


def test_no_samples_have_zero_sums() -> None:
    assert not resample(("hits",), np.empty((0, 1)), "x")["hits"].any()


def test_the_normal_limit_agrees_with_resampling(monkeypatch: pytest.MonkeyPatch) -> None:
    count = 3000
    turns = RNG.geometric(0.4, count).astype(float)
    rows = np.stack([turns, RNG.binomial(turns.astype(int), 0.3)], axis=1)
    found = {}
    for large in (count, count - 1):
        monkeypatch.setattr(resampling, "LARGE", large)
        sums = resample(("turns", "asked"), rows, "x")
        found[large] = estimate(ratio(sums["asked"], sums["turns"]))
    resampled, limit = found[count], found[count - 1]
    width = resampled.high - resampled.low
    assert limit.low == pytest.approx(resampled.low, abs=0.05 * width)
    assert limit.high == pytest.approx(resampled.high, abs=0.05 * width)


def test_the_normal_limit_stays_within_the_possible_range(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampling, "LARGE", 99)
    rare = np.zeros((100, 1))
    rare[0] = 1
    assert resample(("rare",), rare, "x")["rare"].min() == 0
