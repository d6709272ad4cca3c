"""Reproduces the tables and figures of the paper with our runs."""

from collections.abc import Sequence
from typing import NamedTuple

from proactive_agent.metrics import PlayedRun
from proactive_agent.reports.targets import PLOTS
from proactive_agent.tools import UserError

LINE = 100
"""Width of a table outside a terminal, in characters."""


class Reproduced(NamedTuple):
    """A table or figure, written in several formats."""

    contents: dict[str, bytes]
    """File contents by format."""
    caption: list[str]
    """Sentences below a figure. A table contains its own notes."""
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
        return (_figure if target in PLOTS else _table)(target, runs, forms, width)
    except UserError as error:
        raise UserError(f"{target}: {error}") from None


def _figure(target: str, runs: Sequence[PlayedRun], forms: Sequence[str], width: int) -> Reproduced:
    from proactive_agent.reports.plots import draw, png, svg

    drawing = draw(PLOTS[target].drawing, runs)
    contents = {
        form: png(drawing.figure, drawing.caption)
        if form == "png"
        else svg(drawing.figure, drawing.caption).encode()
        for form in forms
    }
    return Reproduced(contents, drawing.caption, drawing.left_out)


def _table(target: str, runs: Sequence[PlayedRun], forms: Sequence[str], width: int) -> Reproduced:
    from proactive_agent.reports.paper.formats import FORMS
    from proactive_agent.reports.paper.tables import paper_table

    table = paper_table(target, runs)
    contents = {form: FORMS[form](table, width).encode() for form in forms}
    return Reproduced(contents, [], table.left_out)
