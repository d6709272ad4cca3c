"""Scenario quickdraw: Lucide icons as strokes with a slight wobble, the shortest first."""

from __future__ import annotations

import json
import math
import random
import re
import subprocess
import tarfile
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

from catalogue import CACHE
from PIL import Image, ImageDraw
from svgpathtools import parse_path

Point = tuple[float, float]
Stroke = list[Point]
PACKAGE = "lucide-static@1.62.0"
LONGEST = 12.0
UNIT = 24

ICONS: dict[str, str] = {
    "cat": "Cat",
    "bike": "Bicycle",
    "guitar": "Guitar",
    "fish": "Fish",
    "snail": "Snail",
    "turtle": "Turtle",
    "rabbit": "Rabbit",
    "sailboat": "Sailing boat",
    "helicopter": "Helicopter",
    "tractor": "Tractor",
    "anchor": "Anchor",
    "panda": "Panda",
    "croissant": "Croissant",
    "armchair": "Armchair",
    "rocket": "Rocket",
    "pizza": "Pizza",
    "cherry": "Cherries",
    "carrot": "Carrot",
    "drum": "Drum",
    "castle": "Castle",
    "church": "Church",
    "skull": "Skull",
    "telescope": "Telescope",
    "microscope": "Microscope",
    "trophy": "Trophy",
    "squirrel": "Squirrel",
    "footprints": "Footprints",
    "dumbbell": "Dumbbell",
    "fire-extinguisher": "Fire extinguisher",
    "traffic-cone": "Traffic cone",
    "caravan": "Caravan",
    "shrimp": "Shrimp",
    "ice-cream-cone": "Ice cream cone",
    "hamburger": "Hamburger",
    "shell": "Snail shell",
    "tent-tree": "Tent",
    "tree-palm": "Palm tree",
    "forklift": "Forklift",
    "crown": "Crown",
    "toilet": "Toilet",
}


def fetch() -> Path:
    """Download and unpack the icons on first use."""
    icons = CACHE / "lucide" / "package" / "icons"
    if not icons.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=CACHE, check=True)
        with tarfile.open(next(CACHE.glob("lucide-static-*.tgz"))) as archive:
            archive.extractall(CACHE / "lucide", filter="data")
    return icons


def from_feather() -> set[str]:
    """The icons that were taken from Feather, according to the licence."""
    text = (fetch().parent / "LICENSE").read_text(encoding="utf-8")
    listed = text.split("derived from the Feather project:")[1].split("The MIT License")[0]
    return {name.strip() for name in listed.replace("\n", " ").split(",")}


def licence() -> str:
    """The text of the ISC licence in the package."""
    text = (fetch().parent / "LICENSE").read_text(encoding="utf-8")
    return text.split("\n---")[0].strip()


def _line(points: list[Point]) -> Stroke:
    """Points along a polyline."""
    stroke: Stroke = [points[0]]
    for start, end in pairwise(points):
        steps = max(2, math.ceil(math.dist(start, end) * 6))
        for step in range(1, steps + 1):
            share = step / steps
            stroke.append((start[0] + (end[0] - start[0]) * share,
                           start[1] + (end[1] - start[1]) * share))  # fmt: skip
    return stroke


def _path(data: str) -> list[Stroke]:
    strokes = []
    for part in parse_path(data).continuous_subpaths():
        steps = max(2, math.ceil(part.length() * 6))
        points = [part.point(step / steps) for step in range(steps + 1)]
        strokes.append([(point.real, point.imag) for point in points])
    return strokes


def _shape(element: ET.Element) -> list[Stroke]:
    """The outline of one SVG element."""
    tag = element.tag.split("}")[-1]

    def number(name: str) -> float:
        return float(element.get(name, "0"))

    if tag == "path":
        return _path(element.get("d", ""))
    if tag in ("circle", "ellipse"):
        wide, high = number("rx") or number("r"), number("ry") or number("r")
        steps = max(12, math.ceil(40 * wide))
        return [[(number("cx") + wide * math.cos(2 * math.pi * step / steps),
                  number("cy") + high * math.sin(2 * math.pi * step / steps))
                 for step in range(steps + 1)]]  # fmt: skip
    if tag == "rect":
        x, y, wide, high = number("x"), number("y"), number("width"), number("height")
        corners = [(x, y), (x + wide, y), (x + wide, y + high), (x, y + high), (x, y)]
        return [_line(corners)]
    if tag == "line":
        return [_line([(number("x1"), number("y1")), (number("x2"), number("y2"))])]
    if tag in ("polyline", "polygon"):
        pairs = re.findall(r"(-?[\d.]+)[ ,]+(-?[\d.]+)", element.get("points", ""))
        points = [(float(x), float(y)) for x, y in pairs]
        return [_line([*points, points[0]] if tag == "polygon" else points)]
    return []


def length(stroke: Stroke) -> float:
    """The length of a stroke in icon units (an icon is 24 wide)."""
    return sum(math.dist(start, end) for start, end in pairwise(stroke))


def strokes(icon: str) -> list[Stroke]:
    """The strokes of an icon: cut, sorted and drawn with a slight wobble."""
    pieces: list[Stroke] = []
    for element in ET.parse(fetch() / f"{icon}.svg").getroot().iter():
        for stroke in _shape(element):
            count = max(1, math.ceil(length(stroke) / LONGEST - 0.05))
            for part in range(count):
                start = part * (len(stroke) - 1) // count
                end = (part + 1) * (len(stroke) - 1) // count
                pieces.append(stroke[start : end + 1])
    pieces.sort(key=length)
    rng = random.Random(icon)
    return [_wobble(piece, rng) for piece in pieces]


def _wobble(stroke: Stroke, rng: random.Random) -> Stroke:
    phase = [rng.uniform(0, 2 * math.pi) for _ in range(4)]
    shift = rng.uniform(-0.1, 0.1), rng.uniform(-0.1, 0.1)
    size = 0.13
    return [
        (
            round(x + shift[0] + size * (math.sin(k * 0.11 + phase[0])
                                         + 0.5 * math.sin(k * 0.29 + phase[1])), 2),
            round(y + shift[1] + size * (math.sin(k * 0.13 + phase[2])
                                         + 0.5 * math.sin(k * 0.31 + phase[3])), 2),
        )
        for k, (x, y) in enumerate(stroke)
        if k % 2 == 0 or k == len(stroke) - 1
    ]  # fmt: skip


def draw(drawn: list[Stroke], size: int = 448, width: int = 7) -> Image.Image:
    """Black strokes on white."""
    image = Image.new("RGB", (size * 2, size * 2), "white")
    pen = ImageDraw.Draw(image)
    scale = size * 2 / (UNIT + 4)
    for stroke in drawn:
        points = [((x + 2) * scale, (y + 2) * scale) for x, y in stroke]
        pen.line(points, fill="black", width=2 * width, joint="curve")
        for x, y in (points[0], points[-1]):
            pen.ellipse((x - width, y - width, x + width, y + width), fill="black")
    return image.resize((size, size), Image.Resampling.LANCZOS)


def render(out: Path) -> None:
    """Write the strokes and the finished drawing of every icon."""
    feather = from_feather()
    for number, (icon, label) in enumerate(ICONS.items()):
        if icon in feather:
            raise ValueError(f"{icon} is taken from Feather")
        folder = out / "quickdraw" / f"{number:02d}_{icon.replace('-', '_')}"
        folder.mkdir(parents=True, exist_ok=True)
        drawn = strokes(icon)
        (folder / "strokes.json").write_text(json.dumps(drawn, separators=(",", ":")) + "\n")
        draw(drawn).save(folder / "final.png")
        record = {"name": folder.name, "label": label, "icon": icon,
                  "library": PACKAGE, "creator": "Lucide Icons and Contributors",
                  "licence": "ISC", "strokes": "strokes.json", "final": "final.png",
                  "count": len(drawn), "unit": UNIT, "lengths":
                  [round(length(stroke), 1) for stroke in drawn]}  # fmt: skip
        (folder / "record.json").write_text(json.dumps(record, indent=1) + "\n")
