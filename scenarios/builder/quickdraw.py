"""Builds QuickDraw samples: a drawing grows stroke by stroke."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from proactive_agent.scenarios.builder import wording
from proactive_agent.scenarios.builder.items import (
    Built,
    Frame,
    Item,
    Point,
    SkipError,
    Stroke,
    frame_fields,
)
from proactive_agent.scenarios.builder.recipe import Appearance, Draft, Recipe
from proactive_agent.scenarios.builder.strokes import read_drawings

SIDE = 256
MARGIN = 0.08
"""Share of the side at each edge."""
PEN = 0.014
"""Width of a line as a share of the side."""
_FINER = 3
"""Factor by which drawings are drawn larger and scaled down, for smooth lines."""


def build_quickdraw(strokes: Sequence[Stroke], side: int = SIDE) -> Built:
    """Builds one frame per stroke, black on white, `side` pixels square.

    Each frame adds a stroke to the one before. The drawing is scaled to fill the picture, so the
    strokes' units do not matter. Raises SkipError for fewer than two strokes.
    """
    if len(strokes) < 2:
        raise SkipError("a drawing of one stroke leaves nothing to add")
    count = len(strokes)
    fields = frame_fields("{image}", 0, count, count - 1)
    return Built(_frames(strokes, side), fields, lossless=True)


def _frames(strokes: Sequence[Stroke], side: int) -> Iterator[Frame]:
    canvas = Image.new("L", (side * _FINER, side * _FINER), 255)
    draw = ImageDraw.Draw(canvas)
    half = max(1, round(canvas.width * PEN / 2))
    for number, points in enumerate(_fitted(strokes, canvas.width)):
        draw.line(points, fill=0, width=2 * half, joint="curve")
        for x, y in (points[0], points[-1]):
            draw.ellipse((x - half, y - half, x + half, y + half), fill=0)
        # Averages blocks, because other filters ring and could lighten earlier ink.
        yield Frame(f"{number:04d}", canvas.reduce(_FINER).convert("RGB"))


def _fitted(strokes: Sequence[Stroke], side: int) -> list[list[Point]]:
    xs = [x for stroke in strokes for x, _ in stroke]
    ys = [y for stroke in strokes for _, y in stroke]
    extent = max(max(xs) - min(xs), max(ys) - min(ys)) or 1.0
    scale = side * (1 - 2 * MARGIN) / extent
    across = (side - scale * (max(xs) + min(xs))) / 2
    down = (side - scale * (max(ys) + min(ys))) / 2
    return [[(x * scale + across, y * scale + down) for x, y in stroke] for stroke in strokes]


class QuickDrawRecipe(Recipe):
    """Shows a drawing stroke by stroke."""

    name = "quickdraw"

    def read(self, source: Path) -> Iterator[Item]:
        return read_drawings(source)

    def variants(self, look: Appearance) -> int:
        return 1

    def make(self, root: Path, item: Item, look: Appearance, seed: str) -> Iterator[Draft]:
        rng = random.Random(seed)
        built = build_quickdraw(item.strokes, min(look.size, 256))
        yield Draft(built, self.texts(wording.details_suggestions(rng), rng, look))
