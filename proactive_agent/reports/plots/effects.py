"""The effect of a condition: each model without and with it, and the change.

Corresponds to the paper's Figures 5 and 20 (random suggestions), 6 (hint), 8 (conversation history)
and 9 (in-context learning on ROD and MVP-N). A model that picks random suggestions
as often as useful ones is not proactive: it only avoids abstaining.
"""

from collections.abc import Sequence
from typing import NamedTuple

from proactive_agent.metrics import PlayedRun
from proactive_agent.metrics.statistics.testing import STARS_MEAN
from proactive_agent.reports import published
from proactive_agent.reports.comparison.pairing import Differences, subtract
from proactive_agent.reports.matching_runs import (
    SEVERAL_TURNS,
    MatchedModels,
    ModelRuns,
    WantedConditions,
    match_models,
)
from proactive_agent.reports.plots.changes import Change, ChangePanel, ModelRow, draw_changes
from proactive_agent.reports.plots.sheet import INTERVALS, Drawing
from proactive_agent.reports.plots.values import (
    MEAN,
    Metric,
    Value,
    mean_of,
    published_value,
    relative,
    scale,
    signed,
    value_of,
)
from proactive_agent.reports.targets import Experiment

BASE = "zero-shot"


class _Effect(NamedTuple):
    """A comparison with the zero-shot condition."""

    title: str
    conditions: tuple[str, ...]
    """One condition, or two of which a model needs at least one."""
    metrics: tuple[Metric, ...] = ("acc", "psr")
    relative: bool = False
    """Whether changes are written relative to the zero-shot value."""
    by_scenario: bool = False
    """Whether each scenario gets its own panel, instead of one for their mean."""
    protocols: Sequence[str] = SEVERAL_TURNS
    tables: tuple[str, str] | None = None
    """The published tables of zero-shot and of the condition."""
    published_note: str = ""
    """Published findings without numbers per model."""

    @property
    def wanted(self) -> WantedConditions:
        """The conditions that a model must have runs of."""
        if len(self.conditions) == 1:
            return WantedConditions((BASE, *self.conditions), protocols=self.protocols)
        return WantedConditions((BASE,), self.conditions, self.protocols)

    def is_published(self, matched: MatchedModels) -> bool:
        """Whether a model has runs of the paper's experiments, zero-shot and the condition."""
        protocol = "mcqa" if "mcqa" in self.protocols else "oeg"
        base, *others = (Experiment(protocol, one) for one in (BASE, *self.conditions))
        return any(matched.has_experiments(base, other) for other in others)


_HISTORY_NOTE = (
    f"Published ({published.PAPER}), means over models on the official data: psr "
    f"{published.HISTORY.psr_without} → {published.HISTORY.psr_with}, acc "
    f"{signed(100 * published.HISTORY.acc_change, 0)} points."
)

_ICL_NOTE = (
    f"Published ({published.PAPER}), means over models on the official data, acc (psr) without, "
    "with one and with three examples: rod 14.0 (0.6), 6.7 (2.0), 12.0 (2.2); mvp-n 11.2 (0.1), "
    "11.6 (0.3), 12.2 (0.6)."
)

_RANDOM_NOTE = (
    f"Published ({published.PAPER}), without numbers: models that look proactive still pick random "
    "suggestions."
)


def draw_hint(runs: Sequence[PlayedRun], *, with_published: bool) -> Drawing:
    """Draws acc and psr without and with a hint."""
    effect = _Effect("Effect of a hint", ("hint",), tables=("table1", "table7"))
    return _draw(effect, runs, with_published)


def draw_open_ended_hint(runs: Sequence[PlayedRun], *, with_published: bool) -> Drawing:
    """Draws ps of open-ended answers without and with a hint."""
    effect = _Effect(
        "Effect of a hint on open-ended answers",
        ("hint",),
        metrics=("ps",),
        protocols=("oeg",),
        tables=("table8", "table9"),
    )
    return _draw(effect, runs, with_published)


def draw_history(runs: Sequence[PlayedRun], *, with_published: bool) -> Drawing:
    """Draws acc and psr without and with earlier turns (`mcqa` only; `tools` always has them)."""
    effect = _Effect(
        "Effect of the conversation history",
        ("history",),
        protocols=("mcqa",),
        published_note=_HISTORY_NOTE,
    )
    return _draw(effect, runs, with_published)


def draw_icl(runs: Sequence[PlayedRun], *, with_published: bool) -> Drawing:
    """Draws acc and psr without solved examples and with one and three."""
    effect = _Effect(
        "Effect of solved examples",
        ("icl:1", "icl:3"),
        by_scenario=True,
        published_note=_ICL_NOTE,
    )
    return _draw(effect, runs, with_published)


def draw_random_suggestions(runs: Sequence[PlayedRun], *, with_published: bool) -> Drawing:
    """Draws the shares of turns that ask, abstain and predict, and their relative changes."""
    return _draw(_RANDOM, runs, with_published)


def draw_random_suggestions_by_scenario(
    runs: Sequence[PlayedRun], *, with_published: bool
) -> Drawing:
    """Draws the same for each scenario."""
    return _draw(_RANDOM._replace(by_scenario=True), runs, with_published)


_RANDOM = _Effect(
    "Useful and random suggestions",
    ("random-suggestions",),
    metrics=("proactive", "abstain", "predict"),
    relative=True,
    published_note=_RANDOM_NOTE,
)


def _draw(effect: _Effect, runs: Sequence[PlayedRun], with_published: bool) -> Drawing:
    models, scenarios, left_out = matched = match_models(runs, effect.wanted)
    shown = scenarios if effect.by_scenario else [MEAN]
    places = [(metric, scenario) for scenario in shown for metric in effect.metrics]
    panels = [
        ChangePanel(metric, mean_of(scenarios) if name == MEAN else name) for metric, name in places
    ]
    rows = [_our_row(effect, model, places, scenarios) for model in models]
    tests = f"Right of each panel: the change, with a paired test ({STARS_MEAN})."
    if effect.relative:
        tests = "Right of each panel: the relative change."
    caption = [f"{INTERVALS}  {tests}", *matched.departure_notes]
    with_published = with_published and effect.is_published(matched)
    if with_published and effect.tables:
        rows += _published_rows(effect.tables, places, scenarios)
        caption.append(published.NOTE)
    if with_published and effect.published_note:
        caption.append(effect.published_note)
    figure = draw_changes(
        effect.title, (BASE, *effect.conditions), panels, rows, across=len(effect.metrics)
    )
    return Drawing(figure, caption, left_out)


_Place = tuple[Metric, str]


def _our_row(
    effect: _Effect, model: ModelRuns, places: Sequence[_Place], scenarios: Sequence[str]
) -> ModelRow:
    base = model.runs[BASE]
    others = [model.runs.get(condition) for condition in effect.conditions]
    differences = [subtract(run.tables, base.tables, scenarios) if run else None for run in others]
    changes = []
    for metric, scenario in places:
        before, *after = (
            value_of(run, metric, scenario) if run else None for run in (base, *others)
        )
        texts = [
            _change(effect, found, (metric, scenario), before, value)
            for found, value in zip(differences, after, strict=True)
        ]
        changes.append(Change([before, *after], texts))
    return ModelRow(model.name, changes)


def _change(
    effect: _Effect,
    found: Differences | None,
    place: _Place,
    before: Value | None,
    after: Value | None,
) -> str:
    if effect.relative:
        return "" if before is None or after is None else relative(before, after)
    return _paired(found, *place) or _unpaired(before, after)


def _paired(found: Differences | None, metric: str, scenario: str) -> str:
    """The change on the samples that both runs have; empty if there is none or it is untested."""
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
    tables: tuple[str, str], places: Sequence[_Place], scenarios: Sequence[str]
) -> list[ModelRow]:
    without, with_condition = tables
    rows = []
    for before in published.table(without):
        after = published.find(with_condition, before.model)
        if after is not None:
            changes = []
            for place in places:
                values = [published_value(row, *place, scenarios) for row in (before, after)]
                changes.append(Change(values, [_unpaired(*values)]))
            rows.append(ModelRow(before.model, changes, published=True))
    return rows
