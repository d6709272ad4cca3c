"""QD: an icon that is drawn stroke by stroke, with a slightly shaky hand."""

from __future__ import annotations

import random
from itertools import pairwise
from math import ceil, dist, pi, sin
from pathlib import Path

from PIL import Image, ImageDraw
from svgelements import SVG, Shape
from svgelements import Path as SvgPath
from texts import abstention
from writer import Dataset, Question

STEM = "QuickDraw"
SIDE = 256
LONGEST = 9.0  # units of the icon's grid of 24 in one stroke
FIRST = 4.0  # no longer than this is the stroke of the first frame

Stroke = list[tuple[float, float]]

ICONS = (
    ("cat", 6, ("Add more details.",), ("Cat.", "Rabbit.", "Fox.", "Dog.")),
    ("bike", 7, ("Continue the drawing.",), ("Bicycle.", "Glasses.", "Car.", "Tractor.")),
    (
        "guitar",
        7,
        ("Add details to it.", "Keep drawing."),
        ("Guitar.", "Violin.", "Shovel.", "Banjo."),
    ),
    (
        "umbrella",
        5,
        ("Complete the sketch.",),
        ("Umbrella.", "Mushroom.", "Tent.", "Jellyfish."),
    ),
    (
        "snail",
        6,
        ("Add strokes to the quickdraw.", "Draw more details."),
        ("Snail.", "Turtle.", "Seashell.", "Slipper."),
    ),
    (
        "sailboat",
        5,
        ("Show a later state of the sketch.",),
        ("Sailboat.", "Iron.", "Tent.", "Shark."),
    ),
)
PROMPTS = (
    "What is being drawn here?",
    "Which thing does this doodle show?",
    "What will this be?",
)


def build(data: Dataset) -> None:
    """Add the samples."""
    for name, count, suggestions, categories in ICONS:
        strokes = [_shaky(stroke, data.rng(name)) for stroke in _strokes(data.library.icon(name))]
        for index in range(count):
            # The first frame has one stroke, the others share the rest evenly.
            shown = 1 + ceil(index * (len(strokes) - 1) / (count - 1))
            data.save(_frame(strokes[:shown]), f"{index:04d}")
        number = len(data.records)
        question = Question(
            PROMPTS[number % len(PROMPTS)], suggestions, abstention(number + 5), categories
        )
        data.add(question, f"{data.folder}/{{image}}.webp", 0, count, count - 1)


def _strokes(icon: Path) -> list[Stroke]:
    """The icon's lines in pieces, shortest first: the outline, which tells most, comes last."""
    pieces: list[Stroke] = []
    for shape in SVG.parse(str(icon)).elements():
        if isinstance(shape, Shape):
            for part in SvgPath(shape).as_subpaths():
                pieces += _pieces(_sampled(SvgPath(part)))
    pieces.sort(key=_length)
    first = pieces[0]
    if _length(first) > FIRST:
        share = ceil(len(first) * FIRST / _length(first))
        pieces[:1] = [first[:share], first[share - 1 :]]
    return pieces


def _sampled(path: SvgPath) -> Stroke:
    """Points along a path, some four for each unit of length."""
    count = max(2, round(path.length(error=1e-3) * 4))
    points = [path.point(index / count, error=1e-3) for index in range(count + 1)]
    return [(point.x, point.y) for point in points]


def _length(stroke: Stroke) -> float:
    return sum(dist(a, b) for a, b in pairwise(stroke))


def _pieces(stroke: Stroke) -> list[Stroke]:
    """A stroke cut into equal parts none of which is much longer than `LONGEST`."""
    count = max(1, round(_length(stroke) / LONGEST))
    share = (len(stroke) - 1) / count
    return [stroke[int(i * share) : int((i + 1) * share) + 1] for i in range(count)]


def _shaky(stroke: Stroke, rng: random.Random) -> Stroke:
    a, b, c, d = (rng.uniform(0, 2 * pi) for _ in range(4))
    return [
        (
            x + 0.14 * sin(index * 0.17 + a) + 0.07 * sin(index * 0.43 + b),
            y + 0.14 * sin(index * 0.19 + c) + 0.07 * sin(index * 0.47 + d),
        )
        for index, (x, y) in enumerate(stroke)
    ]


def _frame(strokes: list[Stroke]) -> Image.Image:
    """The strokes in black on white, drawn large and scaled down."""
    large = SIDE * 3
    image = Image.new("L", (large, large), 255)
    draw = ImageDraw.Draw(image)
    unit, half = large / 28, 11
    for stroke in strokes:
        points = [((x + 2) * unit, (y + 2) * unit) for x, y in stroke]
        draw.line(points, fill=0, width=2 * half, joint="curve")
        for x, y in (points[0], points[-1]):
            draw.ellipse((x - half, y - half, x + half, y + half), fill=0)
    return image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
