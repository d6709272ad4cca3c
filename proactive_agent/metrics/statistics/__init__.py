"""Estimates with confidence intervals, and comparisons of them.

Samples, not turns and not episodes, are what is drawn at random from the world: repeats of one
sample and the turns of one episode stay together in every interval.
"""

from proactive_agent.metrics.statistics.estimate import Estimate, average, estimate, ratio, share
from proactive_agent.metrics.statistics.resampling import Series, resample

__all__ = ["Estimate", "Series", "average", "estimate", "ratio", "resample", "share"]
