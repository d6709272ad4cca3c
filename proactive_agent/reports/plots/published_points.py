"""The points of published models, with small numbers next to them.

A key below the panels names the model of each number. Coincident points share a label, such as
"3, 5, 7". A thin line joins a label to its point if they are apart.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from proactive_agent.reports.plots.label_places import Label, find_places
from proactive_agent.reports.plots.sheet import POINTS, text_width
from proactive_agent.reports.plots.style import PUBLISHED, SMALL, TEXT, settle

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from proactive_agent.reports.plots.label_places import Floats

COINCIDENT = 2.0
"""Points at most this far apart share a label, in typographic points."""

MARKER = 4.5
"""Diameter of a point, in typographic points."""

LINE_HEIGHT = 9.5
"""Height of a line of a label, in typographic points."""

PER_LINE = 5
"""Most numbers in a line of a label."""


class _Point(NamedTuple):
    x: float
    y: float
    number: int


class PublishedPoints:
    """Draws published points, and their numbers when everything else is drawn."""

    def __init__(self, figure: "Figure") -> None:
        self._figure = figure
        self._points: dict[Axes, list[_Point]] = {}

    def add(self, axes: "Axes", x: float, y: float, number: int, marker: str = "o") -> None:
        """Draws the point of the model with this number in the key."""
        axes.plot(x, y, marker=marker, markersize=MARKER, color=PUBLISHED, markerfacecolor="none")
        self._points.setdefault(axes, []).append(_Point(x, y, number))

    def draw_numbers(self) -> None:
        """Draws the numbers. This settles the layout, because the free places depend on it."""
        settle(self._figure)
        for axes, points in self._points.items():
            _draw_numbers(axes, points, POINTS / self._figure.dpi)


def _draw_numbers(axes: "Axes", points: list[_Point], unit: float) -> None:
    """`unit` is the size of a pixel in typographic points."""
    from matplotlib.patheffects import withStroke

    groups = _groups(axes, points, unit)
    texts = [_text(sorted(numbers)) for _, numbers in groups]
    labels = [
        Label(float(place[0]), float(place[1]), *_size(text))
        for (place, _), text in zip(groups, texts, strict=True)
    ]
    panel = axes.get_window_extent().get_points().ravel() * unit
    places = find_places(labels, panel, _obstacles(axes, unit))
    to_data = axes.transData.inverted()
    for label, text, place in zip(labels, texts, places, strict=True):
        if place.join:
            line = to_data.transform(np.array([label[:2], place.join]) / unit)
            axes.plot(*line.T, color=PUBLISHED, linewidth=0.5, zorder=1.5)
        x, y = to_data.transform(np.array(place[:2]) / unit)
        axes.text(
            x, y, text, fontsize=SMALL, color=TEXT, ha="center", va="center", zorder=4,
            path_effects=[withStroke(linewidth=1.5, foreground="white")],
        )  # fmt: skip


def _text(numbers: list[int]) -> str:
    lines = [numbers[start : start + PER_LINE] for start in range(0, len(numbers), PER_LINE)]
    return ",\n".join(", ".join(map(str, line)) for line in lines)


def _size(text: str) -> tuple[float, float]:
    """Returns the width and height of a label, in typographic points."""
    lines = text.splitlines()
    return max(map(text_width, lines)) * POINTS, len(lines) * LINE_HEIGHT


def _groups(axes: "Axes", points: list[_Point], unit: float) -> list[tuple["Floats", set[int]]]:
    """Returns the groups of coincident points: the place of the first, and all numbers."""
    groups: list[tuple[Floats, set[int]]] = []
    for point in points:
        place = axes.transData.transform((point.x, point.y)) * unit
        near = (numbers for at, numbers in groups if np.hypot(*(at - place)) <= COINCIDENT)
        if (numbers := next(near, None)) is None:
            groups.append((place, {point.number}))
        else:
            numbers.add(point.number)
    return groups


def _obstacles(axes: "Axes", unit: float) -> list["Floats"]:
    """Returns the boxes of the markers and texts of a panel, in typographic points."""
    found = []
    for line in axes.lines:
        if line.get_marker() not in (None, "None", ""):
            half = line.get_markersize() / 2
            centres = line.get_transform().transform(line.get_xydata()) * unit
            found += [np.concatenate([one - half, one + half]) for one in centres]
    found += [text.get_window_extent().get_points().ravel() * unit for text in axes.texts]
    return found
