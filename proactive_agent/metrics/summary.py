"""What a run's episodes amount to (`summary.json`).

acc is the share of episodes that end with the right category; psr, the proactive suggestion rate,
is the mean of turns - 1.  Episodes that met an error count for neither; they are counted apart.
"""

from collections.abc import Iterable, Mapping
from math import isnan

from pydantic import BaseModel

from proactive_agent.metrics.measures import ACTION_KINDS, COLUMNS, RATIOS, Episode
from proactive_agent.metrics.repeats import Consistency, Repeats
from proactive_agent.metrics.statistics import (
    Estimate,
    Series,
    average,
    estimate,
    ratio,
    resample,
    share,
)
from proactive_agent.metrics.table import Samples, ScenarioTable, Tables, gather


class Rates(BaseModel):
    """Metrics with their intervals, of a scenario or averaged over scenarios; shares are 0 to 1."""

    acc: Estimate
    """Share of episodes that end with the right category."""
    psr: Estimate
    """Mean of turns - 1, as published."""
    suggestions: Estimate
    """Mean of suggestions made and accepted."""
    efficiency: Estimate
    """Suggestions made and accepted, to the fewest that lead to the reference frame; of episodes
    that asked and are right.  Below 1 where less than that frame did."""
    at_limit: Estimate
    """Share of episodes that asked until the turn limit."""
    right_at_once: Estimate
    """Share of episodes that are right in the first turn: what needed no help."""
    asked_at_once: Estimate
    """Share of episodes whose first turn asks for help, be it possible or not."""
    proactive: Estimate
    """Share of turns that asked for an intervention, or called `ask_clarification`."""
    abstain: Estimate
    predict: Estimate
    unrelated: Estimate
    """Share of turns with a message that called no tool and asked for nothing that helps."""
    invalid: Estimate
    """Share of turns that could not be read."""
    valid_calls: Estimate
    """Share of tool calls that their schema lets pass."""
    fitting_calls: Estimate
    """Of the valid calls that change the scene: share of tools that this scenario has."""
    right_calls: Estimate
    """Of these: share that the state accepts, as they are."""
    parser_gap: Estimate
    """What the lenient parser adds to acc of the official one, as far as the records tell."""
    cc: Estimate
    """Open-ended: share of first answers that name the category."""
    ps: Estimate
    """Open-ended: share of first answers with a proactive suggestion."""
    agg: Estimate
    """Open-ended: share of first answers with either."""
    mean_input_tokens: Estimate
    """Per episode, like the three below."""
    mean_output_tokens: Estimate
    mean_cost_usd: Estimate
    mean_seconds: Estimate


class Actions(BaseModel):
    """How many turns did what; see `Rates`."""

    proactive: int = 0
    abstain: int = 0
    predict: int = 0
    unrelated: int = 0
    invalid: int = 0


class ScenarioSummary(Rates):
    """One scenario of a run."""

    samples: int
    """With at least one episode that was played to its end."""
    episodes: int
    """Played to their end."""
    errors: int
    """Counted in nothing below but `turns`, tokens and costs."""
    correct: int
    turn_limit: int
    turns: int
    actions: Actions
    invalid_reasons: dict[str, int]
    """Replies that stand for no action."""
    lenient_only: int
    """Replies that only the lenient parser understood."""
    parser_open: int
    """Episodes of which nobody knows how they would have gone on by the other parser."""
    judge_problems: int
    """Open-ended answers whose judge could not be read; they count as nothing met."""
    consistency: Consistency | None
    """Null where no sample was played twice."""
    input_tokens: int | None
    """Null where any reply's count is unknown."""
    output_tokens: int | None
    cached_tokens: int | None
    reasoning_tokens: int | None
    cost_usd: float | None
    """US dollars; null where any reply's cost is unknown."""
    judge_cost_usd: float | None
    cache_hits: int
    """Replies that were on disk and cost nothing."""


class Summary(BaseModel):
    """A run's `summary.json`."""

    scenarios: dict[str, ScenarioSummary]
    macro: Rates
    """Averages over the scenarios."""
    consistency: Consistency | None
    """Averages over the scenarios with repeats."""
    errors: int

    @property
    def acc(self) -> Estimate:
        """Macro average."""
        return self.macro.acc

    @property
    def psr(self) -> Estimate:
        """Macro average."""
        return self.macro.psr


_PLAYED = ("episodes", "correct", "turn_limit", "lenient_only", "parser_open", "judge_problems")
_ALL = (
    "turns", "input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "cost_usd",
    "judge_cost_usd", "cache_hits",
)  # fmt: skip
"""Columns of which a summary has the sum over episodes with errors, too."""


def summarise(episodes: Iterable[Episode]) -> Summary:
    """The metrics of a run; of an episode that comes twice the later counts."""
    return summarise_tables(gather(episodes))


def summarise_tables(tables: Tables) -> Summary:
    """The metrics of a run's tables."""
    samples = {name: table.samples() for name, table in tables.items()}
    series = {name: ratio_series(name, found) for name, found in samples.items()}
    repeats = {name: _repeats(name, found) for name, found in samples.items()}
    scenarios = {
        name: _scenario(table, samples[name], series[name], repeats[name])
        for name, table in tables.items()
    }
    overall = Repeats.averaged([found for found in repeats.values() if found])
    return Summary(
        scenarios=scenarios,
        macro=_macro(scenarios, series),
        consistency=overall.estimates() if overall else None,
        errors=sum(scenario.errors for scenario in scenarios.values()),
    )


def ratio_series(scenario: str, samples: Samples) -> dict[str, Series]:
    """Every metric of RATIOS as observed and resampled."""
    sums = resample(COLUMNS, samples.rows, scenario)
    return {name: ratio(sums[metric.over], sums[metric.of]) for name, metric in RATIOS.items()}


def rate(samples: Samples, name: str, series: Series) -> Estimate:
    """A metric of one scenario: Wilson's interval where it is a share of independent trials."""
    metric = RATIOS[name]
    over, of = samples.column(metric.over), samples.column(metric.of)
    if metric.share and of.max(initial=0) <= 1:
        return share(int(over.sum()), int(of.sum()))
    return estimate(series)


def _repeats(scenario: str, samples: Samples) -> Repeats | None:
    return Repeats.of(scenario, samples.column("correct"), samples.column("episodes"))


def _scenario(
    table: ScenarioTable, samples: Samples, series: Mapping[str, Series], repeats: Repeats | None
) -> ScenarioSummary:
    played = dict(zip(COLUMNS, samples.rows.sum(axis=0).tolist(), strict=True))
    totals = {name: None if isnan(total) else total for name, total in samples.totals.items()}
    return ScenarioSummary(
        **{name: rate(samples, name, found) for name, found in series.items()},
        samples=len(samples.ids),
        errors=len(table) - int(played["episodes"]),
        actions=Actions(**{kind: played[kind] for kind in ACTION_KINDS}),
        invalid_reasons=table.reasons(),
        consistency=repeats.estimates() if repeats else None,
        **{name: played[name] for name in _PLAYED},
        **{name: totals[name] for name in _ALL},
    )


def _macro(
    scenarios: Mapping[str, ScenarioSummary], series: Mapping[str, Mapping[str, Series]]
) -> Rates:
    rates = {}
    for name in RATIOS:
        own = [getattr(found, name) for found in scenarios.values()]
        known = [one for one in own if one.value is not None]
        averaged = average(found[name] for found in series.values())
        # The average over one scenario is that scenario's number, with its interval.
        rates[name] = known[0] if len(known) == 1 else estimate(averaged)
    return Rates(**rates)
