"""Differences between a run and a baseline, on the samples that both have played to the end.

Runs on generated scenes of different seeds have no sample in common. Their differences are not
paired: they have an unpaired permutation test, and Newcombe's interval for independent shares.

acc and informed accuracy are tested with McNemar's exact test if each sample was played once.
Repeated samples, psr and averages over scenarios are tested with a paired permutation test over
samples. Intervals of shares are Newcombe's for paired shares; those of psr
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
from proactive_agent.metrics.statistics.resampling import Series, flip_signs, shuffle_labels
from proactive_agent.metrics.statistics.shares import paired_difference, unpaired_difference
from proactive_agent.metrics.statistics.testing import holm, permutation_test, sign_test, stars
from proactive_agent.metrics.table import SampleId, Samples, ScenarioTable, Tables

METRICS = {"acc": "correct", "informed": "informed", "psr": "extra_turns"}
"""The compared metrics, each with the column that it is the mean of."""


class Difference(BaseModel):
    """A run's number minus the baseline's, on the samples that both have."""

    difference: Estimate
    samples: int
    """Samples that both runs have; without pairing the smaller number of samples."""
    paired: bool = True
    """False if the runs played different generated scenes."""
    p: float | None
    """Two-sided p-value; null without samples."""
    p_holm: float | None
    """p adjusted over the scenarios; for an average it equals p."""
    stars: str


class _Pairs(NamedTuple):
    """The common samples of two runs: the mean over the repeats of each sample."""

    ours: NDArray[np.float64]
    theirs: NDArray[np.float64]
    episodes: float
    """Episodes behind the means; the smaller of the two runs' numbers."""


class _Side(NamedTuple):
    """The samples of one run: the mean over the repeats of each, and the number of episodes."""

    means: NDArray[np.float64]
    episodes: float


class Differences(BaseModel):
    """All differences between a run and the baseline."""

    scenarios: dict[str, dict[str, Difference]]
    """Differences by scenario, then by metric."""
    macro: dict[str, Difference]
    """The averages over these scenarios, by metric."""


def subtract(
    run: Tables, baseline: Tables, scenarios: Collection[str], unpaired: Collection[str] = ()
) -> Differences:
    """Computes the differences in those scenarios where the two runs have samples in common.

    The samples of `unpaired` scenarios are compared without pairing.
    """
    found: dict[str, dict[str, Difference]] = {}
    macro: dict[str, Difference] = {}
    for metric, column in METRICS.items():
        compared: dict[str, _Compared] = {
            scenario: _Paired(scenario, metric, pairs)
            for scenario in scenarios
            if len((pairs := _paired(run[scenario], baseline[scenario], column)).ours)
        }
        for scenario in unpaired:
            sides = [_all_means(tables[scenario], column) for tables in (run, baseline)]
            if all(len(side.means) for side in sides):
                compared[scenario] = _Unpaired(scenario, metric, *sides)
        adjusted = holm([one.p for one in compared.values()])
        for (scenario, one), p_holm in zip(compared.items(), adjusted, strict=True):
            found.setdefault(scenario, {})[metric] = one.result(p_holm)
        known = len(compared) == len(found)
        macro[metric] = _averaged(list(compared.values()) if known else [])
    return Differences(scenarios=found, macro=macro)


class _Compared:
    """The difference in one metric in one scenario."""

    samples: int
    paired: bool
    null: Series
    """The difference as observed and under the null hypothesis."""
    series: Series | None
    """The difference as observed and in resamples; None for a share."""
    estimate: Estimate
    p: float | None

    def result(self, p_holm: float | None) -> Difference:
        """Returns the difference with its p-value adjusted for the other scenarios."""
        return Difference(
            difference=self.estimate, samples=self.samples, paired=self.paired,
            p=self.p, p_holm=p_holm, stars=stars(p_holm),
        )  # fmt: skip


class _Paired(_Compared):
    """The difference on the same samples."""

    paired = True

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


class _Unpaired(_Compared):
    """The difference between different samples."""

    paired = False

    def __init__(self, scenario: str, metric: str, ours: _Side, theirs: _Side) -> None:
        name = f"{metric} of {scenario}, unpaired"
        self.samples = min(len(ours.means), len(theirs.means))
        self.null = shuffle_labels(ours.means, theirs.means, name)
        self.p = permutation_test(self.null)
        if RATIOS[metric].share:
            self.series = None
            most = ours.episodes, theirs.episodes
            self.estimate = unpaired_difference(ours.means, theirs.means, most)
            return
        means = []
        for side, label in ((ours, "ours"), (theirs, "theirs")):
            rows = np.stack([side.means, np.ones_like(side.means)], axis=1)
            sums = resample(("sum", "samples"), rows, f"{name}, {label}")
            means.append(ratio(sums["sum"], sums["samples"]))
        self.series = means[0] - means[1]
        self.estimate = estimate(self.series)


def _averaged(compared: Sequence[_Compared]) -> Difference:
    if len(compared) == 1:
        return compared[0].result(compared[0].p)
    p = permutation_test(average(one.null for one in compared))
    series = [one.series for one in compared if one.series is not None]
    estimates = [one.estimate for one in compared]
    return Difference(
        difference=estimate(average(series)) if series else mean_estimate(estimates),
        samples=sum(one.samples for one in compared),
        paired=all(one.paired for one in compared),
        p=p, p_holm=p, stars=stars(p),
    )  # fmt: skip


def _all_means(table: ScenarioTable, column: str) -> _Side:
    """Returns the mean over the repeats of each sample; none if that of any sample is unknown."""
    found = list(_means(table.samples(), column).values())
    if any(isnan(mean) for mean, _ in found):
        found = []
    return _Side(np.array([mean for mean, _ in found]), sum(count for _, count in found))


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
