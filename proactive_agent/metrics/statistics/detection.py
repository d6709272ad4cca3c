"""Help-seeking as signal detection: does a model ask for help when it is needed, and only then?

The signal is an ambiguous picture. Asking there is a hit; asking on a clear picture is a false
alarm.
"""

from collections.abc import Sequence
from math import hypot
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from proactive_agent.metrics.statistics.estimate import Estimate, estimate, ratio
from proactive_agent.metrics.statistics.resampling import resample
from proactive_agent.metrics.statistics.shares import (
    Proportion,
    mean_estimate,
    mean_share,
    paired_difference,
    share_of,
)

_NORMAL = NormalDist()

COUNTS = ("hits", "needed", "false_alarms", "clear")
"""Columns of a table of samples. `needed` and `clear` count pictures; `hits` and `false_alarms`
those of them on which the model asks."""


class Detection(NamedTuple):
    """Measures of how well a model distinguishes pictures that need help from clear ones."""

    asks_needed: Proportion | None
    """Hit rate: share of pictures that need help on which the model asks."""
    asks_clear: Proportion | None
    """False-alarm rate: share of clear pictures on which the model asks."""
    balanced_accuracy: Estimate
    """Mean of the hit rate and the share of clear pictures without asking; 0.5 is chance."""
    f1: Estimate
    """F1 score of asking."""
    d_prime: Estimate
    """Sensitivity: distance between the two kinds of pictures in standard deviations of the noise.
    Half a case is added to each cell (log-linear correction), so that the value stays finite. It
    cannot exceed `ceiling`; the interval can, and is unbounded where a rate is 0 or 1."""
    ceiling: Estimate
    """The largest d' that this number of pictures can show; without an interval."""


def detect(rows: NDArray[np.float64], name: str) -> Detection:
    """Computes the measures from one row per sample and a column per name in COUNTS.

    `name` seeds the resampling of F1.
    """
    hits, needed, false_alarms, clear = rows.T
    asking, asking_clear = share_of(hits, needed), share_of(false_alarms, clear)
    d_prime = balanced = ceiling = Estimate()
    if asking and asking_clear:
        trials, clear_trials = float(needed.sum()), float(clear.sum())
        d_prime = _d_prime(asking, trials, asking_clear, clear_trials)
        ceiling = Estimate(value=_z(1, trials) - _z(0, clear_trials))
        both = (needed > 0) & (clear > 0)
        difference = paired_difference(
            hits[both] / needed[both], false_alarms[both] / clear[both], min(trials, clear_trials)
        )
        balanced = Estimate(**{k: (1 + v) / 2 for k, v in difference if v is not None})
    sums = resample(COUNTS, rows, name)
    f1 = ratio(2 * sums["hits"], sums["needed"] + sums["hits"] + sums["false_alarms"])
    return Detection(asking, asking_clear, balanced, estimate(f1), d_prime, ceiling)


def averaged(detections: Sequence[Detection]) -> Detection:
    """Averages the measures over scenarios, whose samples are independent."""
    needed, clear, *others = zip(*detections, strict=True)
    return Detection(mean_share(needed), mean_share(clear), *map(mean_estimate, others))


def _d_prime(needed: Proportion, trials: float, clear: Proportion, clear_trials: float) -> Estimate:
    """Returns d' with the limits of the two rates, combined on the scale of d' (MOVER).

    A rate whose interval reaches 0 or 1 leaves d' unbounded on that side.
    """
    signal, noise = _z(needed.value, trials), _z(clear.value, clear_trials)
    value = signal - noise
    below = above = None
    if needed.low > 0 and clear.high < 1:
        low, high = _NORMAL.inv_cdf(needed.low), _NORMAL.inv_cdf(clear.high)
        below = value - hypot(max(signal - low, 0), max(high - noise, 0))
    if needed.high < 1 and clear.low > 0:
        high, low = _NORMAL.inv_cdf(needed.high), _NORMAL.inv_cdf(clear.low)
        above = value + hypot(max(high - signal, 0), max(noise - low, 0))
    return Estimate(value=value, low=below, high=above)


def _z(rate: float, trials: float) -> float:
    """Returns the normal quantile of a rate, with half a case added to each cell."""
    return _NORMAL.inv_cdf((rate * trials + 0.5) / (trials + 1))
