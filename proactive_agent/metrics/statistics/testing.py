"""Tests whether two runs differ: p-values, and their adjustment for multiple tests."""

from collections.abc import Sequence

import numpy as np

from proactive_agent.metrics.statistics.resampling import Series

_STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))
STARS_MEAN = "* p < 0.05, ** p < 0.01, *** p < 0.001, adjusted over the scenarios (Holm)"


def sign_test(better: int, worse: int) -> float:
    """Returns the exact two-sided p-value of the sign test on samples where the runs differ.

    With one right or wrong episode per sample this is McNemar's exact test.
    """
    from scipy.stats import binomtest

    discordant = better + worse
    return float(binomtest(better, discordant).pvalue) if discordant else 1.0


def permutation_test(null: Series) -> float | None:
    """Returns the two-sided p-value of the observed value (first element) in a null distribution.

    None if nothing was observed.
    """
    if not np.isfinite(null[0]):
        return None
    # Equal sums can differ in the last digit.
    beyond = np.count_nonzero(np.abs(null[1:]) >= np.abs(null[0]) * (1 - 1e-9))
    return float((beyond + 1) / len(null))


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjusts p-values for multiple tests with Holm's method. Unknown ones do not count."""
    known = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, place) in enumerate(known):
        largest = max(largest, min(1.0, (len(known) - rank) * p))
        adjusted[place] = largest
    return adjusted


def stars(p_value: float | None) -> str:
    """Marks a p-value with stars, as `STARS_MEAN` explains."""
    if p_value is None:
        return ""
    return next((mark for bound, mark in _STARS if p_value < bound), "")
