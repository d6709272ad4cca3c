"""`compare`: compares runs with each other and with the published results."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from proactive_agent.cli.run_handles import asked_runs, complete_run, results_folder, runs_argument

if TYPE_CHECKING:
    from proactive_agent.reports.comparison.report import ComparisonReport

FORMATS = ("table", "markdown", "latex", "csv", "json")


@click.command()
@runs_argument
@click.option(
    "--published",
    is_flag=True,
    help="Also show the published results, marked as such.",
)
@click.option(
    "--baseline",
    shell_complete=complete_run,
    metavar="RUN",
    help="Run that the others are compared with; by default the first.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="table",
    show_default=True,
    help="csv and json hold all numbers with full precision.",
)
@results_folder
def compare(
    runs: tuple[str, ...], published: bool, baseline: str | None, form: str, results: Path
) -> None:
    """Compare runs, with confidence intervals and significance tests.

    RUN is `latest`, a number that `runs` lists, part of a run's name, or its folder. Several
    are found by a pattern, such as '*oracle*'. A single run is shown scenario by scenario.

    Differences are computed on the samples that both runs have. If a run shows clear pictures
    (condition `clear`), help-seeking is measured as detection.
    """
    from proactive_agent.reports.comparison.report import find_baseline, make_report
    from proactive_agent.reports.runs import read_runs

    played = read_runs(asked_runs(runs, results))
    report = make_report(played, find_baseline(played, baseline, results), with_published=published)
    if form == "table":
        _print_tables(report)
    else:
        _write(report, form)


def _print_tables(report: "ComparisonReport") -> None:
    from proactive_agent.reports.comparison.grids import grids
    from proactive_agent.reports.tables import INTERVAL_NOTE, TerminalTable
    from proactive_agent.terminal.console import console, plain

    for grid in grids(report):
        console.print(TerminalTable(grid))
    for note in (INTERVAL_NOTE, *report.notes):
        console.print(plain(note), markup=False)


def _write(report: "ComparisonReport", form: str) -> None:
    """Writes the report to standard output and its notes to standard error."""
    from proactive_agent.reports.comparison.csv_form import csv_text
    from proactive_agent.reports.comparison.grids import grids
    from proactive_agent.reports.tables.text_forms import latex, markdown

    if form == "json":
        click.echo(report.model_dump_json(indent=2))
    elif form == "csv":
        click.echo(csv_text(report), nl=False)
    else:
        found = grids(report)
        if form == "markdown":
            tables = [markdown(grid) for grid in found]
        else:
            tables = [latex(grid, report.notes) for grid in found]
        click.echo("\n".join(tables), nl=False)
    for note in report.notes:
        click.echo(note, err=True)
