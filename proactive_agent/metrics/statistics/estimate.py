"""Numbers with 95 % confidence intervals."""

from collections.abc import Iterable

import numpy as np
from pydantic import BaseModel, ConfigDict

from proactive_agent.metrics.statistics.resampling import DRAWS, Series

LEVEL = 0.95


class Estimate(BaseModel):
    """A number with the bounds of its 95 % confidence interval."""

    model_config = ConfigDict(frozen=True)

    value: float | None = None
    """Null if nothing was counted or if a part is unknown."""
    low: float | None = None
    """Lower bound. Both bounds are null if they are unknown, as for a mean of equal values."""
    high: float | None = None
    """Upper bound. If only one bound is null, the number is unbounded on that side."""


def estimate(series: Series) -> Estimate:
    """Returns the observed number with the percentile interval of its resamples.

    There is no interval if all resamples are equal: samples with equal values say nothing about
    the spread.
    """
    if not np.isfinite(series[0]):
        return Estimate()
    draws = series[1:][np.isfinite(series[1:])]
    if not len(draws) or np.ptp(draws) <= 1e-12 * abs(series[0]):
        return Estimate(value=float(series[0]))
    low, high = np.percentile(draws, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    return Estimate(value=float(series[0]), low=float(low), high=float(high))


def ratio(over: Series, of: Series) -> Series:
    """Divides one sum by another. The result is NaN where the divisor is not positive."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(of > 0, over / of, np.nan)


def average(series: Iterable[Series]) -> Series:
    """Averages the series that are known. The result is NaN if none is."""
    known = [one for one in series if np.isfinite(one[0])]
    return np.mean(known, axis=0) if known else np.full(DRAWS + 1, np.nan)
