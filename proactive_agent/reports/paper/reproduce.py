"""Reproduces the tables and figures of the paper with our runs."""

from collections.abc import Sequence
from typing import NamedTuple

from proactive_agent.metrics import PlayedRun
from proactive_agent.reports.published import TABLE_NAMES
from proactive_agent.tools import UserError

FIGURES = {
    "fig3": "recognition",
    "fig4": "actions",
    "fig5": "hint",
    "fig6": "history",
    "fig8": "icl",
    "fig9": "random-suggestions",
    "acc-psr": "acc-psr",
    "help-seeking": "help-seeking",
}
"""The plot of each target. The last two are not in the paper."""

TARGETS = (*TABLE_NAMES, *FIGURES)

LINE = 100
"""Width of a table outside a terminal, in characters."""


class Reproduced(NamedTuple):
    """A table or figure, written in several formats."""

    contents: dict[str, bytes]
    """File contents by format."""
    left_out: list[str]
    """Sentences about runs that do not fit."""


def reproduce(
    target: str, runs: Sequence[PlayedRun], forms: Sequence[str], width: int = LINE
) -> Reproduced:
    """Makes a table or figure of the paper with these runs.

    `forms` are `png` and `svg` for a figure, and the names in `formats.FORMS` for a table. Raises
    UserError if the runs do not suffice; the message names the missing ones.
    """
    try:
        return (_figure if target in FIGURES else _table)(target, runs, forms, width)
    except UserError as error:
        raise UserError(f"{target}: {error}") from None


def _figure(target: str, runs: Sequence[PlayedRun], forms: Sequence[str], width: int) -> Reproduced:
    from proactive_agent.reports.plots import draw, png, svg

    drawing = draw(FIGURES[target], runs)
    contents = {
        form: png(drawing.figure) if form == "png" else svg(drawing.figure).encode()
        for form in forms
    }
    return Reproduced(contents, drawing.left_out)


def _table(target: str, runs: Sequence[PlayedRun], forms: Sequence[str], width: int) -> Reproduced:
    from proactive_agent.reports.paper.formats import FORMS
    from proactive_agent.reports.paper.tables import paper_table

    (name,) = (name for name in TABLE_NAMES if name == target)
    table = paper_table(name, runs)
    return Reproduced({form: FORMS[form](table, width).encode() for form in forms}, table.left_out)
