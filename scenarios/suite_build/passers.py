"""Things that pass in front of a camera, drawn as layers of a wanted size."""

from __future__ import annotations

import random

import numpy as np
from picture import RGB, shaded
from PIL import Image, ImageDraw, ImageFilter


def _wheels(draw: ImageDraw.ImageDraw, centres: tuple[int, ...], bottom: int, radius: int) -> None:
    for x in centres:
        top = bottom - 2 * radius
        draw.ellipse((x - radius, top, x + radius, bottom), fill=(28, 28, 30, 255))
        inner = radius // 2
        middle = bottom - radius
        draw.ellipse(
            (x - inner, middle - inner, x + inner, middle + inner), fill=(150, 150, 155, 255)
        )


def bus(width: int, height: int, colour: RGB) -> Image.Image:
    """A town bus seen from the side; its windows mirror the sky, so nothing shows through."""
    layer = Image.new("RGBA", (width, height))
    draw = ImageDraw.Draw(layer)
    radius = height // 10
    floor = height - radius
    draw.rounded_rectangle((0, 0, width - 1, floor), radius=height // 12, fill=(*colour, 255))
    panes = max(2, round(3.2 * width / height))
    pane = width / (panes + 0.5)
    for index in range(panes):
        left = int(pane * (index + 0.35))
        box = (left, height // 7, left + int(pane * 0.85), height // 2)
        draw.rounded_rectangle(box, radius=6, fill=(92, 112, 128, 255))
        shine = [(box[0] + 4, box[3]), (box[0] + 18, box[1]), (box[0] + 28, box[1])]
        draw.polygon([*shine, (box[0] + 14, box[3])], fill=(132, 152, 166, 255))
    dark = tuple(value * 2 // 3 for value in colour)
    draw.rectangle((0, height * 3 // 5, width - 1, height * 3 // 5 + 7), fill=(240, 240, 235, 255))
    draw.rectangle((0, floor - 8, width - 1, floor), fill=(*dark, 255))
    _wheels(draw, (width // 5, width * 4 // 5), height - 1, radius)
    return layer


def lorry(width: int, height: int, colour: RGB) -> Image.Image:
    """A lorry seen from the side: a ribbed box and a cab at its right end."""
    layer = Image.new("RGBA", (width, height))
    draw = ImageDraw.Draw(layer)
    radius = height // 10
    floor = height - radius
    box_end = width * 4 // 5
    draw.rectangle((0, 0, box_end, floor - 6), fill=(*colour, 255))
    rib = tuple(value * 9 // 10 for value in colour)
    for x in range(6, box_end, 16):
        draw.rectangle((x, 4, x + 3, floor - 10), fill=(*rib, 255))
    draw.rectangle((0, floor - 6, width - 1, floor), fill=(50, 50, 54, 255))
    cab = (box_end + 4, height // 4, width - 1, floor)
    draw.rounded_rectangle(cab, radius=10, fill=(60, 96, 140, 255))
    window = (cab[0] + 10, cab[1] + 8, cab[2] - 4, height // 2)
    draw.rounded_rectangle(window, radius=6, fill=(120, 140, 152, 255))
    _wheels(draw, (width // 7, width * 2 // 5, width * 9 // 10), height - 1, radius)
    return layer


def hiker(width: int, height: int, colour: RGB) -> Image.Image:
    """A person in a rain cape seen from behind, close to the camera."""
    large = 2
    layer = Image.new("RGBA", (width * large, height * large))
    draw = ImageDraw.Draw(layer)
    w, h = layer.size
    draw.ellipse((w * 0.30, 0, w * 0.70, h * 0.36), fill=(*colour, 255))
    cape = [(0.34, 0.18), (0.66, 0.18), (0.86, 0.30), (0.94, 0.55), (1.0, 1.0), (0.0, 1.0)]
    cape += [(0.06, 0.55), (0.14, 0.30)]
    draw.polygon([(x * w, y * h) for x, y in cape], fill=(*colour, 255))
    pack = (w * 0.24, h * 0.36, w * 0.76, h * 0.90)
    draw.rounded_rectangle(pack, radius=w // 10, fill=(92, 74, 50, 255))
    draw.rounded_rectangle(
        (w * 0.32, h * 0.58, w * 0.68, h * 0.84), radius=w // 16, fill=(112, 92, 64, 255)
    )
    layer = layer.resize((width, height), Image.Resampling.LANCZOS)
    bulge = 0.7 + 0.35 * np.sin(np.linspace(0.25, np.pi - 0.1, width))
    return shaded(layer, bulge)


def cloud(width: int, height: int, colour: RGB) -> Image.Image:
    """A bank of cloud: a dense core with billowing edges."""
    rng = random.Random(width)
    mask = Image.new("L", (width, height))
    draw = ImageDraw.Draw(mask)
    draw.rectangle((width * 0.16, 0, width * 0.84, height), fill=255)
    for _ in range(60):
        side = rng.choice((0.16, 0.84))
        x = width * (side + rng.uniform(-0.05, 0.05))
        y, radius = rng.uniform(0, height), rng.uniform(0.04, 0.10) * width
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    mask = mask.filter(ImageFilter.GaussianBlur(width * 0.02))
    layer = Image.new("RGBA", (width, height), (*colour, 255))
    puffs = Image.effect_noise((9, 9), 0)
    puffs.putdata([rng.randrange(170, 256) for _ in range(81)])
    light = np.asarray(puffs.resize((width, height), Image.Resampling.BICUBIC)) / 255
    layer = shaded(layer, light)
    layer.putalpha(mask)
    return layer
