"""Help-seeking as signal detection: does a model ask for help when it is needed, and only then?

The signal is a picture that does not show enough. Asking there is a hit; asking on a clear picture
is a false alarm.
"""

from typing import NamedTuple

import numpy as np

from proactive_agent.metrics.statistics.estimate import ratio
from proactive_agent.metrics.statistics.resampling import Series


class Detection(NamedTuple):
    """Measures of how well a model distinguishes pictures that need help from clear ones."""

    asks_needed: Series
    """Hit rate: share of pictures that need help on which the model asks."""
    asks_clear: Series
    """False-alarm rate: share of clear pictures on which the model asks."""
    balanced_accuracy: Series
    """Mean of the hit rate and the share of clear pictures without asking; 0.5 is chance."""
    f1: Series
    """F1 score of asking."""
    d_prime: Series
    """Sensitivity: distance between the two kinds of pictures in standard deviations of the noise.
    Half a case is added to each cell (log-linear correction), so that it stays finite."""


def detect(hits: Series, needed: Series, false_alarms: Series, clear: Series) -> Detection:
    """Computes the measures from counts.

    `needed` and `clear` count pictures; `hits` and `false_alarms` those on which the model asks.
    """
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
