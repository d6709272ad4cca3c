"""Differences between a run and a baseline, on the samples that both have played to the end.

acc and informed accuracy are tested with McNemar's exact test; psr and the averages over scenarios
with a paired permutation test. All intervals come from a paired bootstrap.
"""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from proactive_agent.metrics.measures import RATIOS
from proactive_agent.metrics.statistics import Estimate, average, estimate, ratio, resample
from proactive_agent.metrics.statistics.resampling import flip_signs
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
            scenario: _Paired(scenario, metric, differences)
            for scenario in scenarios
            if len(differences := _differences(run[scenario], baseline[scenario], column))
        }
        adjusted = holm([one.p for one in paired.values()])
        for (scenario, one), p_holm in zip(paired.items(), adjusted, strict=True):
            found.setdefault(scenario, {})[metric] = one.result(p_holm)
        known = len(paired) == len(found)
        macro[metric] = _averaged(list(paired.values()) if known else [])
    return Differences(scenarios=found, macro=macro)


class _Paired:
    """One metric's differences in one scenario."""

    def __init__(self, scenario: str, metric: str, differences: NDArray[np.float64]) -> None:
        name = f"{metric} of {scenario}, paired"
        rows = np.stack([differences, np.ones_like(differences)], axis=1)
        sums = resample(("difference", "samples"), rows, name)
        self.samples = len(differences)
        self.series = ratio(sums["difference"], sums["samples"])
        self.null = flip_signs(differences, name)
        better, worse = int((differences > 0).sum()), int((differences < 0).sum())
        share = RATIOS[metric].share
        self.p = sign_test(better, worse) if share else permutation_test(self.null)

    def result(self, p_holm: float | None) -> Difference:
        """Returns the difference with its p-value adjusted for the other scenarios."""
        return Difference(
            difference=estimate(self.series), samples=self.samples,
            p=self.p, p_holm=p_holm, stars=stars(p_holm),
        )  # fmt: skip


def _averaged(paired: Sequence[_Paired]) -> Difference:
    if len(paired) == 1:
        return paired[0].result(paired[0].p)
    p = permutation_test(average(one.null for one in paired))
    return Difference(
        difference=estimate(average(one.series for one in paired)),
        samples=sum(one.samples for one in paired), p=p, p_holm=p, stars=stars(p),
    )  # fmt: skip


def _differences(run: ScenarioTable, baseline: ScenarioTable, column: str) -> NDArray[np.float64]:
    """Returns, for each common sample, the difference of the means over its repeats.

    The array is empty if the column of any sample is unknown.
    """
    ours, theirs = _means(run.samples(), column), _means(baseline.samples(), column)
    found = np.array([ours[sample] - theirs[sample] for sample in ours if sample in theirs])
    return found if np.isfinite(found).all() else found[:0]


def _means(samples: Samples, column: str) -> dict[SampleId, float]:
    means = samples.column(column) / samples.column("episodes")
    return dict(zip(samples.ids, means.tolist(), strict=True))
