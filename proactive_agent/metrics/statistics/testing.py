"""Whether two runs differ: p-values, and what becomes of them where there are several."""

from collections.abc import Sequence

import numpy as np

from proactive_agent.metrics.statistics.resampling import Series

_STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))
STARS_MEAN = "* p < 0.05, ** p < 0.01, *** p < 0.001, by Holm's method over the scenarios"


def sign_test(better: int, worse: int) -> float:
    """The exact two-sided test on samples of which one run did better.

    With one episode per sample and right or wrong as its outcome this is McNemar's exact test.
    """
    from scipy.stats import binomtest

    discordant = better + worse
    return float(binomtest(better, discordant).pvalue) if discordant else 1.0


def permutation_test(null: Series) -> float | None:
    """The two-sided p-value of what was observed (first) among what chance alone would have made.

    None where nothing was observed.
    """
    if not np.isfinite(null[0]):
        return None
    # Sums that should be equal can differ in the last digit.
    beyond = np.count_nonzero(np.abs(null[1:]) >= np.abs(null[0]) * (1 - 1e-9))
    return float((beyond + 1) / len(null))


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """The p-values adjusted for being several, by Holm's method; unknown ones do not count."""
    known = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, place) in enumerate(known):
        largest = max(largest, min(1.0, (len(known) - rank) * p))
        adjusted[place] = largest
    return adjusted


def stars(p_value: float | None) -> str:
    """How significant, as `STARS_MEAN` says."""
    if p_value is None:
        return ""
    return next((mark for bound, mark in _STARS if p_value < bound), "")
