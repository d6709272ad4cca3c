"""Published results next to our runs. Each is shown with the data that it was measured on."""

from collections.abc import Collection, Sequence
from typing import Literal

from pydantic import BaseModel

from proactive_agent.metrics import PlayedRun
from proactive_agent.records.manifest import Manifest
from proactive_agent.reports.departures import other_departure_notes
from proactive_agent.reports.published import NOTE, PAPER, table
from proactive_agent.reports.runs import DataKind, data_label, experiment_of
from proactive_agent.reports.tables import mean, percent
from proactive_agent.reports.tables.grid import Cell, Group, Line
from proactive_agent.reports.targets import TABLES, Experiment

TRAINING = "table3"
"""The table of models before and after training."""


class PublishedFigures(BaseModel):
    """A model's row in one of the paper's tables."""

    name: str
    """The model's name; in table 3 with the configuration: `original`, `rp=0.5`, …"""
    source: Literal["published"] = "published"
    paper: str = PAPER
    table: str
    protocol: str
    condition: str
    data: str = DataKind.OFFICIAL.value
    scenarios: dict[str, dict[str, float]]
    """Numbers by scenario, then by metric; shares are 0 to 1."""
    macro: dict[str, float]
    """The averages that the paper prints, by metric."""


def published_figures(runs: Sequence[PlayedRun]) -> list[PublishedFigures]:
    """The rows of the published tables that have the same experiment as one of the runs.

    Table 3 (before and after training) is chosen for runs of trained models and of their base
    models.
    """
    manifests = [run.manifest for run in runs]
    studied = {model for manifest in manifests for model in _before_and_after(manifest)}
    found = {_table_of(manifest, studied) for manifest in manifests}
    names = [name for name in TABLES if name in found]
    return [
        PublishedFigures(
            name=row.name,
            table=name,
            protocol=TABLES[name].experiment.protocol,
            condition=TABLES[name].experiment.condition,
            scenarios=row.values,
            macro=row.printed,
        )
        for name in names
        for row in table(name)
    ]


def unpublished_notes(runs: Sequence[PlayedRun]) -> list[str]:
    """Names the runs for whose experiment the paper has no table."""
    experiments: dict[Experiment, list[str]] = {}
    for run in runs:
        if _table_of(run.manifest) is None:
            experiments.setdefault(experiment_of(run.manifest), []).append(run.name)
    return [
        f"The paper has no table of this experiment ({experiment}): {', '.join(names)}."
        for experiment, names in experiments.items()
    ]


def published_group(name: str, score: str, scenarios: Sequence[str]) -> Group:
    """The rows of a published table for one score: a cell per scenario, then their average."""
    write = mean if score == "psr" else percent
    lines = []
    for row in table(name):
        values = [row.values[scenario][score] for scenario in scenarios]
        if len(scenarios) > 1:
            values.append(row.average(score, scenarios))
        lines.append(Line(row.name, [Cell(write(value)) for value in values]))
    return Group(lines, f"published, {PAPER}, on the official data: {TABLES[name].title}")


def caption(runs: Sequence[PlayedRun]) -> str:
    """Warnings and notes for every table that shows these runs next to published figures."""
    others = sorted({data_label(run.manifest) for run in runs} - {DataKind.OFFICIAL})
    warning = f"NOT COMPARABLE with the published figures: runs on {' and '.join(others)}."
    # The warning replaces the notes on the data.
    departures = other_departure_notes(runs, unfiltered=True)
    return " ".join([*([warning] if others else []), NOTE, *departures])


def _before_and_after(manifest: Manifest) -> tuple[object, ...]:
    """A trained model and its base model; empty for a model that was not trained here."""
    training = manifest.provider.get("training")
    return (manifest.provider.get("model"), training.get("model")) if training else ()


def _table_of(manifest: Manifest, studied: Collection[object] = ()) -> str | None:
    """The published table of a run's experiment, or None.

    `studied` are the models that are compared before and after training. Where two tables hold the
    same numbers, the fuller one is chosen.
    """
    wanted = experiment_of(manifest)
    names = [name for name, table in TABLES.items() if table.experiment == wanted]
    if TRAINING in names and manifest.provider.get("model") in studied:
        return TRAINING
    others = [name for name in names if name != TRAINING]
    return max(others, key=lambda name: len(TABLES[name].metrics), default=None)
