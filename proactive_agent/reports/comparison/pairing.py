"""Differences between a run and a baseline, on the samples that both have played to the end.

acc and informed accuracy are tested with McNemar's exact test where each sample was played once.
Those of repeated samples, psr and the averages over scenarios are tested with a paired permutation
test, whose unit is the sample. Intervals of shares are Newcombe's for paired shares; those of psr
come from a paired bootstrap.
"""

from collections.abc import Collection, Sequence
from math import isnan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from proactive_agent.metrics.measures import RATIOS
from proactive_agent.metrics.statistics import (
    Estimate,
    average,
    estimate,
    mean_estimate,
    ratio,
    resample,
)
from proactive_agent.metrics.statistics.resampling import flip_signs
from proactive_agent.metrics.statistics.shares import paired_difference
from proactive_agent.metrics.statistics.testing import holm, permutation_test, sign_test, stars
from proactive_agent.metrics.table import SampleId, Samples, ScenarioTable, Tables

METRICS = {"acc": "correct", "informed": "informed", "psr": "extra_turns"}
"""The compared metrics, each with the column that it is the mean of."""


class Difference(BaseModel):
    """A run's number minus the baseline's, on the samples that both have."""

    difference: Estimate
    samples: int
    p: float | None
    """Two-sided p-value; null without common samples."""
    p_holm: float | None
    """p adjusted over the scenarios; for an average it equals p."""
    stars: str


class _Pairs(NamedTuple):
    """The common samples of two runs: the mean over the repeats of each sample."""

    ours: NDArray[np.float64]
    theirs: NDArray[np.float64]
    episodes: float
    """Episodes behind the means; the smaller of the two runs' numbers."""


class Differences(BaseModel):
    """All differences between a run and the baseline."""

    scenarios: dict[str, dict[str, Difference]]
    """Differences by scenario, then by metric."""
    macro: dict[str, Difference]
    """The averages over these scenarios, by metric."""


def subtract(run: Tables, baseline: Tables, scenarios: Collection[str]) -> Differences:
    """Computes the differences in those scenarios where the two runs have samples in common."""
    found: dict[str, dict[str, Difference]] = {}
    macro: dict[str, Difference] = {}
    for metric, column in METRICS.items():
        paired = {
            scenario: _Paired(scenario, metric, pairs)
            for scenario in scenarios
            if len((pairs := _paired(run[scenario], baseline[scenario], column)).ours)
        }
        adjusted = holm([one.p for one in paired.values()])
        for (scenario, one), p_holm in zip(paired.items(), adjusted, strict=True):
            found.setdefault(scenario, {})[metric] = one.result(p_holm)
        known = len(paired) == len(found)
        macro[metric] = _averaged(list(paired.values()) if known else [])
    return Differences(scenarios=found, macro=macro)


class _Paired:
    """One metric's differences in one scenario."""

    def __init__(self, scenario: str, metric: str, pairs: _Pairs) -> None:
        name = f"{metric} of {scenario}, paired"
        differences = pairs.ours - pairs.theirs
        self.samples = len(differences)
        self.null = flip_signs(differences, name)
        share = RATIOS[metric].share
        if share:
            # An average over the scenarios combines their intervals instead of resamples.
            self.series = None
            self.estimate = paired_difference(pairs.ours, pairs.theirs, pairs.episodes)
        else:
            rows = np.stack([differences, np.ones_like(differences)], axis=1)
            sums = resample(("difference", "samples"), rows, name)
            self.series = ratio(sums["difference"], sums["samples"])
            self.estimate = estimate(self.series)
        self.p = permutation_test(self.null)
        if share and set(np.abs(differences)) <= {0.0, 1.0}:
            self.p = sign_test(int((differences > 0).sum()), int((differences < 0).sum()))

    def result(self, p_holm: float | None) -> Difference:
        """Returns the difference with its p-value adjusted for the other scenarios."""
        return Difference(
            difference=self.estimate, samples=self.samples,
            p=self.p, p_holm=p_holm, stars=stars(p_holm),
        )  # fmt: skip


def _averaged(paired: Sequence[_Paired]) -> Difference:
    if len(paired) == 1:
        return paired[0].result(paired[0].p)
    p = permutation_test(average(one.null for one in paired))
    series = [one.series for one in paired if one.series is not None]
    mean = estimate(average(series)) if series else mean_estimate([one.estimate for one in paired])
    return Difference(
        difference=mean,
        samples=sum(one.samples for one in paired), p=p, p_holm=p, stars=stars(p),
    )  # fmt: skip


def _paired(run: ScenarioTable, baseline: ScenarioTable, column: str) -> _Pairs:
    """Pairs the common samples; there are none if the column of any sample is unknown."""
    ours, theirs = _means(run.samples(), column), _means(baseline.samples(), column)
    common = [sample for sample in ours if sample in theirs]
    if any(isnan(side[sample][0]) for side in (ours, theirs) for sample in common):
        common = []
    episodes = [sum(side[sample][1] for sample in common) for side in (ours, theirs)]
    return _Pairs(
        np.array([ours[sample][0] for sample in common]),
        np.array([theirs[sample][0] for sample in common]),
        min(episodes),
    )


def _means(samples: Samples, column: str) -> dict[SampleId, tuple[float, float]]:
    """Returns, by sample, the mean over its repeats, and their number."""
    episodes = samples.column("episodes")
    means = samples.column(column) / episodes
    pairs = zip(means.tolist(), episodes.tolist(), strict=True)
    return dict(zip(samples.ids, pairs, strict=True))
