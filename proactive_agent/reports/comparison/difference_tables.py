"""Tables of differences between runs, and of help-seeking measured on pairs of runs."""

from collections.abc import Mapping, Sequence

from proactive_agent.metrics.statistics.testing import STARS_MEAN
from proactive_agent.reports.comparison.help_seeking import ClearRate, HelpSeeking, HelpSeekingPair
from proactive_agent.reports.comparison.pairing import Difference, Differences
from proactive_agent.reports.tables.grid import Cell, Grid, Group, Line
from proactive_agent.reports.tables.numbers import (
    UNKNOWN,
    bounds_cell,
    change_cell,
    percent_cell,
    points_cell,
)
from proactive_agent.scenarios import SCENARIOS

_WRITE = {"acc": points_cell, "informed": points_cell, "psr": change_cell}
_UNITS = {"acc": "acc, points", "informed": "informed, points", "psr": "psr"}

_DETECTION = "help-seeking as detection"
_MEASURES = (
    "asks if\nneeded %",
    "asks if\nclear %",
    "balanced\nacc %",
    "F1 %",
    "d′",
    "d′ is\nat most",
)


def difference_grids(
    baseline: str, differences: Mapping[str, Differences], scenarios: Sequence[str]
) -> list[Grid]:
    """Makes a table per score: a line per run, a column per scenario, and one for the average."""
    if not differences:
        return []
    titles = [SCENARIOS[name].title for name in scenarios]
    columns = [*titles, "mean"] if len(titles) > 1 else titles
    grids = []
    for metric, unit in _UNITS.items():
        if not any(
            metric in one for found in differences.values() for one in found.scenarios.values()
        ):
            continue
        lines = [
            Line(name, _cells(found, metric, scenarios)[: len(columns)])
            for name, found in differences.items()
        ]
        title = f"{unit}: difference to {baseline}"
        grids.append(Grid(title, columns, [Group(lines)], STARS_MEAN))
    return grids


def _cells(found: Differences, metric: str, scenarios: Sequence[str]) -> list[Cell]:
    """Returns a cell per scenario, followed by the average."""
    cells = [found.scenarios.get(scenario, {}).get(metric) for scenario in scenarios]
    return [_cell(one, metric) for one in (*cells, found.macro.get(metric))]


def _cell(found: Difference | None, metric: str) -> Cell:
    return Cell(UNKNOWN) if found is None else _WRITE[metric](found.difference, found.stars)


def clear_rate_grids(rates: Sequence[ClearRate]) -> list[Grid]:
    """Makes the table of ps beside the rate on clear frames: a line per open-ended run."""
    lines = [Line(one.run, [percent_cell(one.ps), percent_cell(one.ps_clear)]) for one in rates]
    if not lines:
        return []
    columns = ["ps %", "ps on clear\nframes %"]
    paired = any(one.clear for one in rates)
    caption = "Both rates are those of the samples that both runs have played." if paired else ""
    return [Grid("open-ended requests, macro average", columns, [Group(lines)], caption)]


def help_seeking_grids(pairs: Sequence[HelpSeekingPair]) -> list[Grid]:
    """Makes the help-seeking table, or none without pairs.

    One pair of runs gets a line per scenario and one for their average. Several pairs get a line
    each.
    """
    if not pairs:
        return []
    if len(pairs) > 1:
        lines = [Line(pair.needed, _measures(pair.macro)) for pair in pairs]
        return [Grid(f"{_DETECTION}, macro average", _MEASURES, [Group(lines)])]
    (pair,) = pairs
    groups = [Group([Line(name, _measures(found)) for name, found in pair.scenarios.items()])]
    if len(pair.scenarios) > 1:
        groups.append(Group([Line("macro average", _measures(pair.macro), strong=True)]))
    return [Grid(f"{_DETECTION}: {pair.needed} against {pair.clear}", _MEASURES, groups)]


def _measures(found: HelpSeeking) -> list[Cell]:
    shares = (found.asks_needed, found.asks_clear, found.balanced_accuracy, found.f1)
    return [*map(percent_cell, shares), *map(bounds_cell, (found.d_prime, found.ceiling))]
