"""The layout of a plot: title, panels, legend and notes, which never overlap.

Heights are in inches and follow from the content, so that a plot fits one model or twenty-two.
matplotlib's constrained layout fits the labels of the panels.
"""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from proactive_agent.reports.plots.style import PUBLISHED, SMALL, TEXT, VERMILION
from proactive_agent.reports.tables import EMBEDDED_NOTE

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARGIN = 0.12
"""Margin around the sheet and between its parts, in inches."""

TITLE = 0.36
"""Height of the title, in inches."""

LINE = 0.155
"""Height of a line of a note or a row of a legend, in inches."""

POINTS = 72
"""Points per inch."""

INTERVALS = "Thin lines: 95 % confidence intervals."

LONGEST_NAME = 40
"""Most characters of a name; a longer name is cut in its middle."""

LEGEND_HANDLE = 0.5
"""Width of a legend entry without its label, including the gap to the next column, in inches."""


class Drawing(NamedTuple):
    """A plot and the runs that it leaves out."""

    figure: "Figure"
    left_out: list[str]
    """Sentences about the runs that do not fit."""


class Key(NamedTuple):
    """An entry of the legend."""

    handle: "Artist"
    label: str


class SheetSize(NamedTuple):
    """The size of all panels together, with their labels, in inches."""

    width: float
    height: float


def draw_sheet(
    title: str, size: SheetSize, *, legend: Sequence[Key] = (), notes: Sequence[str] = ()
) -> "Figure":
    """Makes a sheet without panels; the caller adds them with `figure.subplots`."""
    from matplotlib.figure import Figure

    lines = [
        (line, VERMILION if note == EMBEDDED_NOTE else TEXT)
        for note in notes
        for line in _wrapped(note, size.width)
    ]
    columns = _columns(legend, size.width)
    rows = -(-len(legend) // columns)
    below = MARGIN * (1 + bool(lines) + bool(rows)) + (len(lines) + rows) * LINE
    height = TITLE + size.height + below
    figure = Figure(figsize=(size.width, height), facecolor="white")
    figure.set_label(title)
    rect = (0, below / height, 1, size.height / height)
    figure.set_layout_engine("constrained", rect=rect, h_pad=0.06, w_pad=0.06)
    left = MARGIN / size.width
    figure.text(
        left, 1 - MARGIN / height, title, va="top", ha="left", fontsize=11, fontweight="bold"
    )
    for number, (line, colour) in enumerate(reversed(lines)):
        y = (MARGIN / 2 + number * LINE) / height
        figure.text(left, y, line, va="bottom", ha="left", fontsize=SMALL, color=colour)
    if legend:
        _add_legend(figure, legend, columns, (left, (below - MARGIN) / height))
    return figure


def short(name: str) -> str:
    """Shortens a name that is too long for a plot."""
    if len(name) <= LONGEST_NAME:
        return name
    half = LONGEST_NAME // 2
    return f"{name[: half - 1]}…{name[-half:]}"


def panel(axes: "Axes", title: str, **labels: Any) -> None:
    """Sets the title and the axis labels of a panel."""
    axes.set_title(title, loc="left", fontweight="bold")
    axes.set(**labels)


def mark(colour: str, marker: str, *, hollow: bool = False) -> "Artist":
    """Makes a marker for the legend."""
    from matplotlib.lines import Line2D

    return Line2D(
        [], [], linestyle="none", marker=marker, markersize=6,
        color=colour, markerfacecolor="white" if hollow else colour,
    )  # fmt: skip


def published_mark(marker: str = "o") -> "Artist":
    """Makes the marker of published figures for the legend."""
    return mark(PUBLISHED, marker, hollow=True)


def _add_legend(
    figure: "Figure", legend: Sequence[Key], columns: int, place: tuple[float, float]
) -> None:
    figure.legend(
        [key.handle for key in legend],
        [key.label for key in legend],
        loc="upper left",
        bbox_to_anchor=place,
        ncols=columns,
        borderpad=0,
        borderaxespad=0,
        labelspacing=LINE * POINTS / SMALL - 1,
        handlelength=1.5,
        handletextpad=0.5,
        columnspacing=1.5,
    )


def _columns(legend: Sequence[Key], width: float) -> int:
    widest = max((_text_width(key.label) for key in legend), default=0)
    fitting = int((width - 2 * MARGIN) / (widest + LEGEND_HANDLE))
    return max(1, min(fitting, len(legend)))


def _text_width(text: str) -> float:
    """The width of a text, in inches."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextToPath

    font = FontProperties(size=SMALL)
    width, _, _ = TextToPath().get_text_width_height_descent(text, font, ismath=False)
    return float(width) / POINTS


def _wrapped(note: str, width: float) -> list[str]:
    letter = _text_width("n")
    return textwrap.wrap(note, int((width - 2 * MARGIN) / letter))
