"""The text formats of a table of the paper: terminal, Markdown, LaTeX, CSV and JSON."""

import io
import json
from collections.abc import Callable, Mapping

from rich.console import Console

from proactive_agent.reports.paper.tables import Figure, PaperTable
from proactive_agent.reports.published import PAPER
from proactive_agent.reports.tables import INTERVAL_NOTE, TerminalTable
from proactive_agent.reports.tables.text_forms import latex, markdown, write_csv


def _terminal(table: PaperTable, width: int) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, color_system=None, highlight=False, markup=False)
    for grid in table.grids:
        console.print(TerminalTable(grid))
    console.print(INTERVAL_NOTE)
    return stream.getvalue()


def _csv(table: PaperTable, width: int) -> str:
    stream = io.StringIO()
    rows = ({**figure.model_dump(), "note": table.caption} for figure in table.figures)
    write_csv(stream, [*Figure.model_fields, "note"], rows)
    return stream.getvalue()


def _json(table: PaperTable, width: int) -> str:
    document = {
        "paper": PAPER,
        "note": table.caption,
        "figures": [figure.model_dump() for figure in table.figures],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


FORMS: Mapping[str, Callable[[PaperTable, int], str]] = {
    "table": _terminal,
    "markdown": lambda table, width: "\n".join(map(markdown, table.grids)),
    "latex": lambda table, width: "\n".join(map(latex, table.grids)),
    "csv": _csv,
    "json": _json,
}
"""The functions that write a table, by format. Their second argument is the terminal's width."""
