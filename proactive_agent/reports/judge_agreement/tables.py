"""Tables of judges' scores and agreement."""

from collections.abc import Sequence

from proactive_agent.metrics import Rates, Summary
from proactive_agent.reports.judge_agreement.agreement import (
    KINDS,
    Agreement,
    VerdictPair,
    agreement,
)
from proactive_agent.reports.judge_agreement.labelled import Kind
from proactive_agent.reports.tables.grid import Cell, Grid, Group, Line
from proactive_agent.reports.tables.numbers import UNKNOWN, percent, percent_cell
from proactive_agent.scenarios import SCENARIOS

_SCORES = ("cc", "ps", "agg")


def scores_grid(title: str, summary: Summary) -> Grid:
    """Makes the table of cc, ps and agg per scenario, with their average."""
    lines = [_score_line(SCENARIOS[name].title, s) for name, s in summary.scenarios.items()]
    if len(lines) > 1:
        lines.append(_score_line("mean", summary.macro)._replace(strong=True))
    return Grid(title, [f"{score} %" for score in _SCORES], [Group(lines)])


def agreement_grid(
    title: str, parts: Sequence[tuple[str, Sequence[VerdictPair]]], first: str, second: str
) -> Grid:
    """Makes the table of two raters' agreement, per part, kind and scenario."""
    columns = ["", "agree %", "kappa", "both", f"{first}\nonly", f"{second}\nonly", "neither"]
    groups = [
        Group(_agreement_lines(pairs, kind), f"{part}{', ' if part else ''}{kind}")
        for part, pairs in parts
        for kind in KINDS
    ]
    return Grid(title, columns, [group for group in groups if group.lines])


def _score_line(name: str, rates: Rates) -> Line:
    return Line(name, [percent_cell(getattr(rates, score)) for score in _SCORES])


def _agreement_lines(pairs: Sequence[VerdictPair], kind: Kind) -> list[Line]:
    lines = []
    for name, scenario in SCENARIOS.items():
        found = agreement([pair for pair in pairs if pair.scenario == name], kind)
        if found.total:
            lines.append(_agreement_line(scenario.title, found))
    if lines:
        lines.append(_agreement_line("all", agreement(pairs, kind))._replace(strong=True))
    return lines


def _agreement_line(name: str, found: Agreement) -> Line:
    kappa = UNKNOWN if found.kappa is None else f"{found.kappa:.2f}"
    bounds = found.kappa_interval()
    interval = "" if bounds is None else f"{bounds[0]:.2f}–{bounds[1]:.2f}"
    before = [Cell(str(found.total)), Cell(percent(found.raw)), Cell(kappa, interval)]
    return Line(name, [*before, *(Cell(str(count)) for count in found)])
