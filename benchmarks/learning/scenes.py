"""Draws scenes of eight shapes; the builder turns them into scenarios."""

import json
import math
import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw

Point = tuple[float, float]

SCENARIOS = ("quickdraw", "coco", "rod", "vsod", "mvp-n")
TRAINED = ("quickdraw", "rod")
"""Scenarios for `train`."""
UNSEEN = ("mvp-n", "vsod", "coco")

SIDE = 448
"""Side of a scene that the builder crops, in pixels. The first crop of a smaller scene is too small
for a clear frame."""
SMALL = 64
"""Side of other scenes, in pixels."""
OBJECT = 200
"""Side of the object's box in a scene that the builder crops, in pixels."""
EDGE = (2, 5)
"""Range of the gap between that box and two edges of the scene, in pixels. An object in a corner
leaves a large first crop that misses it: a crop of the other side."""
_DRAWN = 192
"""Least side at which scenes are drawn, before they are scaled down."""
ROOM = 1.25
"""Half the side of an object's box, in units of the object's radius."""
VIEWS = (0.05, 0.3, 1.0)
"""Widths of a thin plate that turns towards the camera; the edge does not show its shape."""


def _round(sides: int, radius: Callable[[int], float], turn: float = 0.0) -> list[Point]:
    angles = [2 * math.pi * (i / sides + turn) for i in range(sides)]
    return [
        (radius(i) * math.sin(angle), -radius(i) * math.cos(angle))
        for i, angle in enumerate(angles)
    ]


SHAPES: dict[str, list[Point]] = {
    "circle": _round(32, lambda i: 1.0),
    "square": _round(4, lambda i: 1.2, 1 / 8),
    "triangle": _round(3, lambda i: 1.15),
    "star": _round(10, lambda i: 0.42 if i % 2 else 1.2),
    "cross": [
        (x * 1.05, y * 1.05)
        for x, y in (
            (-0.3, -1), (0.3, -1), (0.3, -0.3), (1, -0.3), (1, 0.3), (0.3, 0.3),
            (0.3, 1), (-0.3, 1), (-0.3, 0.3), (-1, 0.3), (-1, -0.3), (-0.3, -0.3),
        )
    ],
    "arrow": [(0, -1.1), (0.9, 0), (0.35, 0), (0.35, 1.1), (-0.35, 1.1), (-0.35, 0), (-0.9, 0)],
    "moon": [
        *[(math.cos(a), math.sin(a)) for a in (math.pi * (0.5 + i / 12) for i in range(13))],
        *[(0.15 - 0.55 * math.sin(a), -math.cos(a)) for a in (math.pi * i / 12 for i in range(13))],
    ],
    "hourglass": [(-0.9, -1.1), (0.9, -1.1), (-0.9, 1.1), (0.9, 1.1)],
}  # fmt: skip
"""Outlines by name, in units of the radius around the centre; y points down."""


def turned(points: list[Point], angle: float) -> list[Point]:
    """Rotates points by an angle in radians."""
    cos, sin = math.cos(angle), math.sin(angle)
    return [(x * cos - y * sin, x * sin + y * cos) for x, y in points]


def _colour(rng: random.Random, light: bool) -> tuple[int, int, int]:
    low, high = (150, 250) if light else (10, 110)
    return rng.randint(low, high), rng.randint(low, high), rng.randint(low, high)


def painted(
    shape: str, rng: random.Random, side: int, radius: float, middle: Point, width: float = 1.0
) -> Image.Image:
    """Paints a filled shape on a plain ground. `width` narrows it, as if seen from the side."""
    light = rng.random() < 0.5
    finer = max(1, _DRAWN // side)
    image = Image.new("RGB", (side * finer, side * finer), _colour(rng, light))
    fill = _colour(rng, not light)
    outline = turned(SHAPES[shape], rng.uniform(-0.25, 0.25))
    corners = [
        (finer * (middle[0] + x * radius * width), finer * (middle[1] + y * radius))
        for x, y in outline
    ]
    ImageDraw.Draw(image).polygon(corners, fill=fill)
    return image.resize((side, side), Image.Resampling.BOX)


def strokes(shape: str, rng: random.Random) -> list[list[Point]]:
    """Returns a sketch: first an uninformative line, then three nested outlines."""
    outline = turned(SHAPES[shape], rng.uniform(-0.25, 0.25))
    height = rng.uniform(1.3, 1.5) * rng.choice((-1, 1))
    ground = [(rng.uniform(-1.3, -0.9), height), (rng.uniform(0.9, 1.3), height)]
    rings = (
        [(x * scale, y * scale) for x, y in [*outline, outline[0]]] for scale in (1.0, 0.92, 0.84)
    )
    return [ground, *rings]


def _wrote(image: Image.Image, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    image.save(file)


def _listed(folder: Path, rows: Iterator[dict[str, object]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "list.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def _pictures(folder: Path, rng: random.Random, each: int, *, cropped: bool) -> Path:
    def rows() -> Iterator[dict[str, object]]:
        for shape in SHAPES:
            for number in range(each):
                side, reach, middle = _in_a_corner(rng) if cropped else _near_the_middle(rng)
                path = Path("pictures") / shape / f"{number}.png"
                image = painted(shape, rng, side, reach / ROOM, middle)
                _wrote(image, folder / path)
                box = [middle[0] - reach, middle[1] - reach, 2 * reach, 2 * reach]
                yield {"path": str(path), "label": shape, "box": box}

    return _listed(folder, rows())


class Layout(NamedTuple):
    """Place of the object in a square scene, in pixels."""

    side: int
    reach: float
    """Half the side of the object's box."""
    middle: Point


def _in_a_corner(rng: random.Random) -> Layout:
    near = [rng.uniform(*EDGE) + OBJECT / 2 for _ in range(2)]
    across, down = (rng.choice((place, SIDE - place)) for place in near)
    return Layout(SIDE, OBJECT / 2, (across, down))


def _near_the_middle(rng: random.Random) -> Layout:
    reach = ROOM * rng.uniform(15, 21)
    across, down = (SMALL / 2 + rng.uniform(-5, 5) for _ in range(2))
    return Layout(SMALL, reach, (across, down))


def _views(folder: Path, rng: random.Random, each: int) -> Path:
    for shape in SHAPES:
        for number in range(each):
            look = rng.getrandbits(32)
            for view, width in enumerate(VIEWS):
                image = painted(
                    shape, random.Random(look), SMALL, 20, (SMALL / 2, SMALL / 2), width
                )
                _wrote(image, folder / shape / str(number) / f"{view}.png")
    return folder


def _drawings(folder: Path, rng: random.Random, each: int) -> Path:
    return _listed(
        folder,
        ({"label": s, "strokes": strokes(s, rng)} for s in SHAPES for _ in range(each)),
    )


def build(
    out: Path, kinds: Sequence[str], *, each: int, seed: int, train_share: float = 0.0
) -> None:
    """Builds scenes into the folder `out`: `each` per shape and scenario of `kinds`."""
    rng = random.Random(seed)
    raw = out.with_name(f"{out.name}-scenes")
    command = [sys.executable, "-m", "proactive_agent", "build", "--out", str(out)]
    for kind in kinds:
        command += ["--scenario", f"{kind}={_source(kind, raw / kind, rng, each)}"]
    command += ["--size", str(SIDE), "--frames", "6", "--seed", str(seed)]
    command += ["--train-share", str(train_share)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _source(kind: str, folder: Path, rng: random.Random, each: int) -> Path:
    match kind:
        case "mvp-n":
            return _views(folder, rng, each)
        case "quickdraw":
            return _drawings(folder, rng, each)
        case _:
            return _pictures(folder, rng, each, cropped=kind == "coco")
