"""Estimates with confidence intervals, and comparisons of them.

The statistical unit is the sample, not the turn or the episode. Repeats of a sample and turns of
an episode stay together in every resample.
"""

from proactive_agent.metrics.statistics.estimate import Estimate, average, estimate, ratio
from proactive_agent.metrics.statistics.resampling import Series, resample
from proactive_agent.metrics.statistics.shares import (
    estimate_of,
    mean_estimate,
    mean_share,
    share_of,
)

__all__ = [
    "Estimate",
    "Series",
    "average",
    "estimate",
    "estimate_of",
    "mean_estimate",
    "mean_share",
    "ratio",
    "resample",
    "share_of",
]
