"""A table of the paper as text: for the terminal, for a page or a paper, for programs."""

import csv
import io
import json
from collections.abc import Callable, Mapping

from rich.console import Console

from proactive_agent.reports.paper.tables import Figure, PaperTable
from proactive_agent.reports.published import PAPER
from proactive_agent.reports.tables import INTERVAL_NOTE, TerminalTable
from proactive_agent.reports.tables.text_forms import latex, markdown


def _terminal(table: PaperTable, width: int) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, color_system=None, highlight=False, markup=False)
    for grid in table.grids:
        console.print(TerminalTable(grid))
    console.print(INTERVAL_NOTE)
    return stream.getvalue()


def _csv(table: PaperTable, width: int) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, [*Figure.model_fields, "note"], lineterminator="\n")
    writer.writeheader()
    for figure in table.figures:
        writer.writerow({**figure.model_dump(), "note": table.caption})
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
"""By name: the text of a table, in lines of so many characters where that matters."""
