"""Help-seeking as detection: is help asked for when it is needed, and only then?

Signal is a picture that does not hold enough; a hit is asking there, a false alarm asking where the
picture is clear.
"""

from typing import NamedTuple

import numpy as np

from proactive_agent.metrics.statistics.estimate import ratio
from proactive_agent.metrics.statistics.resampling import Series


class Detection(NamedTuple):
    """How well asking tells pictures that need help from those that do not."""

    asks_needed: Series
    """Share of pictures that need help where it is asked for."""
    asks_clear: Series
    """Share of clear pictures where it is asked for."""
    balanced_accuracy: Series
    """Mean of the shares that are dealt with rightly; 0.5 is chance."""
    f1: Series
    """Of asking where needed."""
    d_prime: Series
    """Distance between the two kinds of pictures in standard deviations of the model's noise, with
    half a case added to each cell so that it stays finite (log-linear correction)."""


def detect(hits: Series, needed: Series, false_alarms: Series, clear: Series) -> Detection:
    """From counts: pictures asked about, of those that need help and of those that do not."""
    from scipy.special import ndtri

    asks_needed, asks_clear = ratio(hits, needed), ratio(false_alarms, clear)
    d_prime = ndtri((hits + 0.5) / (needed + 1)) - ndtri((false_alarms + 0.5) / (clear + 1))
    return Detection(
        asks_needed,
        asks_clear,
        balanced_accuracy=(asks_needed + 1 - asks_clear) / 2,
        f1=ratio(2 * hits, needed + hits + false_alarms),
        d_prime=np.where((needed > 0) & (clear > 0), d_prime, np.nan),
    )
