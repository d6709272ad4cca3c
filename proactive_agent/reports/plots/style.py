"""The style of all plots, and their export to files. The same runs give the same bytes.

The colours are Okabe and Ito's, which are distinct for people with any colour vision. No two
models share both colour and marker. Names are never read as markup.
"""

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from proactive_agent.tools import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FONT_SIZE = 9
SMALL = 8
"""SheetSize of the smallest text, in points."""

BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY, BLACK = "#E69F00", "#56B4E9", "#000000"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p")

PUBLISHED = "#767676"
"""Colour of published figures, which also have hollow markers or hatches."""

TEXT = "#333333"
GRID = "#DDDDDD"
GUIDE = "#8C8C8C"
"""Colour of lines that are not data."""

_RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # ships with matplotlib, so every machine has it
    "font.size": FONT_SIZE,
    "axes.titlesize": FONT_SIZE,
    "axes.labelsize": SMALL,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "text.parse_math": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "proactive-agent",
    "path.simplify": False,
}

PLACE_DIGITS = 6
"""Digits of a panel's position, which is a share of the sheet."""

PIXELS_PER_INCH = 200


class MarkerStyle(NamedTuple):
    """The colour and marker of a model."""

    colour: str
    marker: str


def marker_style(number: int) -> MarkerStyle:
    """The style of the model with this number, counted from 0. The first 56 are distinct."""
    return MarkerStyle(COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)])


@contextmanager
def style() -> Iterator[None]:
    """Applies the style to what is drawn inside. Raises MissingExtraError without matplotlib."""
    try:
        import matplotlib as mpl
    except ImportError:
        raise MissingExtraError("report", "a plot") from None
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()  # removes the user's own settings
        mpl.rcParams.update(_RC)
        # Characters of a name that the font lacks are drawn as boxes.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def settle(figure: "Figure") -> None:
    """Fixes the layout of a plot.

    The last digits of matplotlib's layout solver differ between calls. Rounding removes them.
    """
    from matplotlib.transforms import Bbox

    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        given, used = (axes.get_position(original=original) for original in (True, False))
        axes.set_position(Bbox(given.get_points().round(PLACE_DIGITS)), which="original")
        axes.set_position(Bbox(used.get_points().round(PLACE_DIGITS)), which="active")


def svg(figure: "Figure", caption: Sequence[str]) -> str:
    """Returns the plot as an SVG document, with the caption as its description."""
    stream = io.StringIO()
    with style():
        figure.savefig(stream, format="svg", metadata={"Date": None, **_metadata(figure, caption)})
    return stream.getvalue()


def png(figure: "Figure", caption: Sequence[str]) -> bytes:
    """Returns the plot as a PNG file, with the caption in its text chunk `Description`."""
    stream = io.BytesIO()
    with style():
        figure.savefig(
            stream, format="png", dpi=PIXELS_PER_INCH, metadata=_metadata(figure, caption)
        )
    return stream.getvalue()


def _metadata(figure: "Figure", caption: Sequence[str]) -> dict[str, str]:
    return {"Title": str(figure.get_label()), "Description": "\n".join(caption)}
