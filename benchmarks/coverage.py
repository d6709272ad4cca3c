"""Measures how often 95 % intervals contain the true value, and whether tests keep their level.

    python -m benchmarks.coverage [--runs 1000]

Simulates runs of seven scenarios. Repeats of a sample share that sample's difficulty, which is
beta-distributed with an intraclass correlation of 0.5. The baseline of each line is the percentile
bootstrap over samples (of tests: the sign test). A good figure is 95 % (of tests: 5 %).
"""

import argparse
from collections.abc import Callable
from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from proactive_agent.metrics.statistics import (
    Estimate,
    average,
    estimate,
    estimate_of,
    mean_estimate,
    mean_share,
    ratio,
    resample,
    share_of,
)
from proactive_agent.metrics.statistics.detection import COUNTS, detect
from proactive_agent.metrics.statistics.resampling import Series, flip_signs
from proactive_agent.metrics.statistics.shares import paired_difference
from proactive_agent.metrics.statistics.testing import permutation_test, sign_test

SCENARIOS = 7
CORRELATION = 0.5
RNG = np.random.default_rng(0)
Counts = NDArray[np.float64]


class Intervals(NamedTuple):
    """Intervals of the same data by the project's method and by the bootstrap."""

    ours: Estimate
    bootstrap: Estimate


def right(rate: float, samples: int, repeats: int) -> Counts:
    """Draws the number of right repeats of each sample."""
    return RNG.binomial(repeats, drawn_difficulty(rate, samples)).astype(np.float64)


def drawn_difficulty(rate: float, samples: int) -> Counts:
    """Draws the chance of each sample, with the mean `rate`."""
    scale = (1 - CORRELATION) / CORRELATION
    return RNG.beta(rate * scale, (1 - rate) * scale, samples)


def resampled(over: Counts, of: Counts) -> Series:
    """Returns the resampled ratio of two columns."""
    name = str(RNG.integers(2**62))
    sums = resample(("over", "of"), np.stack([over, of], axis=1), name)
    return ratio(sums["over"], sums["of"])


def macro_share(rate: float, samples: int, repeats: int) -> Intervals:
    """Estimates the mean share over the scenarios."""
    of = np.full(samples, float(repeats))
    drawn = [right(rate, samples, repeats) for _ in range(SCENARIOS)]
    ours = estimate_of(mean_share(share_of(over, of) for over in drawn))
    return Intervals(
        ours,
        estimate(average(resampled(over, of) for over in drawn)),
    )


def macro_difference(rate: float, samples: int, repeats: int) -> Intervals:
    """Estimates the mean difference of two equally good runs on the same samples."""
    each, series = [], []
    for _ in range(SCENARIOS):
        a, b = RNG.binomial(repeats, drawn_difficulty(rate, samples), (2, samples)).astype(float)
        each.append(paired_difference(a / repeats, b / repeats, float(samples * repeats)))
        series.append(resampled(a / repeats - b / repeats, np.ones(samples)))
    return Intervals(mean_estimate(each), estimate(average(series)))


def d_prime(hit: float, false_alarm: float, samples: int) -> Intervals:
    """Estimates d' of one scenario."""
    ones = np.ones(samples)
    hits, alarms = right(hit, samples, 1), right(false_alarm, samples, 1)
    rows = np.stack([hits, ones, alarms, ones], axis=1)
    sums = resample(COUNTS, rows, str(RNG.integers(2**62)))
    series = ndtri((sums["hits"] + 0.5) / (samples + 1)) - ndtri(
        (sums["false_alarms"] + 0.5) / (samples + 1)
    )
    return Intervals(detect(rows, "x").d_prime, estimate(series))


def coverage(draw: Callable[[], Intervals], truth: float, runs: int) -> list[float]:
    """Returns the share of runs whose interval holds the truth: ours, then the bootstrap's."""
    held = [[holds(found, truth) for found in draw()] for _ in range(runs)]
    return [float(share) for share in np.mean(held, axis=0)]


def holds(found: Estimate, truth: float) -> bool:
    """Tells whether the truth is within the interval, or equals a value without an interval."""
    if found.low is None and found.high is None:
        return found.value is not None and abs(found.value - truth) < 1e-9
    low, high = (b if b is not None else truth for b in (found.low, found.high))
    return low - 1e-9 <= truth <= high + 1e-9


def rejections(samples: int, repeats: int, runs: int) -> list[float]:
    """Returns how often equal runs differ with p < 0.05: permutation test, then sign test."""
    found = []
    for _ in range(runs):
        # The same mean; one run gains little on many samples and loses much on few.
        gain = np.where(np.arange(samples) % 5, 0.1, -0.4)
        a, b = (RNG.binomial(repeats, 0.5 + side * gain) / repeats for side in (1, 0))
        p = permutation_test(flip_signs(a - b, str(RNG.integers(2**62))))
        sign = sign_test(int((a > b).sum()), int((a < b).sum()))
        found.append([p is not None and p < 0.05, sign < 0.05])
    return [float(share) for share in np.mean(found, axis=0)]


def main() -> None:
    """Prints a line per setting: the project's figure and the baseline's."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=1000, help="simulated runs per line")
    runs = parser.parse_args().runs
    print(f"{'':44}{'ours':>8}{'baseline':>10}")

    def line(name: str, found: list[float]) -> None:
        print(f"{name:44}{found[0]:8.1%}{found[1]:10.1%}", flush=True)

    for rate, n in product((0.005, 0.02, 0.1, 0.5, 0.9, 0.98, 0.995), ((25, 1), (100, 1), (25, 5))):
        found = coverage(partial(macro_share, rate, *n), rate, runs)
        line(f"mean share {rate}, n = {n[0]} x {n[1]}", found)
    for rate, n in product((0.02, 0.1, 0.5, 0.98), ((25, 1), (25, 5))):
        found = coverage(partial(macro_difference, rate, *n), 0, runs)
        line(f"mean difference at {rate}, n = {n[0]} x {n[1]}", found)
    for rates, samples in product(((0.5, 0.5), (0.9, 0.1), (0.98, 0.4), (0.98, 0.02)), (25, 100)):
        truth = float(ndtri(rates[0]) - ndtri(rates[1]))
        found = coverage(partial(d_prime, *rates, samples), truth, runs)
        line(f"d' of {rates[0]} against {rates[1]}, n = {samples}", found)
    for samples in (25, 100):
        line(f"rejects equal runs, n = {samples} x 5", rejections(samples, 5, runs))


if __name__ == "__main__":
    main()
