"""How every plot looks, and how it becomes a file: the same runs give the same bytes.

Colours are those of Okabe and Ito, which people with any colour vision can tell apart; no two
models share both colour and marker.  Names are shown as they are: nothing in them is markup.
"""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from proactive_agent.tools import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FONT_SIZE = 9
SMALL = 8
"""Points; no text is smaller."""

BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY, BLACK = "#E69F00", "#56B4E9", "#000000"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p")

PUBLISHED = "#767676"
"""Of what others measured on other data; always with hollow markers or hatches."""

TEXT = "#333333"
GRID = "#DDDDDD"
GUIDE = "#8C8C8C"
"""Of lines that are no data."""

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
"""Of a panel's place, as a share of the sheet."""

PIXELS_PER_INCH = 200


class Look(NamedTuple):
    """Colour and marker of a model."""

    colour: str
    marker: str


def look(number: int) -> Look:
    """The look of the model with that number, from 0; 56 are different."""
    return Look(COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)])


@contextmanager
def style() -> Iterator[None]:
    """Everything drawn inside looks the same.  Raises MissingExtraError without matplotlib."""
    try:
        import matplotlib as mpl
    except ImportError:
        raise MissingExtraError("report", "a plot") from None
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()  # or else the user's own settings, and the tests', would show
        mpl.rcParams.update(_RC)
        # A name may hold characters that the font lacks; they are drawn as boxes.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def settle(figure: "Figure") -> None:
    """Lays the plot out once and for all.

    The solver behind matplotlib's layout is right to all digits but the last, which differ from
    time to time; rounded, they are the same.
    """
    from matplotlib.transforms import Bbox

    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        given, used = (axes.get_position(original=original) for original in (True, False))
        axes.set_position(Bbox(given.get_points().round(PLACE_DIGITS)), which="original")
        axes.set_position(Bbox(used.get_points().round(PLACE_DIGITS)), which="active")


def svg(figure: "Figure") -> str:
    """The plot as an SVG document."""
    stream = io.StringIO()
    with style():
        figure.savefig(stream, format="svg", metadata={"Date": None, "Title": figure.get_label()})
    return stream.getvalue()


def png(figure: "Figure") -> bytes:
    """The plot as a PNG file."""
    stream = io.BytesIO()
    with style():
        figure.savefig(stream, format="png", dpi=PIXELS_PER_INCH)
    return stream.getvalue()
