"""Computes how many samples a test needs to find a difference between two models.

`python -m proactive_agent.metrics.statistics.power` prints the table of docs/fresh.md.
"""

from math import ceil, sqrt
from statistics import NormalDist

from proactive_agent.metrics.statistics.estimate import LEVEL

POWER = 0.8
"""Probability with which a test should find a true difference."""

DIFFERENCES = (0.10, 0.05, 0.03)
DISAGREEMENTS = (0.1, 0.2, 0.3, 0.4)


def paired_samples(difference: float, disagreement: float, power: float = POWER) -> int:
    """Returns how many samples both models must play for McNemar's test (Connor 1987).

    `difference` is that of the two shares of right answers, and `disagreement` is the share of
    samples on which one model is right and the other is wrong. Only these samples count for the
    test. Raises ValueError if the disagreement is smaller than the difference.
    """
    if not 0 < difference <= disagreement <= 1:
        raise ValueError(f"{difference} of {disagreement}: expected 0 < difference <= disagreement")
    spread = z(power) * sqrt(max(disagreement - difference**2, 0))
    return ceil(((z((1 + LEVEL) / 2) * sqrt(disagreement) + spread) / difference) ** 2)


def unpaired_samples(difference: float, share: float = 0.5, power: float = POWER) -> int:
    """Returns how many samples each model must play if the two play different samples.

    `share` is the mean of the two shares of right answers. At 0.5, most samples are needed.
    """
    low, high = share - difference / 2, share + difference / 2
    if not (0 <= low < high <= 1):
        raise ValueError(f"shares from {low} to {high}: expected 0 to 1")
    both = z((1 + LEVEL) / 2) * sqrt(2 * share * (1 - share))
    spread = z(power) * sqrt(low * (1 - low) + high * (1 - high))
    return ceil(((both + spread) / difference) ** 2)


def z(share: float) -> float:
    """Returns the quantile of the normal distribution."""
    return NormalDist().inv_cdf(share)


def table() -> str:
    """Returns the samples needed as a Markdown table."""
    heads = ["difference", *(f"paired, {d:.0%} disagree" for d in DISAGREEMENTS), "unpaired"]
    lines = [heads, ["---"] * len(heads)]
    for difference in DIFFERENCES:
        paired = [
            f"{paired_samples(difference, d):,}" if d > difference else "-" for d in DISAGREEMENTS
        ]
        points = f"{100 * difference:g} points"
        lines.append([points, *paired, f"{unpaired_samples(difference):,} each"])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    print(table())
