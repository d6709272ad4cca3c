"""How a call of `run` ends: one run's table, or its runs side by side."""

from collections.abc import Sequence
from typing import NamedTuple

from proactive_agent.metrics import Summary, gather
from proactive_agent.records.manifest import Settings
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.reports.comparison.help_seeking import help_seeking
from proactive_agent.reports.runs import Played
from proactive_agent.reports.tables import (
    EMBEDDED_NOTE,
    INTERVAL_NOTE,
    NamedGroup,
    TerminalTable,
    consistency_grids,
    help_seeking_grids,
    scenario_grids,
    score_grids,
    summary_notes,
    usage_grids,
)
from proactive_agent.terminal.console import console, messages


class Result(NamedTuple):
    """A run, and what it amounts to."""

    settings: Settings
    summary: Summary
    embedded: bool
    folder: RunFolder
    label: str | None = None
    """What its model is called; by default as it was asked for."""

    @property
    def model(self) -> str:
        """The model's name in a table."""
        return self.label or self.settings.provider.removeprefix("baseline:")

    @property
    def way(self) -> str:
        """How the model was tried."""
        return f"{self.settings.protocol}, {self.settings.condition}"


def show_results(results: Sequence[Result]) -> None:
    """Shows runs in the order of their playing."""
    if not results:
        return
    embedded = any(result.embedded for result in results)
    groups = _groups(results)
    if len(results) == 1:
        (one,) = results
        title = f"{one.settings.provider}: {one.way}"
        grids = [scenario_grids(title, one.summary)[0], *consistency_grids(groups)]
        notes = summary_notes(one.summary, embedded=embedded)
    else:
        seeking = help_seeking_grids(help_seeking(_pairable(results)))
        grids = [*score_grids(groups), *consistency_grids(groups), *usage_grids(groups), *seeking]
        notes = [INTERVAL_NOTE, EMBEDDED_NOTE] if embedded else [INTERVAL_NOTE]
    for grid in grids:
        console.print(TerminalTable(grid))
    for note in notes:
        console.print(note, markup=False)
    if len(results) == 1:
        messages.print(f"more: compare {results[0].folder.path}", markup=False, soft_wrap=True)


def _groups(results: Sequence[Result]) -> list[NamedGroup]:
    """Models below the way in which they were tried; of a single model the ways below it."""
    if len({result.model for result in results}) == 1 and len({r.way for r in results}) > 1:
        return [NamedGroup([(one.way, one.summary) for one in results], results[0].model)]
    ways: dict[str, list[tuple[str, Summary]]] = {}
    for result in results:
        ways.setdefault(result.way, []).append((result.model, result.summary))
    return [NamedGroup(runs, way) for way, runs in ways.items()]


def _pairable(results: Sequence[Result]) -> list[Played]:
    """The runs, read again, if one of them shows clear pictures."""
    if not any("clear" in result.settings.condition.split("+") for result in results):
        return []
    return [
        Played(
            f"{result.model} {result.settings.condition}",
            result.folder.read_manifest(),
            gather(result.folder.scan()),
            result.summary,
        )
        for result in results
    ]
