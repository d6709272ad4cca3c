"""Shared RGBA layers: walls of blocks (rod) and things that pass by (vsod)."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from pathlib import Path

import bpy
import numpy as np
import studio
from catalogue import models
from PIL import Image, ImageDraw, ImageFilter
from rooms import STAGES

COLOURS = ((205, 44, 40), (40, 92, 190), (240, 184, 40), (52, 148, 74), (226, 120, 40),
           (132, 62, 158), (40, 160, 170), (232, 120, 160))  # fmt: skip
PALE = ((238, 170, 160), (160, 190, 226), (246, 222, 150), (170, 212, 172), (206, 180, 222))
WOODS = ((196, 146, 96), (170, 116, 70), (216, 176, 128), (150, 104, 66))

# name: model, turn, height of the layer and position of its foot (shares of the frame)
PASSERS = {
    "coach": ("Scopia/bus", 90.0, 0.62, 0.90),
    "city_bus": ("Scopia/cityBus", 90.0, 0.62, 0.90),
    "container": ("BlendSwap-CC-0/shippingContainer", 90.0, 0.60, 0.90),
    "folding_screen": ("Scopia/japanese_style_screen", 0.0, 0.80, 0.94),
    "wardrobe": ("Scopia/wardrobe1", 0.0, 0.82, 0.94),
    "hedge": ("Scopia/hedge", 0.0, 0.66, 0.92),
    "garden_hut": ("Scopia/garden-hut", 0.0, 0.86, 0.95),
    "armoire": ("BlendSwap-CC-BY/wardrobe2", 0.0, 0.84, 0.94),
}


def _light(size: tuple[int, int], stage: str, threads: int) -> None:
    studio.start("interior.exr", 0.5, size, threads)
    bpy.context.scene.cycles.samples = 12
    bpy.context.scene.render.film_transparent = True
    bpy.context.scene.render.image_settings.color_mode = "RGBA"
    studio.sun(-30, 50, 1.9)
    view = STAGES[stage]
    studio.look(view.camera, view.target, view.lens)


def _cubes(rng: random.Random) -> None:
    """Four rows of coloured cubes."""
    edge = 0.25
    for row in range(4):
        for column in range(5):
            x, y = (column - 2.5) * edge, -0.95 + rng.uniform(-0.012, 0.012)
            paint = studio.paint(rng.choice(COLOURS), 0.4)
            studio.block((x, y, row * edge), (x + edge - 0.002, y + edge, (row + 1) * edge), paint,
                         0.012)  # fmt: skip


def _bricks(rng: random.Random) -> None:
    """Long pastel bricks. Each row is shifted; the ends are flush."""
    for row in range(7):
        edges = [-0.64, *(-0.64 + 0.32 * k - (0.16 if row % 2 else 0) for k in range(1, 5)), 0.64]
        for left, right in pairwise(edges):
            paint = studio.paint(rng.choice(PALE), 0.5)
            y = -0.95 + rng.uniform(-0.01, 0.01)
            studio.block((left, y, row * 0.145), (right - 0.003, y + 0.2, row * 0.145 + 0.143),
                         paint, 0.01)  # fmt: skip


def _boards(rng: random.Random) -> None:
    """Upright wooden and coloured boards of two lengths."""
    x = -0.66
    for column in range(9):
        width = (0.12, 0.16, 0.18)[column % 3]
        split = rng.uniform(0.35, 0.65)
        for low, high in ((0.0, split), (split, 1.0)):
            paint = studio.paint(rng.choice(COLOURS + WOODS), 0.5)
            y = -0.95 + rng.uniform(-0.015, 0.015)
            studio.block((x, y, low), (x + width - 0.002, y + 0.2, high - 0.002), paint, 0.012)
        x += width


def _mixed(rng: random.Random) -> None:
    """Wooden blocks with coloured ones between, rows of unequal height."""
    z = 0.0
    for height in (0.22, 0.3, 0.2, 0.3):
        x = -0.66
        while x < 0.62:
            width = min(rng.choice((0.2, 0.28, 0.36)), 0.66 - x)
            width = 0.66 - x if 0.66 - x - width < 0.1 else width
            pool = WOODS if rng.random() < 0.5 else COLOURS
            paint = studio.paint(rng.choice(pool), 0.5, "wood" if pool is WOODS else "", 0.5)
            y = -0.95 + rng.uniform(-0.012, 0.012)
            studio.block((x, y, z), (x + width - 0.002, y + 0.22, z + height - 0.002), paint, 0.014)
            x += width
        z += height


def _big(rng: random.Random) -> None:
    """Three rows of big two-coloured blocks."""
    for row in range(3):
        for column in range(4):
            x, z = (column - 2) * 0.34, row * 0.34
            paint = studio.paint(COLOURS[(row * 3 + column * 2) % len(COLOURS)], 0.35)
            y = -0.95 + rng.uniform(-0.012, 0.012)
            studio.block((x, y, z), (x + 0.338, y + 0.3, z + 0.338), paint, 0.03)


WALLS = {"cubes": _cubes, "bricks": _bricks, "boards": _boards, "mixed": _mixed, "big": _big}


def _grounded(layer: Image.Image, blur: float, strength: float) -> Image.Image:
    """Add a soft contact shadow under the foot of a layer."""
    solid = layer.getchannel("A").point([0] * 128 + [255] * 128)
    left, _, right, bottom = solid.getbbox() or (0, 0, 0, 0)
    dark = Image.new("L", layer.size)
    draw = ImageDraw.Draw(dark)
    draw.rounded_rectangle((left - 4, bottom - 14, right + 10, bottom + 5), 6, fill=255)
    dark = dark.filter(ImageFilter.GaussianBlur(blur))
    shadow = Image.new("RGBA", layer.size)
    shadow.putalpha(dark.point([round(value * strength) for value in range(256)]))
    shadow.alpha_composite(layer)
    return shadow


def opaque_box(layer: Image.Image) -> tuple[int, int, int, int]:
    """The largest rectangle that is opaque in every pixel."""
    solid = np.asarray(layer.getchannel("A")) == 255
    heights = np.zeros(solid.shape[1], dtype=int)
    best, area = (0, 0, 0, 0), 0
    for row in range(solid.shape[0]):
        heights = np.where(solid[row], heights + 1, 0)
        stack: list[int] = []
        for column in range(len(heights) + 1):
            height = heights[column] if column < len(heights) else 0
            while stack and heights[stack[-1]] >= height:
                tall = int(heights[stack.pop()])
                left = stack[-1] + 1 if stack else 0
                if tall * (column - left) > area:
                    area = tall * (column - left)
                    best = (left, row - tall + 1, column, row + 1)
            stack.append(column)
    return best


def _solid(layer: Image.Image) -> Image.Image:
    """Make nearly opaque pixels opaque, so that nothing shines through."""
    layer.putalpha(layer.getchannel("A").point([v if v < 232 else 255 for v in range(256)]))
    return layer


def _filled(layer: Image.Image) -> Image.Image:
    """Fill the windows and gaps of a layer with darkness, so that nothing shows through."""
    solid = np.asarray(layer.getchannel("A")) > 127
    inside = np.ones_like(solid)
    for axis in (0, 1):
        before = np.maximum.accumulate(solid, axis=axis)
        after = np.flip(np.maximum.accumulate(np.flip(solid, axis), axis=axis), axis)
        inside &= before & after
    dark = Image.new("RGBA", layer.size, (38, 42, 48, 255))
    dark.putalpha(Image.fromarray((inside * 255).astype(np.uint8)))
    dark.alpha_composite(layer)
    return dark


def _save(folder: Path, name: str, layer: Image.Image, source: str) -> None:
    layer.save(folder / f"{name}.png")
    visible = layer.getchannel("A").point([0] * 8 + [255] * 248).getbbox()
    record = {"file": f"{name}.png", "size": layer.size, "opaque_box": opaque_box(layer),
              "visible_box": visible, "model": source}  # fmt: skip
    (folder / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")


def walls(out: Path, threads: int) -> None:
    """Render the walls of blocks, standing in front of the middle of the table."""
    folder = out / "rod" / "layers"
    for number, (name, builder) in enumerate(WALLS.items()):
        if (folder / f"{name}.json").exists():
            continue
        _light(STAGES["rod"].size, "rod", threads)
        builder(random.Random(number))
        studio.block((-0.6, -0.71, 0.02), (0.6, -0.69, 0.98), studio.paint((40, 34, 30), 0.9))
        layer = _solid(studio.shoot(folder / f"{name}.tmp.png"))
        (folder / f"{name}.tmp.png").unlink()
        _save(folder, name, _grounded(layer, 6, 0.55), "")


def passers(out: Path, threads: int) -> None:
    """Render the passers from the side, each on a canvas as wide as the passer."""
    folder = out / "vsod" / "layers"
    wide, high = STAGES["vsod"].size
    for name, (key, turn, share, foot) in PASSERS.items():
        if (folder / f"{name}.json").exists():
            continue
        model = models()[key]
        _light((1024, high), "vsod", threads)
        studio.look((0, -14, 1.6), (0, 0, 0.5), 50)
        thing = studio.load(model.path, model.rotation)
        studio.put(thing, (0, 0, 0), turn, (0.92, share))
        # aim so that the foot of the passer stands at its height in the frame
        camera = bpy.context.scene.camera
        camera.data.shift_y = 0.0
        bottom = thing.frame_box()[3]
        camera.data.shift_y = (foot - bottom) * high / 1024
        bpy.context.view_layer.update()
        layer = _solid(studio.shoot(folder / f"{name}.tmp.png"))
        (folder / f"{name}.tmp.png").unlink()
        layer = _grounded(_filled(layer), 7, 0.5)
        left, _, right, _ = layer.getbbox() or (0, 0, wide, high)
        pad = 4
        layer = layer.crop((max(0, left - pad), 0, min(1024, right + pad), high))
        _save(folder, name, layer, key)
