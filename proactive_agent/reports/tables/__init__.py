"""Tables of results: their content and their output formats."""

from proactive_agent.reports.tables.notes import (
    INTERVAL_NOTE,
    reply_notes,
    summary_notes,
)
from proactive_agent.reports.tables.numbers import mean, percent
from proactive_agent.reports.tables.rates import (
    NamedGroup,
    consistency_grids,
    macro_grids,
    scenario_grids,
    score_grids,
    usage_grids,
)
from proactive_agent.reports.tables.terminal_form import TerminalTable

__all__ = [
    "INTERVAL_NOTE",
    "NamedGroup",
    "TerminalTable",
    "consistency_grids",
    "macro_grids",
    "mean",
    "percent",
    "reply_notes",
    "scenario_grids",
    "score_grids",
    "summary_notes",
    "usage_grids",
]
