"""The layout of a plot: title, panels, legend and key of numbers, which never overlap.

Heights are in inches and follow from the content, so that a plot fits one model or twenty-two.
matplotlib's constrained layout fits the labels of the panels.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from proactive_agent.reports.plots.style import PUBLISHED, SMALL, TEXT
from proactive_agent.terminal.console import plain

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARGIN = 0.12
"""Margin around the sheet and between its parts, in inches."""

TITLE = 0.36
"""Height of the title, in inches."""

LINE = 0.155
"""Height of a row of a legend or key, in inches."""

POINTS = 72
"""Points per inch."""

INTERVALS = "Thin lines: 95 % confidence intervals."

LONGEST_NAME = 40
"""Most characters of a name; a longer name is cut in its middle."""

LEGEND_HANDLE = 0.5
"""Width of a legend entry without its label, including the gap to the next column, in inches."""

FIGURE_SPACE = "\N{FIGURE SPACE}"
"""A space as wide as a digit."""

KEY_GAP = 0.2
"""Gap between the columns of the key of numbers, in inches."""


class Drawing(NamedTuple):
    """A plot, its caption and the runs that it leaves out."""

    figure: "Figure"
    caption: list[str]
    """Sentences that a reader of the plot needs: its symbols, its data and warnings."""
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
    title: str, size: SheetSize, *, legend: Sequence[Key] = (), numbered: Sequence[str] = ()
) -> "Figure":
    """Makes a sheet without panels; the caller adds them with `figure.subplots`.

    `numbered` are the models whose numbers the panels show; below the legend, a key names them.
    """
    from matplotlib.figure import Figure

    columns = _columns([key.label for key in legend], LEGEND_HANDLE, size.width)
    rows = -(-len(legend) // columns)
    digits = len(str(len(numbered)))
    names = [
        f"{str(number).rjust(digits, FIGURE_SPACE)}  {name}"
        for number, name in enumerate(numbered, 1)
    ]
    name_columns = _columns(names, KEY_GAP, size.width)
    name_rows = -(-len(names) // name_columns)
    below = MARGIN * (1 + bool(names) + bool(rows)) + (name_rows + rows) * LINE
    height = TITLE + size.height + below
    figure = Figure(figsize=(size.width, height), facecolor="white")
    figure.set_label(title)
    rect = (0, below / height, 1, size.height / height)
    figure.set_layout_engine("constrained", rect=rect, h_pad=0.06, w_pad=0.06)
    left = MARGIN / size.width
    figure.text(
        left, 1 - MARGIN / height, title, va="top", ha="left", fontsize=11, fontweight="bold"
    )
    for place, name in enumerate(names):
        column, row = divmod(place, name_rows)
        x = left + column * (1 - 2 * left) / name_columns
        y = (MARGIN / 2 + (name_rows - 1 - row) * LINE) / height
        figure.text(x, y, name, va="bottom", ha="left", fontsize=SMALL, color=TEXT)
    if legend:
        _add_legend(figure, legend, columns, (left, (below - MARGIN) / height))
    return figure


def short(name: str) -> str:
    """Shortens a name that is too long for a plot; control characters become visible."""
    name = plain(name)
    if len(name) <= LONGEST_NAME:
        return name
    half = LONGEST_NAME // 2
    return f"{name[: half - 1]}…{name[-half:]}"


def panels_in(figure: "Figure", count: int, columns: int) -> "list[Axes]":
    """Returns `count` axes with common scales, row by row. The last row may be incomplete."""
    rows = -(-count // columns)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    every: list[Axes] = list(grid.flat)
    for axes in every[count:]:
        axes.remove()
    return every[:count]


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


def _columns(labels: Sequence[str], more: float, width: float) -> int:
    """Returns how many columns of these labels fit; each is wider than its label by `more`."""
    widest = max(map(text_width, labels), default=0)
    fitting = int((width - 2 * MARGIN) / (widest + more))
    return max(1, min(fitting, len(labels)))


def text_width(text: str) -> float:
    """The width of a text, in inches."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextToPath

    font = FontProperties(size=SMALL)
    width, _, _ = TextToPath().get_text_width_height_descent(text, font, ismath=False)
    return float(width) / POINTS
