"""Confidence intervals of shares that are valid near 0 and 1.

If all samples are right, or all wrong, their resamples have no spread. So a percentile bootstrap
is too narrow near 0 and 1. Wilson's interval is not. For repeats, and for averages over scenarios,
it is computed with the number of independent trials that would have the same variance (Korn and
Graubard 1998). Differences of paired shares have Newcombe's interval (1998, method 10), and those
of unpaired shares the one for independent samples.
`benchmarks/coverage.py` measures how often the intervals contain the true value.
"""

from collections.abc import Iterable, Sequence
from math import hypot, sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from proactive_agent.metrics.statistics.estimate import LEVEL, Estimate

Z = NormalDist().inv_cdf((1 + LEVEL) / 2)


class Proportion(NamedTuple):
    """A share of successes, and the number of independent trials that it is worth."""

    value: float
    trials: float
    """Need not be whole."""

    @property
    def low(self) -> float:
        """Wilson's lower limit."""
        return self._limits()[0]

    @property
    def high(self) -> float:
        """Wilson's upper limit."""
        return self._limits()[1]

    def estimate(self) -> Estimate:
        """Returns the share with Wilson's interval."""
        return Estimate(value=self.value, low=self.low, high=self.high)

    def _limits(self) -> tuple[float, float]:
        value, trials = self
        scale = 1 + Z**2 / trials
        middle = (value + Z**2 / (2 * trials)) / scale
        half = Z * sqrt(value * (1 - value) / trials + Z**2 / (4 * trials**2)) / scale
        # Rounding must not exclude the value itself.
        return min(max(middle - half, 0.0), value), max(min(middle + half, 1.0), value)


def share_of(
    successes: NDArray[np.float64], trials: NDArray[np.float64], most: float | None = None
) -> Proportion | None:
    """Returns the share of successes in trials that belong to samples, one element per sample.

    Trials of one sample resemble each other. They are worth as many independent trials as would
    give the observed spread between samples, but at most `most` (default: their number). Where all
    trials have the same result there is no spread to observe, and each sample is worth one trial.
    None without trials.
    """
    known = trials > 0
    successes, trials = successes[known], trials[known]
    total, samples = float(trials.sum()), len(trials)
    if not samples:
        return None
    value = min(float(successes.sum()) / total, 1.0)
    if trials.max() <= 1 and set(successes) <= {0.0, 1.0}:
        return Proportion(value, total)
    spread = float(((successes - value * trials) ** 2).sum()) / total**2
    if value in (0, 1) or not spread:
        return Proportion(value, total**2 / float((trials**2).sum()))
    from scipy.stats import t

    worth = value * (1 - value) / (spread * samples / (samples - 1))
    # Few samples leave the spread itself uncertain.
    worth *= (Z / float(t.ppf((1 + LEVEL) / 2, samples - 1))) ** 2
    return Proportion(value, min(worth, total if most is None else most))


def estimate_of(share: Proportion | None) -> Estimate:
    """Returns a share with Wilson's interval; an unknown one without numbers."""
    return share.estimate() if share else Estimate()


def mean_share(shares: Iterable[Proportion | None]) -> Proportion | None:
    """Averages independent shares, such as those of scenarios; unknown ones do not count.

    None if no share is known. One success and one failure are added to each share before its
    variance is computed, so that a share of 0 or 1 is not taken as certain.
    """
    known = [share for share in shares if share]
    if not known:
        return None
    if len(known) == 1:
        return known[0]
    count = len(known)
    smoothed = [(one.value * one.trials + 1) / (one.trials + 2) for one in known]
    variances = (p * (1 - p) / one.trials for p, one in zip(smoothed, known, strict=True))
    middle = sum(smoothed) / count
    worth = middle * (1 - middle) / (sum(variances) / count**2)
    return Proportion(sum(one.value for one in known) / count, worth)


def mean_estimate(estimates: Sequence[Estimate]) -> Estimate:
    """Averages independent numbers that have intervals; those without a value do not count.

    The distances to the limits are combined like standard errors (MOVER, Zou and Donner 2008). A
    number without an interval counts as exact; one that is unbounded on a side leaves the average
    unbounded there. For shares, `mean_share` is better.
    """
    known = [one for one in estimates if one.value is not None]
    if len(known) <= 1:
        return known[0] if known else Estimate()
    bounded = [one for one in known if one.low is not None or one.high is not None]
    value = sum(one.value or 0 for one in known) / len(known)
    below = _distance([(one.value, one.low) for one in bounded])
    above = _distance([(one.value, one.high) for one in bounded])
    return Estimate(
        value=value,
        low=None if below is None else value - below / len(known),
        high=None if above is None else value + above / len(known),
    )


def _distance(pairs: Sequence[tuple[float | None, float | None]]) -> float | None:
    """Combines the distances of values to their limits. None without limits or without bound."""
    distances = [v - limit for v, limit in pairs if v is not None and limit is not None]
    return hypot(*distances) if distances and len(distances) == len(pairs) else None


def paired_difference(
    ours: NDArray[np.float64], theirs: NDArray[np.float64], most: float | None = None
) -> Estimate:
    """Returns the mean difference of two shares of the same samples, with Newcombe's interval.

    The elements are shares per sample, 0 to 1. `most` is the largest number of independent trials
    of each side (default: one per sample).
    """
    ones = np.ones(len(ours))
    p, q = (share_of(side, ones, most or len(ours)) for side in (ours, theirs))
    if p is None or q is None:
        return Estimate()
    correlation = _correlation(ours, theirs)

    def distance(a: float, b: float) -> float:
        return sqrt(max(a * a - 2 * correlation * a * b + b * b, 0.0))

    value = p.value - q.value
    low = value - distance(p.value - p.low, q.high - q.value)
    high = value + distance(p.high - p.value, q.value - q.low)
    return Estimate(value=value, low=max(low, -1.0), high=min(high, 1.0))


def unpaired_difference(
    ours: NDArray[np.float64], theirs: NDArray[np.float64], most: tuple[float, float]
) -> Estimate:
    """Returns the mean difference of two shares of different samples, with Newcombe's interval.

    `most` is the largest number of independent trials of each side.
    """
    p, q = (
        share_of(side, np.ones(len(side)), limit)
        for side, limit in zip((ours, theirs), most, strict=True)
    )
    if p is None or q is None:
        return Estimate()
    value = p.value - q.value
    low = value - hypot(p.value - p.low, q.high - q.value)
    high = value + hypot(p.high - p.value, q.value - q.low)
    return Estimate(value=value, low=max(low, -1.0), high=min(high, 1.0))


def _correlation(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> float:
    """Returns the correlation of two shares; a positive covariance is reduced by half a sample."""
    spread = float(ours.std() * theirs.std())
    if not spread:
        return 0.0
    covariance = float(np.mean(ours * theirs) - ours.mean() * theirs.mean())
    if covariance > 0:
        covariance = max(covariance - 0.5 / len(ours), 0.0)
    return covariance / spread
