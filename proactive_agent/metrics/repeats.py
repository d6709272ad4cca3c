"""Metrics of repeated samples: pass^k, and the variance within and between samples.

pass^k is the probability that k repeats of a sample are all right. Its unbiased estimate from c
right repeats of n is C(c, k) / C(n, k). Samples with fewer than k repeats do not count.
"""

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from proactive_agent.metrics.statistics import Estimate, Series, average, estimate, ratio, resample

EVERY_K_UP_TO = 8
"""Up to this k, pass^k is reported for every k; above, for powers of two and the last k."""


class Consistency(BaseModel):
    """Metrics of samples that were played more than once."""

    pass_hat: dict[int, Estimate]
    """pass^k by k; pass^1 is the mean share of right repeats."""
    within: Estimate
    """Variance of right (1) and wrong (0) among the repeats of a sample."""
    between: Estimate
    """Variance between samples, without the part that is due to the repeats."""


class Repeats:
    """The series behind `Consistency`, of one scenario or averaged over several."""

    def __init__(self, pass_hat: dict[int, Series], within: Series, between: Series) -> None:
        self._pass_hat, self._within, self._between = pass_hat, within, between

    @classmethod
    def of(
        cls, scenario: str, right: NDArray[np.float64], played: NDArray[np.float64]
    ) -> "Repeats | None":
        """Computes the series from the right and all repeats per sample; None without repeats."""
        from scipy.special import comb

        most = int(played.max(initial=0))
        if most < 2:
            return None
        ks = [k for k in range(1, most + 1) if k <= EVERY_K_UP_TO or k == most or not k & (k - 1)]
        share = right / played
        again = played > 1
        # The unbiased estimate of the variance of each sample's share.
        noise = np.where(again, share * (1 - share) / np.maximum(played - 1, 1), 0)
        columns = {
            "samples": again, "share": share * again, "squared": share**2 * again,
            "noise": noise, "within": noise * played,
        }  # fmt: skip
        for k in ks:
            columns[f"all {k}"] = comb(right, k) / np.maximum(comb(played, k), 1)
            columns[f"tried {k}"] = played >= k
        rows = np.stack([*columns.values()], axis=1).astype(np.float64)
        sums = resample(list(columns), rows, f"repeats of {scenario}")
        samples = sums["samples"]
        spread = ratio(sums["squared"] - ratio(sums["share"] ** 2, samples), samples - 1)
        between = np.maximum(spread - ratio(sums["noise"], samples), 0)
        pass_hat = {k: ratio(sums[f"all {k}"], sums[f"tried {k}"]) for k in ks}
        return cls(pass_hat, ratio(sums["within"], samples), between)

    @classmethod
    def averaged(cls, scenarios: "list[Repeats]") -> "Repeats | None":
        """Averages over scenarios; None without scenarios."""
        if not scenarios:
            return None
        common = [k for k in scenarios[0]._pass_hat if all(k in s._pass_hat for s in scenarios)]
        return cls(
            {k: average(s._pass_hat[k] for s in scenarios) for k in common},
            average(s._within for s in scenarios),
            average(s._between for s in scenarios),
        )

    def estimates(self) -> Consistency:
        """Returns the estimates with their intervals."""
        return Consistency(
            pass_hat={k: estimate(series) for k, series in self._pass_hat.items()},
            within=estimate(self._within),
            between=estimate(self._between),
        )
