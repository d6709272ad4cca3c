"""Floors, walls and tables as small tileable pictures (cheaper to render than procedural noise)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Array = NDArray[np.float64]
Rgb = tuple[int, int, int]
SIZE = 512


def _field(rng: np.random.Generator, blur: float, stretch: int = 1) -> Array:
    """Smooth tileable noise in -1..1, stretched along x by `stretch`."""
    small = rng.random((SIZE, SIZE // stretch))
    picture = Image.fromarray((np.tile(small, (3, 3)) * 255).astype(np.uint8))
    soft = np.asarray(picture.filter(ImageFilter.GaussianBlur(blur)), dtype=np.float64)
    rows, columns = small.shape
    soft = soft[rows : 2 * rows, columns : 2 * columns]
    soft = np.repeat(soft, stretch, axis=1)
    soft -= soft.mean()
    return np.asarray(soft / (np.abs(soft).max() + 1e-9))


def _paint(shade: Array, colour: Rgb) -> Image.Image:
    rgb = np.asarray(colour, dtype=np.float64)[None, None, :] * shade[:, :, None]
    return Image.fromarray(np.clip(rgb, 0, 255).astype(np.uint8))


def planks(rng: np.random.Generator, colour: Rgb) -> Image.Image:
    """Wooden boards along x, each with a different shade."""
    shade = 1 + 0.10 * _field(rng, 1.2, 16) + 0.10 * _field(rng, 6, 8)
    step = SIZE // 6
    for board in range(6):
        rows = slice(board * step, SIZE if board == 5 else (board + 1) * step)
        start = int(rng.integers(0, SIZE))
        for half in range(2):
            columns = (np.arange(SIZE // 2) + start + half * SIZE // 2) % SIZE
            shade[rows, columns] *= 1 + rng.uniform(-0.16, 0.12)
            shade[rows, (start + half * SIZE // 2) % SIZE] *= 0.55
        shade[board * step : board * step + 2] *= 0.55
    return _paint(shade, colour)


def wood(rng: np.random.Generator, colour: Rgb) -> Image.Image:
    """The even grain of a table top."""
    shade = 1 + 0.09 * _field(rng, 1.0, 32) + 0.12 * _field(rng, 8, 16)
    return _paint(shade, colour)


def tiles(rng: np.random.Generator, colour: Rgb) -> Image.Image:
    """Square tiles with light joints."""
    shade = 1 + 0.04 * _field(rng, 3)
    step = SIZE // 4
    for row in range(4):
        for column in range(4):
            area = (slice(row * step, (row + 1) * step), slice(column * step, (column + 1) * step))
            shade[area] *= 1 + rng.uniform(-0.07, 0.07)
    for line in range(0, SIZE, step):
        shade[line : line + 5] = 1.12
        shade[:, line : line + 5] = 1.12
    return _paint(shade, colour)


def carpet(rng: np.random.Generator, colour: Rgb) -> Image.Image:
    """Short pile."""
    return _paint(1 + 0.22 * _field(rng, 0.9) + 0.10 * _field(rng, 14), colour)


def plaster(rng: np.random.Generator, colour: Rgb) -> Image.Image:
    """A painted wall."""
    return _paint(1 + 0.03 * _field(rng, 1.5) + 0.04 * _field(rng, 30), colour)


def stripes(rng: np.random.Generator, colour: Rgb) -> Image.Image:
    """Striped wallpaper."""
    shade = 1 + 0.02 * _field(rng, 1.5)
    for start in range(0, SIZE, SIZE // 4):
        shade[:, start : start + SIZE // 8] *= 0.88
    return _paint(shade, colour)


def bricks(rng: np.random.Generator, colour: Rgb) -> Image.Image:
    """A brick wall."""
    shade = 1 + 0.16 * _field(rng, 1.6)
    height, width = SIZE // 8, SIZE // 4
    for row in range(8):
        rows = slice(row * height, (row + 1) * height)
        for column in range(4):
            columns = (np.arange(width) + column * width + (row % 2) * width // 2) % SIZE
            shade[rows, columns] *= 1 + rng.uniform(-0.18, 0.14)
            shade[rows, columns[:5]] = 1.35
        shade[row * height : row * height + 5] = 1.35
    return _paint(shade, colour)


MAKERS = {
    "planks": planks,
    "wood": wood,
    "tiles": tiles,
    "carpet": carpet,
    "plaster": plaster,
    "stripes": stripes,
    "bricks": bricks,
}


def texture(folder: Path, kind: str, colour: Rgb) -> Path:
    """The file of a texture, drawn on first use."""
    path = folder / f"{kind}_{colour[0]:02x}{colour[1]:02x}{colour[2]:02x}.png"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(colour)
        MAKERS[kind](rng, colour).save(path)
    return path
