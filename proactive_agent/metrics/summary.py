"""Summarises a run's episodes (`summary.json`).

acc is the share of episodes that end with the right category. psr, the proactive suggestion rate,
is the mean of turns - 1. Episodes that ended with an error count for neither; they are counted
separately.
"""

from collections.abc import Iterable, Mapping
from math import isnan

from pydantic import BaseModel

from proactive_agent.metrics.errors import ErrorKind, count_kinds
from proactive_agent.metrics.measures import ACTION_KINDS, COLUMNS, RATIOS, Episode
from proactive_agent.metrics.repeats import Consistency, Repeats
from proactive_agent.metrics.served import ServedModel, count_served
from proactive_agent.metrics.statistics import (
    Estimate,
    Series,
    average,
    estimate,
    estimate_of,
    mean_share,
    ratio,
    resample,
    share_of,
)
from proactive_agent.metrics.statistics.shares import Proportion
from proactive_agent.metrics.table import Samples, ScenarioTable, Tables, gather


class Rates(BaseModel):
    """Metrics with intervals, of a scenario or averaged over scenarios. Shares are 0 to 1."""

    acc: Estimate
    """Share of episodes that end with the right category."""
    informed: Estimate
    """Informed accuracy: share of episodes that end right on an informative frame.
    A frame is informative if no suggestion leads closer to the reference frame. Null if that is
    unknown for an episode."""
    psr: Estimate
    """Mean of turns - 1, as published; turns with a vague question do not count."""
    suggestions: Estimate
    """Mean number of accepted suggestions."""
    extra_asks: Estimate
    """Turns before the answer minus the fewest suggestions that lead to the reference frame, as a
    mean over right episodes. Below 0 if the model answered before that frame."""
    at_limit: Estimate
    """Share of episodes that asked until the turn limit."""
    right_at_once: Estimate
    """Share of episodes that are right in the first turn, without help."""
    asked_at_once: Estimate
    """Share of episodes whose first turn asks for help, possible or not."""
    proactive: Estimate
    """Share of turns that asked for an intervention, or called `ask_clarification` for one."""
    vague: Estimate
    """Share of turns that asked for help without naming a change."""
    abstain: Estimate
    predict: Estimate
    unrelated: Estimate
    """Share of turns with a message that called no tool and asked for nothing that helps."""
    invalid: Estimate
    """Share of turns with an unreadable reply."""
    cut_off: Estimate
    """Share of replies that the token limit cut off. They are scored as they are."""
    valid_calls: Estimate
    """Share of tool calls that match their schema."""
    fitting_calls: Estimate
    """Share of the valid calls that change the scene whose tool belongs to this scenario."""
    right_calls: Estimate
    """Share of the fitting calls that the state accepts."""
    parser_gap: Estimate
    """acc with the lenient parser minus acc with the official one, as far as it is known."""
    cc: Estimate
    """Open-ended: share of first answers that name the category."""
    ps: Estimate
    """Open-ended: share of first answers with a proactive suggestion."""
    agg: Estimate
    """Open-ended: share of first answers with either."""
    mean_input_tokens: Estimate
    """Mean per episode, as are the next three fields."""
    mean_output_tokens: Estimate
    mean_cost_usd: Estimate
    mean_seconds: Estimate


class Actions(BaseModel):
    """Number of turns by kind of action; see `Rates`."""

    proactive: int = 0
    vague: int = 0
    abstain: int = 0
    predict: int = 0
    unrelated: int = 0
    invalid: int = 0


class ScenarioSummary(Rates):
    """One scenario of a run."""

    samples: int
    """Samples with at least one episode without error."""
    episodes: int
    """Episodes without error."""
    errors: int
    """Episodes with an error. Of the fields below, only `turns`, tokens and costs include them."""
    correct: int
    turn_limit: int
    turns: int
    actions: Actions
    invalid_reasons: dict[str, int]
    """Number of replies that could not be read as an action, by reason."""
    finish_reasons: dict[str, int] = {}
    """Number of replies by finish reason, also of episodes with an error; see
    `providers.api.finish_reasons`."""
    cut_off_replies: int
    """Replies that the token limit cut off, also those of episodes with an error."""
    lenient_only: int
    """Replies that only the lenient parser understood."""
    parser_open: int
    """Episodes whose result with the other parser is unknown."""
    judge_problems: int
    """Open-ended answers with an unreadable judgement; they count as not met."""
    consistency: Consistency | None
    """Null if no sample was repeated."""
    input_tokens: int | None
    """Null if the count of any reply is unknown."""
    output_tokens: int | None
    cached_tokens: int | None
    reasoning_tokens: int | None
    cost_usd: float | None
    """US dollars; null if the cost of any reply is unknown."""
    judge_cost_usd: float | None
    user_cost_usd: float | None
    """Cost of a model that plays the user."""
    cache_hits: int
    """Replies that were read from the cache and cost nothing."""


class Summary(BaseModel):
    """A run's `summary.json`."""

    scenarios: dict[str, ScenarioSummary]
    macro: Rates
    """Averages over the scenarios."""
    consistency: Consistency | None
    """Averages over the scenarios with repeats."""
    errors: int
    error_kinds: list[ErrorKind]
    """The errors by kind, the most frequent first."""
    served: list[ServedModel]
    """What answered, as the API reports it; empty if it does not."""
    judges: list[str] = []
    """The judges of the open-ended answers."""
    for_smoke_tests: bool = False
    """Whether the rules judged open-ended answers. Such scores are for smoke tests."""

    @property
    def acc(self) -> Estimate:
        """The macro average of acc."""
        return self.macro.acc

    @property
    def psr(self) -> Estimate:
        """The macro average of psr."""
        return self.macro.psr


_PLAYED = ("episodes", "correct", "turn_limit", "lenient_only", "parser_open", "judge_problems")
_ALL = (
    "turns", "input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "cost_usd",
    "judge_cost_usd", "user_cost_usd", "cache_hits",
)  # fmt: skip
"""Columns whose sums in a summary include episodes with errors."""


def summarise(episodes: Iterable[Episode]) -> Summary:
    """Computes the metrics of a run. If an episode has several records, the last one counts."""
    return summarise_tables(gather(episodes))


def summarise_tables(tables: Tables) -> Summary:
    """Computes the metrics of a run from its tables."""
    samples = {name: table.samples() for name, table in tables.items()}
    series = {name: ratio_series(name, found) for name, found in samples.items()}
    repeats = {name: _repeats(name, found) for name, found in samples.items()}
    scenarios = {
        name: _scenario(table, samples[name], series[name], repeats[name])
        for name, table in tables.items()
    }
    judges = sorted({judge for table in tables.values() for judge in table.judges()})
    overall = Repeats.averaged([found for found in repeats.values() if found])
    return Summary(
        scenarios=scenarios,
        macro=_macro(scenarios, samples, series),
        consistency=overall.estimates() if overall else None,
        errors=sum(scenario.errors for scenario in scenarios.values()),
        error_kinds=count_kinds(error for table in tables.values() for error in table.errors()),
        served=count_served(served for table in tables.values() for served in table.served()),
        judges=judges,
        for_smoke_tests=any(judge.startswith("rules") for judge in judges),
    )


def ratio_series(scenario: str, samples: Samples) -> dict[str, Series]:
    """Computes every metric in RATIOS, as observed and in the resamples."""
    sums = resample(COLUMNS, samples.rows, scenario)
    return {name: ratio(sums[metric.over], sums[metric.of]) for name, metric in RATIOS.items()}


def rate(samples: Samples, name: str, series: Series) -> Estimate:
    """Estimates a metric of one scenario.

    A share gets a Wilson interval, any other metric a bootstrap interval.
    """
    if not RATIOS[name].share:
        return estimate(series)
    return estimate_of(_share(samples, name))


def _share(samples: Samples, name: str) -> Proportion | None:
    """Returns a share, or None if nothing was counted or if a part is unknown."""
    metric = RATIOS[name]
    over = samples.column(metric.over)
    return None if isnan(over.sum()) else share_of(over, samples.column(metric.of))


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
        finish_reasons=table.finish_reasons(),
        cut_off_replies=int(totals["cut_off"] or 0),
        consistency=repeats.estimates() if repeats else None,
        **{name: played[name] for name in _PLAYED},
        **{name: totals[name] for name in _ALL},
    )


def _macro(
    scenarios: Mapping[str, ScenarioSummary],
    samples: Mapping[str, Samples],
    series: Mapping[str, Mapping[str, Series]],
) -> Rates:
    rates = {}
    for name, metric in RATIOS.items():
        if any(isnan(found.column(metric.over).sum()) for found in samples.values()):
            # An average over the other scenarios would be another number under the same name.
            rates[name] = Estimate()
            continue
        own = [getattr(found, name) for found in scenarios.values()]
        known = [one for one in own if one.value is not None]
        if len(known) == 1:
            # The average over one scenario keeps that scenario's interval.
            rates[name] = known[0]
        elif metric.share:
            rates[name] = estimate_of(mean_share(_share(s, name) for s in samples.values()))
        else:
            rates[name] = estimate(average(found[name] for found in series.values()))
    return Rates(**rates)
