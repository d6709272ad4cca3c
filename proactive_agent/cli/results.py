"""The tables that `run` prints when it has ended: one run's scores, or a comparison of its runs."""

from collections.abc import Sequence
from dataclasses import replace

from proactive_agent.metrics import PlayedRun, Summary
from proactive_agent.reports.agents import agent_notes
from proactive_agent.reports.comparison.difference_tables import (
    clear_rate_grids,
    help_seeking_grids,
)
from proactive_agent.reports.comparison.help_seeking import (
    clear_rate_notes,
    clear_rates,
    help_seeking,
    left_out_notes,
)
from proactive_agent.reports.data_notes import data_notes
from proactive_agent.reports.tables import (
    INTERVAL_NOTE,
    NamedGroup,
    TerminalTable,
    consistency_grids,
    reply_notes,
    scenario_grids,
    score_grids,
    summary_notes,
    usage_grids,
)
from proactive_agent.settings.condition_label import parts_of
from proactive_agent.terminal.console import console, plain


def show_results(runs: Sequence[PlayedRun]) -> None:
    """Prints the results of runs, in the order in which they were played."""
    if not runs:
        return
    groups = _groups(runs)
    if len(runs) == 1:
        (one,) = runs
        title = f"{one.manifest.settings.shown_provider}: {one.method}"
        grids = [scenario_grids(title, one.summary)[0], *consistency_grids(groups)]
        notes = [
            *clear_rate_notes(clear_rates(runs)),
            *left_out_notes(runs),
            *summary_notes(one.summary),
        ]
    else:
        pairs = help_seeking_grids(help_seeking(_pairable(runs)))
        labelled = [replace(run, name=f"{run.name} {run.method}") for run in runs]
        rates = clear_rates(labelled)
        grids = [
            *score_grids(groups), *clear_rate_grids(rates), *consistency_grids(groups),
            *usage_grids(groups), *pairs,
        ]  # fmt: skip
        named = [(f"{run.name} {run.method}", run.summary) for run in runs]
        notes = [
            INTERVAL_NOTE, *clear_rate_notes(rates), *left_out_notes(runs), *reply_notes(named),
        ]  # fmt: skip
    manifests = [run.manifest for run in runs]
    notes += [*data_notes(manifests), *agent_notes(manifests)]
    for grid in grids:
        console.print(TerminalTable(grid))
    for note in notes:
        console.print(plain(note), markup=False)


def _groups(runs: Sequence[PlayedRun]) -> list[NamedGroup]:
    """Groups the models by protocol and condition; for a single model, lists those instead."""
    if len({run.name for run in runs}) == 1 and len({run.method for run in runs}) > 1:
        return [NamedGroup([(one.method, one.summary) for one in runs], runs[0].name)]
    methods: dict[str, list[tuple[str, Summary]]] = {}
    for run in runs:
        methods.setdefault(run.method, []).append((run.name, run.summary))
    return [NamedGroup(models, method) for method, models in methods.items()]


def _pairable(runs: Sequence[PlayedRun]) -> list[PlayedRun]:
    """The runs that the help-seeking tables compare: all, if one of them shows clear pictures."""
    if not any("clear" in parts_of(run.manifest.settings.condition) for run in runs):
        return []
    return [replace(run, name=f"{run.name} {run.manifest.settings.condition}") for run in runs]
