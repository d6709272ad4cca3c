"""Things that open over a photograph: layers for an openness between 0 (shut) and 1 (open)."""

from __future__ import annotations

import numpy as np
from picture import placed, shaded
from PIL import Image, ImageDraw

Size = tuple[int, int]


def _curtain(size: Size, openness: float, colour: tuple[int, int, int]) -> Image.Image:
    """Two drapes that gather at the sides."""
    width, height = size
    drape = max(10, round(width / 2 * (1 - 0.9 * openness)))
    # The same number of folds in less width: the cloth gathers.
    across = np.arange(drape) / drape
    folds = 0.72 + 0.28 * np.sin(across * 2 * np.pi * 6)
    left = shaded(Image.new("RGBA", (drape, height), (*colour, 255)), folds)
    layer = placed(left, size, 0, 0)
    layer.paste(left.transpose(Image.Transpose.FLIP_LEFT_RIGHT), (width - drape, 0))
    return layer


def red_curtain(size: Size, openness: float) -> Image.Image:
    """A red stage curtain."""
    return _curtain(size, openness, (170, 30, 38))


def green_curtain(size: Size, openness: float) -> Image.Image:
    """A green living-room curtain."""
    return _curtain(size, openness, (70, 112, 84))


def sliding_door(size: Size, openness: float) -> Image.Image:
    """A wooden door that slides to the right."""
    width, height = size
    rng = np.random.default_rng(7)
    grain = np.cumsum(rng.normal(0, 0.02, width))
    grain = 0.85 + 0.12 * np.sin(grain * 9 + np.arange(width) / 17)
    door = shaded(Image.new("RGBA", size, (158, 110, 66, 255)), grain)
    draw = ImageDraw.Draw(door)
    for plank in range(0, width, 56):
        draw.line((plank, 0, plank, height), fill=(92, 60, 34, 255), width=2)
    draw.rounded_rectangle((10, height // 2 - 24, 18, height // 2 + 24), 4, fill=(60, 60, 62, 255))
    return placed(door, size, round(width * openness), 0)


def roller_blind(size: Size, openness: float) -> Image.Image:
    """A slatted blind that is pulled up."""
    width, height = size
    slats = Image.new("RGBA", size, (198, 192, 178, 255))
    period = 14
    ramp = 0.75 + 0.3 * (np.arange(height) % period) / period
    slats = shaded(slats, ramp[:, None])
    ImageDraw.Draw(slats).rectangle((0, height - 6, width, height), fill=(120, 112, 98, 255))
    return placed(slats, size, 0, -round((height - 8) * openness))


def box_flaps(size: Size, openness: float) -> Image.Image:
    """Two flaps of a cardboard box seen from above; they swing up and out."""
    width, height = size
    reach = max(2, round(width / 2 * np.cos(openness * np.pi / 2)))
    light = 1.0 - 0.35 * openness + 0.12 * np.linspace(-1, 1, reach)
    flap = shaded(Image.new("RGBA", (reach, height), (190, 148, 98, 255)), light)
    draw = ImageDraw.Draw(flap)
    draw.line((reach - 1, 0, reach - 1, height), fill=(128, 94, 56, 255), width=2)
    layer = placed(flap, size, 0, 0)
    layer.paste(flap.transpose(Image.Transpose.FLIP_LEFT_RIGHT), (width - reach, 0))
    if openness == 0:
        tape = (width // 2 - 14, 0, width // 2 + 14, height)
        ImageDraw.Draw(layer).rectangle(tape, fill=(214, 186, 140, 255))
    rim = ImageDraw.Draw(layer)
    rim.rectangle((0, 0, width - 1, height - 1), outline=(150, 112, 70, 255), width=8)
    return layer
