"""Every table and figure of the paper for runs of ours, in the forms that each can take."""

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
"""The plot behind each target; the last two are not of the paper."""

TARGETS = (*TABLE_NAMES, *FIGURES)

LINE = 100
"""Characters of a line in a table that is no terminal's."""


class Reproduced(NamedTuple):
    """A table or figure."""

    contents: dict[str, bytes]
    """By form."""
    left_out: list[str]
    """Sentences about runs that have no place in it."""


def reproduce(
    target: str, runs: Sequence[PlayedRun], forms: Sequence[str], width: int = LINE
) -> Reproduced:
    """A table or figure of the paper with these runs: `png`, `svg`, or the forms of a table.

    Raises UserError where the runs do not make it, naming those that it lacks.
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
