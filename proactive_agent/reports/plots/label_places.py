"""Finds places for labels near their points, so that they cover neither points nor each other.

All lengths are in typographic points. The same input gives the same places.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

GAP = 1.8
"""Least distance between a label and its neighbours to the left and right."""

JOINED_FROM = 5.0
"""Least distance between a label and its point at which a line has to join them."""

RINGS = (2.5, 5.0, 8.0, 12.0, 17.0)
"""Distances between a point and the nearby places that are tried."""

DIRECTIONS = 16
"""Nearby places that are tried at each distance."""

REACH = 60.0
"""Greatest distance between a point and the places that are tried, except for their own size."""

GRID = 5.0
"""Distance between the farther places that are tried."""

NEAREST = 60
"""Number of free places from which the best is chosen."""

CROWDED = 20.0
"""Distance within which labels compete for places."""

STEPS = 8
"""Number of boxes that stand for a line between a label and its point."""

LINE = 0.3
"""Half of the width of such a box."""

CROSSED = 10.0
"""Extra distance that is accepted to keep such a box off other things."""


class Label(NamedTuple):
    """A label of this width and height, and the point that it belongs to."""

    x: float
    y: float
    width: float
    height: float


class LabelPlace(NamedTuple):
    """The centre of a placed label."""

    x: float
    y: float
    join: tuple[float, float] | None
    """The end of a line from the point to the label, or None if they are close to each other."""


def find_places(
    labels: Sequence[Label], panel: "Floats", obstacles: Sequence["Floats"]
) -> list[LabelPlace]:
    """Returns a place for each label, in the order of the labels.

    `panel` and the obstacles are boxes: left, bottom, right, top. A label covers an obstacle only
    if there is no free place in reach.
    """
    taken = _Taken(obstacles)
    found: dict[int, LabelPlace] = {}
    crowds = [sum(_are_close(one, other) for other in labels) for one in labels]
    # Labels in a crowd come first, because they have the least choice.
    for index in sorted(range(len(labels)), key=lambda one: -crowds[one]):
        label = labels[index]
        place = found[index] = _best(label, panel, taken)
        half = np.array([label.width, label.height]) / 2
        taken.add(np.array([[place.x, place.y]]), half)
        if place.join:
            taken.add(_way(label, np.array([place.join]))[0], np.array([LINE, LINE]))
    return [found[index] for index in range(len(labels))]


def _are_close(one: Label, other: Label) -> bool:
    return abs(one.x - other.x) < CROWDED and abs(one.y - other.y) < CROWDED


class _Taken:
    """The boxes that no label may cover."""

    def __init__(self, boxes: Sequence["Floats"]) -> None:
        self._boxes = np.array(boxes, float).reshape(-1, 4)

    def add(self, centres: "Floats", half: "Floats") -> None:
        boxes = np.hstack([centres - half, centres + half])
        self._boxes = np.vstack([self._boxes, boxes])

    def covered(self, centres: "Floats", half: "Floats") -> "Floats":
        """Returns the area that a box around each of these centres (..., 2) would cover."""
        low, high = self._boxes[:, :2], self._boxes[:, 2:]
        centres = centres[..., None, :]
        sides = np.minimum(centres + half, high) - np.maximum(centres - half, low)
        area: Floats = np.maximum(sides, 0).prod(axis=-1).sum(axis=-1)
        return area


def _best(label: Label, panel: "Floats", taken: _Taken) -> LabelPlace:
    """Returns the nearest of the places that cover least; lines should cross little."""
    half = np.array([label.width, label.height]) / 2
    places = np.vstack([_nearby(label, half), _farther(label, half)])
    inside = (places - half >= panel[:2]) & (places + half <= panel[2:])
    places = places[inside.all(axis=1)]
    covered = taken.covered(places, half + np.array([GAP, 0])).round(3)
    places = places[covered == covered.min()]
    ends = np.clip(np.array(label[:2]), places - half, places + half)
    distances = np.hypot(*(ends - label[:2]).T).round(3)
    nearest = np.argsort(distances, kind="stable")[:NEAREST]
    places, ends, distances = places[nearest], ends[nearest], distances[nearest]
    joined = distances >= JOINED_FROM
    # The first boxes of a line are on the point itself.
    crossed = (taken.covered(_way(label, ends)[:, 2:], np.array([LINE, LINE])) > 0).sum(axis=1)
    best = np.argmin(distances + CROSSED * crossed * joined)
    (x, y), end = places[best].tolist(), tuple(ends[best].tolist())
    return LabelPlace(x, y, end if joined[best] else None)


def _nearby(label: Label, half: "Floats") -> "Floats":
    """Returns places around the point; the one to its right is the first."""
    angles = 2 * np.pi * np.arange(DIRECTIONS) / DIRECTIONS
    toward = np.stack([np.cos(angles), np.sin(angles)], axis=1).round(9)
    away: Floats = toward * (np.array(RINGS)[:, None, None] + half)
    return away.reshape(-1, 2) + label[:2]


def _farther(label: Label, half: "Floats") -> "Floats":
    """Returns places in a grid around the point."""
    right, up = half + REACH
    x, y = np.meshgrid(np.arange(-right, right, GRID), np.arange(-up, up, GRID))
    around: Floats = np.column_stack([x.ravel(), y.ravel()])
    return around + label[:2]


def _way(label: Label, ends: "Floats") -> "Floats":
    """Returns points on the line between the label's point and each end."""
    steps = np.linspace(0, 1, STEPS + 2)[1:-1, None]
    start = np.array(label[:2])
    way: Floats = start + steps * (ends[:, None, :] - start)
    return way
