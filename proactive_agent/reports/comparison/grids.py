"""A report as tables."""

from collections.abc import Sequence
from itertools import groupby

from proactive_agent.reports.comparison.beside import PublishedFigures
from proactive_agent.reports.comparison.report import Report
from proactive_agent.reports.paper.published import PAPER, TABLES
from proactive_agent.reports.tables import (
    NamedGroup,
    consistency_grids,
    difference_grids,
    help_seeking_grids,
    macro_grids,
    scenario_grids,
    usage_grids,
)
from proactive_agent.reports.tables.grid import Cell, Grid, Group, Line
from proactive_agent.reports.tables.numbers import UNKNOWN, mean, percent
from proactive_agent.reports.tables.rates import (
    known_scores,
    run_lines,
    scenarios_of,
    score_grid,
)


def grids(report: Report) -> list[Grid]:
    """Every table, the most important first; one run alone is shown scenario by scenario."""
    summaries = [run.summary for run in report.runs]
    groups = _groups(report)
    details = [*consistency_grids(groups), *usage_grids(groups)]
    if len(summaries) == 1 and not report.published:
        (run,) = report.runs
        title = f"{run.name}: {run.protocol}, {run.condition}"
        return [*scenario_grids(title, run.summary), *details]
    scenarios = scenarios_of(summaries)
    return [
        *(_scores(score, report, groups, scenarios) for score in known_scores(summaries)),
        *difference_grids(report.baseline or "", report.differences, scenarios),
        *help_seeking_grids(report.help_seeking),
        *macro_grids(groups),
        *details,
    ]


def _groups(report: Report) -> list[NamedGroup]:
    """Runs under a heading that says what they were made on, where the paper's figures follow."""
    if not report.published:
        return [NamedGroup([(run.name, run.summary) for run in report.runs])]
    by_data = sorted(report.runs, key=lambda run: run.data)
    return [
        NamedGroup([(run.name, run.summary) for run in runs], f"runs on: {data}")
        for data, runs in groupby(by_data, key=lambda run: run.data)
    ]


def _scores(
    score: str, report: Report, groups: Sequence[NamedGroup], scenarios: Sequence[str]
) -> Grid:
    runs = [run_lines(group, score, scenarios) for group in groups]
    published = _published(score, report.published, scenarios)
    caption = (report.caption or "") if published else ""
    return score_grid(score, scenarios, [*runs, *published], caption)


def _published(
    score: str, figures: Sequence[PublishedFigures], scenarios: Sequence[str]
) -> list[Group]:
    groups = []
    for name, rows in groupby(figures, key=lambda row: row.table):
        lines = [
            Line(row.name, _cells(score, row, scenarios)) for row in rows if score in row.macro
        ]
        if lines:
            title = f"published, {PAPER}, on the official data: {TABLES[name].title}"
            groups.append(Group(lines, title))
    return groups


def _cells(score: str, row: PublishedFigures, scenarios: Sequence[str]) -> list[Cell]:
    write = mean if score == "psr" else percent
    known = [row.scenarios[name][score] for name in scenarios if name in row.scenarios]
    cells = [
        Cell(write(row.scenarios[name][score])) if name in row.scenarios else Cell(UNKNOWN)
        for name in scenarios
    ]
    if len(scenarios) == 1:
        return cells
    # The printed average is over all scenarios; fewer are averaged anew.
    whole = len(known) == len(row.scenarios)
    average = row.macro[score] if whole else sum(known) / len(known)
    return [*cells, Cell(write(average))]
