"""What a condition changes: each model before and after, with the change beside it.

In kind the paper's Figure 5 (hint), Figure 6 (conversation history), Figure 8 (in-context learning
on ROD and MVP-N) and Figure 9 (random suggestions: a model that asks as often for what cannot help
merely avoids to abstain).
"""

from collections.abc import Sequence
from typing import NamedTuple

from proactive_agent.metrics import PlayedRun
from proactive_agent.metrics.statistics.testing import STARS_MEAN
from proactive_agent.reports import published
from proactive_agent.reports.comparison.pairing import Differences, subtract
from proactive_agent.reports.matching_runs import SEVERAL_TURNS, Trial, Wanted, bring_together
from proactive_agent.reports.plots.changes import Change, Column, Row, draw_changes
from proactive_agent.reports.plots.sheet import INTERVALS, Drawing
from proactive_agent.reports.plots.values import (
    MEAN,
    Metric,
    Value,
    mean_of,
    published_value,
    scale,
    signed,
    value_of,
)

BASE = "zero-shot"


class _Effect(NamedTuple):
    """A comparison with the zero-shot condition."""

    title: str
    conditions: tuple[str, ...]
    """One, or two of which at least one is needed."""
    metrics: tuple[Metric, ...] = ("acc", "psr")
    by_scenario: bool = False
    """Whether scenarios are shown, not their mean."""
    protocols: Sequence[str] = SEVERAL_TURNS
    table: published.TableName | None = None
    """Published figures with the condition."""
    remark: str = ""
    """What was published without figures of single models."""

    @property
    def wanted(self) -> Wanted:
        """The runs that it takes."""
        if len(self.conditions) == 1:
            return Wanted((BASE, *self.conditions), protocols=self.protocols)
        return Wanted((BASE,), self.conditions, self.protocols)


_HISTORY_REMARK = (
    f"Published ({published.PAPER}), means over models on the official data: psr "
    f"{published.HISTORY.psr_without} → {published.HISTORY.psr_with}, acc "
    f"{signed(100 * published.HISTORY.acc_change, 0)} points."
)

_RANDOM_REMARK = (
    f"Published ({published.PAPER}) in words: models that look proactive still pick random "
    "suggestions."
)


def draw_hint(runs: Sequence[PlayedRun], *, with_published: bool) -> Drawing:
    """acc and psr with a hint."""
    effect = _Effect("What a hint changes", ("hint",), table="table7")
    return _draw(effect, runs, with_published)


def draw_history(runs: Sequence[PlayedRun], *, with_published: bool) -> Drawing:
    """acc and psr with the conversation so far; tools keep it anyway."""
    effect = _Effect(
        "What the conversation so far changes",
        ("history",),
        protocols=("mcqa",),
        remark=_HISTORY_REMARK,
    )
    return _draw(effect, runs, with_published)


def draw_icl(runs: Sequence[PlayedRun], *, with_published: bool) -> Drawing:
    """acc and psr after one and three solved examples."""
    effect = _Effect("What solved examples change", ("icl:1", "icl:3"), by_scenario=True)
    return _draw(effect, runs, with_published)


def draw_random_suggestions(runs: Sequence[PlayedRun], *, with_published: bool) -> Drawing:
    """Who asks at once, and acc, where suggestions cannot help."""
    effect = _Effect(
        "Suggestions that can help, and random ones",
        ("random-suggestions",),
        metrics=("asked_at_once", "acc"),
        remark=_RANDOM_REMARK,
    )
    return _draw(effect, runs, with_published)


def _draw(effect: _Effect, runs: Sequence[PlayedRun], with_published: bool) -> Drawing:
    trials, scenarios, left_out = together = bring_together(runs, effect.wanted)
    shown = scenarios if effect.by_scenario else [MEAN]
    places = [(metric, scenario) for scenario in shown for metric in effect.metrics]
    columns = [
        Column(metric, mean_of(scenarios) if name == MEAN else name) for metric, name in places
    ]
    rows = [_our_row(effect, trial, places, scenarios) for trial in trials]
    how = f"{INTERVALS}  Right of each panel the change, with paired tests: {STARS_MEAN}."
    notes = [how, *together.departure_notes]
    if with_published and effect.table:
        rows += _published_rows(effect.table, places, scenarios)
        notes.append(published.NOTE)
    if with_published and effect.remark:
        notes.append(effect.remark)
    figure = draw_changes(
        effect.title, (BASE, *effect.conditions), columns, rows, notes, across=len(effect.metrics)
    )
    return Drawing(figure, left_out)


_Place = tuple[Metric, str]


def _our_row(
    effect: _Effect, trial: Trial, places: Sequence[_Place], scenarios: Sequence[str]
) -> Row:
    base = trial.runs[BASE]
    others = [trial.runs.get(condition) for condition in effect.conditions]
    differences = [subtract(run.tables, base.tables, scenarios) if run else None for run in others]
    changes = []
    for metric, scenario in places:
        before, *after = (
            value_of(run, metric, scenario) if run else None for run in (base, *others)
        )
        texts = [
            _paired(found, metric, scenario) or _unpaired(before, value)
            for found, value in zip(differences, after, strict=True)
        ]
        changes.append(Change([before, *after], texts))
    return Row(trial.name, changes)


def _paired(found: Differences | None, metric: str, scenario: str) -> str:
    """The change on the samples that both runs have; empty where it was not tested."""
    if found is None:
        return ""
    by_metric = found.macro if scenario == MEAN else found.scenarios.get(scenario, {})
    one = by_metric.get(metric)
    if one is None or one.difference.value is None:
        return ""
    return signed(one.difference.value * scale(metric)) + one.stars


def _unpaired(before: Value | None, after: Value | None) -> str:
    return "" if before is None or after is None else signed(after.value - before.value)


def _published_rows(
    with_condition: published.TableName, places: Sequence[_Place], scenarios: Sequence[str]
) -> list[Row]:
    rows = []
    for before in published.table("table1"):
        after = published.find(with_condition, before.model)
        if after is not None:
            changes = []
            for place in places:
                values = [published_value(row, *place, scenarios) for row in (before, after)]
                changes.append(Change(values, [_unpaired(*values)]))
            rows.append(Row(before.model, changes, published=True))
    return rows
