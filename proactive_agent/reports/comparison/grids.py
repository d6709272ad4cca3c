"""A comparison report as tables."""

from collections.abc import Sequence
from itertools import groupby

from proactive_agent.reports.comparison.difference_tables import (
    clear_rate_grids,
    difference_grids,
    help_seeking_grids,
)
from proactive_agent.reports.comparison.published_rows import published_group
from proactive_agent.reports.comparison.report import ComparisonReport
from proactive_agent.reports.tables import (
    NamedGroup,
    consistency_grids,
    macro_grids,
    scenario_grids,
    usage_grids,
)
from proactive_agent.reports.tables.grid import Grid, Group
from proactive_agent.reports.tables.rates import (
    known_scores,
    run_lines,
    scenarios_of,
    score_grid,
)
from proactive_agent.reports.targets import TABLES
from proactive_agent.settings.agent_names import names_agent


def grids(report: ComparisonReport) -> list[Grid]:
    """All tables, the most important first. A single run is shown scenario by scenario."""
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
        *clear_rate_grids(report.clear_rates),
        *help_seeking_grids(report.help_seeking),
        *macro_grids(groups),
        *details,
    ]


def _groups(report: ComparisonReport) -> list[NamedGroup]:
    """Groups the runs; next to published figures, by the data that they used."""
    if not report.published:
        agents = [names_agent(run.provider) for run in report.runs]
        if len(set(agents)) < 2:
            return [NamedGroup([(run.name, run.summary) for run in report.runs])]
        named = list(zip(report.runs, agents, strict=True))
        return [
            NamedGroup([(run.name, run.summary) for run, one in named if one is agent], heading)
            for agent, heading in ((False, "models"), (True, "agents"))
        ]
    by_data = sorted(report.runs, key=lambda run: run.data)
    return [
        NamedGroup([(run.name, run.summary) for run in runs], f"runs on: {data}")
        for data, runs in groupby(by_data, key=lambda run: run.data)
    ]


def _scores(
    score: str, report: ComparisonReport, groups: Sequence[NamedGroup], scenarios: Sequence[str]
) -> Grid:
    runs = [run_lines(group, score, scenarios) for group in groups]
    published = _published(score, report, scenarios)
    caption = (report.caption or "") if published else ""
    return score_grid(score, scenarios, [*runs, *published], caption)


def _published(score: str, report: ComparisonReport, scenarios: Sequence[str]) -> list[Group]:
    names = dict.fromkeys(row.table for row in report.published)
    return [
        published_group(name, score, scenarios) for name in names if score in TABLES[name].metrics
    ]
