"""Rooms: the wall of one plate behind the table of another, cropped, tinted and graded."""

import random
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from proactive_agent.scenarios.fresh.pack import Pack, Plate
from proactive_agent.scenarios.fresh.paint import curves, with_grain
from proactive_agent.scenarios.fresh.raster import (
    SHARP,
    Pixels,
    channels_first,
    curved,
    mean_colour,
    mirrored,
    scaled,
)

THOUSAND = 1000
"""Positions and lengths are drawn in thousandths of the frame's side, so that the same seed gives
the same scene in every size."""


class Grade(NamedTuple):
    """The look of a photo: colour cast, tone curve and grain."""

    curves: Pixels
    grain: int
    offset: tuple[int, int]

    def apply(self, picture: Pixels) -> Pixels:
        """Returns the graded picture."""
        return with_grain(curved(picture, self.curves), self.grain, self.offset)


class SceneRoom:
    """An empty room of one scene."""

    def __init__(
        self, pack: Pack, rng: random.Random, names: Sequence[str], closest: int = 780
    ) -> None:
        """Draws a room without things of these names, except for the one that is put into it.

        `closest` is the least side of the visible part of a plate, in thousandths. Everything is
        drawn here, and the pixels are computed by `picture`.
        """
        high = [plate for plate in pack.plates if plate.stage == "high"]
        self._pack = pack
        self._wall = rng.choice([plate for plate in high if not {*plate.shows} & {*names}])
        self._table = rng.choice(high)
        self.sun = rng.choice((-1, 1))
        """Side from which the light comes: -1 is left, 1 is right."""
        self._side = rng.randint(closest, THOUSAND)
        self._left = rng.randint(0, THOUSAND - self._side)
        self._top = rng.randint(0, THOUSAND - self._side)
        self._soft = SHARP + rng.randint(0, 2 * SHARP)
        self._tints = [
            curves((rng.randint(232, 272), rng.randint(232, 272), rng.randint(232, 272)))
            for _ in range(2)
        ]
        cast = rng.randint(240, 270), rng.randint(240, 270), rng.randint(240, 270)
        bend = rng.randint(-45, 45)
        self.grade = Grade(
            curves(cast, bend), rng.randint(16, 56), (rng.randrange(256), rng.randrange(256))
        )

    @property
    def edge(self) -> int:
        """Height at which the table begins, in thousandths of the frame."""
        whole = round(self._table.edge * THOUSAND)
        return (whole - self._top) * THOUSAND // self._side

    def picture(self, side: int) -> Pixels:
        """Returns the empty room, ungraded, `side` pixels wide and high."""
        cut = min(max(self.edge * side // THOUSAND, 1), side - 1)
        wall = self._part(self._wall, side, 0, cut, self._soft)
        table = self._part(self._table, side, cut, side, SHARP)
        parts = [curved(wall, self._tints[0]), curved(table, self._tints[1])]
        return np.concatenate(parts, axis=1)

    def _part(self, plate: Plate, side: int, first: int, last: int, soft: int) -> Pixels:
        """Returns the rows from `first` to `last` of a plate, as the frame shows it."""
        whole = channels_first(self._pack.pixels(plate.file))
        if plate.sun != self.sun:
            whole = mirrored(whole)
        width = whole.shape[2]
        left, length = self._left * width // THOUSAND, self._side * width // THOUSAND
        top = self._top * width // THOUSAND
        # The edge of every plate moves to the height at which this room's table begins.
        moved = (round(plate.edge * THOUSAND) - round(self._table.edge * THOUSAND)) * width
        top += moved // THOUSAND
        upper, lower = top + first * length // side, top + last * length // side
        rows = np.clip(np.arange(upper, max(lower, upper + 1)), 0, width - 1)
        return scaled(whole[:, rows, left : left + length], side, last - first, soft)


def light_of(room: Pixels) -> tuple[int, int, int]:
    """Returns the light of a room as a tint in 256ths: darker and coloured as its surroundings."""
    mean = mean_colour(room)
    grey = max(sum(mean) // 3, 1)
    brightness = 222 + 66 * grey // 255
    red, green, blue = (brightness * (212 + 44 * value // grey) // 256 for value in mean)
    return red, green, blue
