"""Estimates with confidence intervals, and comparisons of them.

The statistical unit is the sample, not the turn or the episode. Repeats of a sample and turns of
an episode stay together in every resample.
"""

from proactive_agent.metrics.statistics.estimate import Estimate, average, estimate, ratio, share
from proactive_agent.metrics.statistics.resampling import Series, resample

__all__ = ["Estimate", "Series", "average", "estimate", "ratio", "resample", "share"]
