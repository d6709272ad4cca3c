"""`runs`: lists the runs of a results folder, with the numbers by which they can be named."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from proactive_agent.cli.run_handles import results_folder

if TYPE_CHECKING:
    from rich.table import Table

    from proactive_agent.records.handles import ListedRun


HEADINGS = ("#", "model", "protocol", "condition", "data", "episodes", "acc", "psr", "state")
FOLDED = {"model": 9, "condition": 9, "data": 7, "state": 11}
"""Columns that are folded in a narrow terminal, with their least width in characters."""

LONGEST = 200
"""Characters of a text in the table."""


@click.command()
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    metavar="N",
    help="At most N runs.",
)
@click.option("--paths", is_flag=True, help="Print only the numbers and the folders.")
@results_folder
def runs(limit: int, paths: bool, results: Path) -> None:
    """List runs, the latest first.

    Other commands accept these numbers, `latest` (number 1), `latest~1` (the run before it), a
    part of a run's name, or its folder. `acc` and `psr` are averages over the scenarios.
    """
    from proactive_agent.records.handles import list_runs
    from proactive_agent.terminal.console import console, messages, safe

    listed = list_runs(results)
    if not listed:
        messages.print(safe(f"{results} holds no runs"), soft_wrap=True)
        return
    if paths:
        for number, run in enumerate(listed[:limit], 1):
            console.print(safe(f"{number:>3}  {run.folder.path}"), soft_wrap=True)
    else:
        console.print(_table(listed[:limit]))
    if len(listed) > limit:
        messages.print(f"{len(listed) - limit:,} more (--limit {len(listed)})", markup=False)


def _table(listed: "Sequence[ListedRun]") -> "Table":
    from rich import box
    from rich.table import Table

    from proactive_agent.reports.run_overview import overview
    from proactive_agent.terminal.console import safe

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in HEADINGS:
        table.add_column(
            heading,
            justify="right" if heading in ("#", "episodes", "acc", "psr") else "left",
            no_wrap=heading not in FOLDED,
            overflow="fold",
            min_width=FOLDED.get(heading),
        )
    for number, run in enumerate(listed, 1):
        cells = [str(number) if run.manifest else "", *overview(run)]
        table.add_row(*(safe(cell[:LONGEST]) for cell in cells))
    return table
