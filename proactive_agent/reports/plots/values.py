"""The numbers that plots show, from our runs and from the paper."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from proactive_agent.metrics import PlayedRun
from proactive_agent.metrics.statistics import Estimate
from proactive_agent.reports.published import PublishedModel
from proactive_agent.scenarios import SCENARIOS

Metric = Literal["acc", "psr", "ps", "proactive", "abstain", "predict"]

LABELS: dict[Metric, str] = {
    "acc": "acc (%)",
    "psr": "psr",
    "ps": "ps (%)",
    "proactive": "turns that ask (%)",
    "abstain": "turns that abstain (%)",
    "predict": "turns that predict (%)",
}

MEAN = "mean"
"""Used in place of a scenario's name for the mean over scenarios."""


class Value(NamedTuple):
    """A number as it is drawn (shares in per cent), with its confidence interval if known."""

    value: float
    low: float | None = None
    high: float | None = None

    @property
    def error(self) -> list[list[float]] | None:
        """The distances to the bounds of the interval, in matplotlib's form."""
        if self.low is None or self.high is None:
            return None
        return [[max(self.value - self.low, 0)], [max(self.high - self.value, 0)]]


def value_of(run: PlayedRun, metric: Metric, scenario: str) -> Value | None:
    """A metric of a run, in one scenario or as the mean of all."""
    rates = run.summary.macro if scenario == MEAN else run.summary.scenarios[scenario]
    return drawn(getattr(rates, metric), scale(metric))


def published_value(
    row: PublishedModel, metric: Metric, scenario: str, scenarios: Sequence[str]
) -> Value:
    """A published metric, in one scenario or as the mean of `scenarios`."""
    names = scenarios if scenario == MEAN else [scenario]
    return Value(row.macro(metric, names) * scale(metric))


def drawn(estimate: Estimate, unit: float = 100) -> Value | None:
    """Converts an estimate to the unit of the plot. None if it is unknown."""
    if estimate.value is None:
        return None
    if estimate.low is None or estimate.high is None:
        return Value(estimate.value * unit)
    return Value(estimate.value * unit, estimate.low * unit, estimate.high * unit)


def panels(scenarios: Sequence[str]) -> list[str]:
    """The scenarios, followed by the mean if there are several."""
    return [*scenarios, MEAN] if len(scenarios) > 1 else list(scenarios)


def mean_of(scenarios: Sequence[str]) -> str:
    """The title of a panel that shows only the mean."""
    if len(scenarios) == len(SCENARIOS):
        return f"mean of the {len(SCENARIOS)} scenarios"
    return f"mean of {', '.join(scenarios)}" if len(scenarios) > 1 else scenarios[0]


def signed(change: float, digits: int = 1) -> str:
    """Writes a change with its sign."""
    return f"{change:+.{digits}f}".replace("-", "\N{MINUS SIGN}")


def relative(before: Value, after: Value) -> str:
    """Writes the change in per cent of the value before; a dash if that is 0."""
    if before.value == 0:
        return "\N{EN DASH}"
    return signed(100 * (after.value / before.value - 1), 0) + "%"


def scale(metric: str) -> float:
    """The factor from a recorded or published number to the unit of the plot."""
    return 1 if metric == "psr" else 100
