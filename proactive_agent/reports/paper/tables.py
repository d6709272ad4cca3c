"""The paper's tables with our runs, followed by the published figures.

A table takes the runs of its experiment. Table 3 takes the run before training first, then the runs
after it.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Literal, NamedTuple

from pydantic import BaseModel

from proactive_agent.metrics import PlayedRun
from proactive_agent.reports import published
from proactive_agent.reports.comparison.difference_tables import difference_grids
from proactive_agent.reports.comparison.pairing import subtract
from proactive_agent.reports.comparison.published_rows import (
    TRAINING,
    caption,
    published_group,
)
from proactive_agent.reports.matching_runs import (
    SEVERAL_TURNS,
    check_same_data,
    choose_runs,
    has_experiment,
)
from proactive_agent.reports.published import PublishedModel
from proactive_agent.reports.runs import DataKind, data_label, experiment_of
from proactive_agent.reports.tables import NamedGroup
from proactive_agent.reports.tables.grid import Grid, Group
from proactive_agent.reports.tables.rates import run_lines, score_grid
from proactive_agent.reports.targets import TABLES, Experiment, TableTarget
from proactive_agent.tools import UserError

MACRO = "macro average"


class Figure(BaseModel):
    """One number of a table, for programs; shares are 0 to 1."""

    source: Literal["run", "published"]
    name: str
    config: str = ""
    run_id: str | None = None
    protocol: str
    condition: str
    data: str
    scenario: str
    """Short name, or `macro average`."""
    metric: str
    value: float | None
    low: float | None = None
    high: float | None = None


class PaperTable(NamedTuple):
    """A table for people (`grids`) and for programs (`figures`)."""

    grids: list[Grid]
    """One per metric."""
    caption: str
    """Warnings that are printed with the table."""
    figures: list[Figure]
    left_out: list[str]
    """Sentences about runs that do not fit."""


def paper_table(name: str, runs: Sequence[PlayedRun]) -> PaperTable:
    """Makes a table of the paper with these runs. Raises UserError if no run fits."""
    info = TABLES[name]
    wanted = info.experiment
    # Models can also be trained to call tools.
    protocols = SEVERAL_TURNS if name == TRAINING else (wanted.protocol,)
    chosen = choose_runs(runs, lambda run: _unfit(run, wanted, protocols), _needs(wanted))
    if name == TRAINING:
        _check_training(chosen.runs)
    rows = published.table(name)
    beside = has_experiment(chosen.runs, wanted)
    # Columns keep the order of the published table: table 3 begins with the training scenarios.
    scenarios = [scenario for scenario in rows[0].values if scenario in chosen.scenarios]
    warnings = caption(chosen.runs)
    grids = [
        score_grid(
            metric,
            scenarios,
            [
                *_ours(chosen.runs, metric, scenarios),
                *([published_group(name, metric, scenarios)] if beside else []),
            ],
            warnings,
        )
        for metric in info.metrics
    ]
    if name == TRAINING:
        before, *after = chosen.runs
        differences = {run.name: subtract(run.tables, before.tables, scenarios) for run in after}
        grids += difference_grids(before.name, differences, scenarios)
    figures = [*_our_figures(chosen.runs, info)]
    if beside:
        figures += _their_figures(rows, info, scenarios)
    return PaperTable(grids, warnings, figures, chosen.left_out)


def _unfit(run: PlayedRun, wanted: Experiment, protocols: Sequence[str]) -> str:
    """Returns the reason why a run is another experiment, or an empty string."""
    own = experiment_of(run.manifest)
    if own.protocol not in protocols:
        return f"protocol is {own.protocol}"
    if own.condition != wanted.condition:
        return f"condition is {own.condition}"
    if own.multi_turn != wanted.multi_turn:
        return f"questions are asked {'in several turns' if own.multi_turn else 'once'}"
    return ""


def _needs(wanted: Experiment) -> str:
    turns = " --multi-turn" if wanted.multi_turn else ""
    return (
        f"runs of {wanted} (run --provider … --protocol {wanted.protocol} "
        f"--condition {wanted.condition}{turns})"
    )


def _check_training(runs: Sequence[PlayedRun]) -> None:
    """Raises UserError unless there are runs before and after training that can be compared."""
    if len(runs) < 2:
        raise UserError("needs a run from before training, followed by those from after it")
    if len({run.manifest.settings.protocol for run in runs}) > 1:
        raise UserError("the runs before and after training must have the same protocol")
    check_same_data(runs)


def _ours(runs: Sequence[PlayedRun], metric: str, scenarios: Sequence[str]) -> Iterator[Group]:
    by_data = sorted(runs, key=lambda run: data_label(run.manifest))
    for data, found in groupby(by_data, key=lambda run: data_label(run.manifest)):
        named = [(run.name, run.summary) for run in found]
        yield run_lines(NamedGroup(named, f"runs on: {data}"), metric, scenarios)


def _our_figures(runs: Sequence[PlayedRun], info: TableTarget) -> Iterator[Figure]:
    for run in runs:
        manifest = run.manifest
        for scenario, rates in [*run.summary.scenarios.items(), (MACRO, run.summary.macro)]:
            for metric in info.metrics:
                yield Figure(
                    source="run",
                    name=run.name,
                    run_id=manifest.run_id,
                    protocol=manifest.settings.protocol,
                    condition=manifest.settings.condition,
                    data=data_label(manifest),
                    scenario=scenario,
                    metric=metric,
                    **getattr(rates, metric).model_dump(),
                )


def _their_figures(
    rows: Sequence[PublishedModel], info: TableTarget, scenarios: Sequence[str]
) -> Iterator[Figure]:
    for row in rows:
        for scenario in (*scenarios, MACRO):
            for metric in info.metrics:
                yield Figure(
                    source="published",
                    name=row.model,
                    config=row.config,
                    protocol=info.experiment.protocol,
                    condition=info.experiment.condition,
                    data=DataKind.OFFICIAL.value,
                    scenario=scenario,
                    metric=metric,
                    value=(
                        row.average(metric, scenarios)
                        if scenario == MACRO
                        else row.values[scenario][metric]
                    ),
                )
