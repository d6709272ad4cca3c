"""QuickDraw: a sketch grows stroke by stroke, after a first stroke that reveals nothing."""

import random
from functools import cached_property, lru_cache
from itertools import pairwise
from math import isqrt
from typing import Any

import numpy as np

from proactive_agent.scenarios.builder import wording
from proactive_agent.scenarios.builder.items import frame_fields
from proactive_agent.scenarios.fresh.draws import DrawnChoice
from proactive_agent.scenarios.fresh.pack import SKETCH_SIDE, Pack, Sketch
from proactive_agent.scenarios.fresh.place import THOUSAND
from proactive_agent.scenarios.fresh.raster import Pixels
from proactive_agent.scenarios.fresh.scene import HALF, Scene
from proactive_agent.scenarios.fresh.source import FreshSource

FINER = 3
"""Factor by which strokes are drawn larger and scaled down, for smooth lines."""

Stroke = list[tuple[int, int]]


class DrawnScene(Scene):
    """An unfinished sketch."""

    name = "quickdraw"

    def __init__(self, pack: Pack, source: FreshSource, choice: DrawnChoice, index: int) -> None:
        super().__init__(pack, source, choice, index)
        rng = self.rng
        self.side = source.size // 2
        self.pen = rng.randint(9, 17) * self.side * FINER // THOUSAND
        self.paper = [rng.randint(236, 255) for _ in range(3)]
        self.ink = [rng.randint(0, 70) for _ in range(3)]
        sketch = sketches_of(pack)[choice.name]
        strokes = self._placed(sketch, rng)
        # With single strokes, an easy sketch would need many steps.
        together = {"easy": 3, "normal": 2, "hard": 1}[source.difficulty]
        self.strokes: list[list[Stroke]] = [[self._mark(rng)]]
        for start in range(0, len(strokes), together):
            self.strokes.append(strokes[start : start + together])

    def _mark(self, rng: random.Random) -> Stroke:
        """Draws the first stroke: a short line anywhere, which does not belong to the sketch.

        The first stroke of a sketch would reveal it to a policy that has seen the sketch before.
        """
        side = self.side * FINER
        x, y = (rng.randint(250, 750) for _ in range(2))
        across, down = (rng.choice((-1, 1)) * rng.randint(15, 70) for _ in range(2))
        bend = rng.randint(-20, 20)
        points = [(x, y), (x + across // 2 + bend, y + down // 2 - bend), (x + across, y + down)]
        return [(a * side // THOUSAND, b * side // THOUSAND) for a, b in points]

    def _placed(self, sketch: Sketch, rng: random.Random) -> list[Stroke]:
        """Returns the strokes in pixels of the fine canvas: moved, scaled, perhaps mirrored."""
        side = self.side * FINER
        mirror = rng.choice((True, False))
        scale = rng.randint(700, 860)
        stretch = rng.randint(900, 1000), rng.randint(900, 1000)
        slant = rng.randint(-90, 90)
        spare = [THOUSAND - scale * one // THOUSAND for one in stretch]
        across, down = (rng.randint(one * 3 // 8, one * 5 // 8) for one in spare)
        placed = []
        for flat in sketch.strokes:
            stroke = []
            for x, y in zip(flat[::2], flat[1::2], strict=True):
                x = SKETCH_SIDE - x if mirror else x
                x += (SKETCH_SIDE // 2 - y) * slant // THOUSAND
                x = x * scale * stretch[0] // (SKETCH_SIDE * THOUSAND) + across
                y = y * scale * stretch[1] // (SKETCH_SIDE * THOUSAND) + down
                stroke.append((x * side // THOUSAND, y * side // THOUSAND))
            placed.append(stroke)
        return placed

    def fields(self) -> dict[str, Any]:
        count = len(self.strokes)
        fields = frame_fields("{image}", 0, count, count - 1)
        lengths = [sum(map(_length, strokes)) for strokes in self.strokes]
        shares = [sum(lengths[1 : n + 1]) / sum(lengths[1:]) for n in range(count)]
        return fields | {"enough": [n for n in range(count) if shares[n] >= HALF]}

    def names(self) -> list[str]:
        return [f"{number:04d}" for number in range(len(self.strokes))]

    def suggestions(self, rng: random.Random) -> tuple[str, ...]:
        return wording.details_suggestions(rng)

    @cached_property
    def _canvases(self) -> list[Pixels]:
        """The ink of each frame, 255 where there is none, in the frame's size."""
        side = self.side * FINER
        canvas = np.zeros((side, side), np.bool_)
        frames = []
        for strokes in self.strokes:
            for stroke in strokes:
                _draw(canvas, stroke, max(self.pen // 2, 2))
            cells = canvas.reshape(self.side, FINER, self.side, FINER)
            dark = cells.sum(axis=(1, 3), dtype=np.int64) * 255 // FINER**2
            frames.append(dark.astype(np.uint8))
        return frames

    def frame(self, name: str) -> Pixels:
        dark = self._canvases[self.names().index(name)].astype(np.int32)
        paper, ink = (np.array(c, np.int32)[:, None, None] for c in (self.paper, self.ink))
        return (paper + (ink - paper) * dark // 255).astype(np.uint8)

    def visible(self, name: str) -> float:
        inks = [int(canvas.sum(dtype=np.int64)) for canvas in self._canvases]
        ink = inks[self.names().index(name)] - inks[0]
        return round(ink / (inks[-1] - inks[0]), 3)


@lru_cache(maxsize=4)
def sketches_of(pack: Pack) -> dict[str, Sketch]:
    """Returns all sketches of a pack by name."""
    return {sketch.name: sketch for group in pack.sketches for sketch in group.sketches}


def _length(stroke: Stroke) -> int:
    return sum(isqrt((x1 - x0) ** 2 + (y1 - y0) ** 2) for (x0, y0), (x1, y1) in pairwise(stroke))


def _draw(canvas: "np.ndarray[Any, np.dtype[np.bool_]]", stroke: Stroke, radius: int) -> None:
    """Draws a stroke by stamping discs along it, in place."""
    reach = np.arange(-radius, radius + 1)
    disc = reach[:, None] ** 2 + reach[None, :] ** 2 <= radius * radius
    side = len(canvas)
    for (x0, y0), (x1, y1) in zip(stroke, stroke[1:] or stroke, strict=False):
        steps = max(max(abs(x1 - x0), abs(y1 - y0)) * 2 // radius, 1)
        for step in range(steps + 1):
            x = x0 + (x1 - x0) * step // steps
            y = y0 + (y1 - y0) * step // steps
            left, top = max(x - radius, 0), max(y - radius, 0)
            right, bottom = min(x + radius + 1, side), min(y + radius + 1, side)
            if right > left and bottom > top:
                rows = slice(top - y + radius, bottom - y + radius)
                columns = slice(left - x + radius, right - x + radius)
                canvas[top:bottom, left:right] |= disc[rows, columns]
