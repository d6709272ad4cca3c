"""Other colours for things and rooms: a turn of the hue, lightness, tints and grain."""

import random
from functools import cache
from math import prod
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from proactive_agent.scenarios.fresh.raster import Pixels

Noise: TypeAlias = npt.NDArray[np.int16]

TURNS = (
    (256, 0, 0), (250, -35, 41), (233, -62, 85), (206, -80, 130),
    (170, -85, 171), (130, -80, 206), (85, -62, 233), (41, -35, 250),
    (0, 0, 256), (-35, 41, 250), (-62, 85, 233), (-80, 130, 206),
    (-86, 171, 171), (-80, 206, 130), (-62, 233, 85), (-35, 250, 41),
    (0, 256, 0), (41, 250, -35), (85, 233, -62), (130, 206, -80),
    (170, 171, -85), (206, 130, -80), (233, 85, -62), (250, 41, -35),
)  # fmt: skip
"""Rows of the matrices that turn the hue by 15 degrees each, times 256. The second and third row
of a matrix are its first row, shifted by one and two places."""

GRAIN_SIDE = 512


def repainted(picture: Pixels, rng: random.Random, *, natural: bool) -> Pixels:
    """Returns a thing (3, height, width) in other colours, so that colour does not reveal it.

    The hue of natural things is turned by at most 15 degrees.
    """
    turn = rng.choice((-1, 0, 0, 1)) if natural else rng.randrange(len(TURNS))
    saturation = rng.randint(150, 225)
    tint = [rng.randint(210, 280) for _ in range(3)]
    lightness = rng.randint(215, 300)
    if natural:
        tint = [256, 256, 256]
    own, left, right = TURNS[turn]
    rows = ((own, left, right), (right, own, left), (left, right, own))
    grey = (256 - saturation) * 256 // 3
    matrix = [
        [(saturation * value + grey) * tint[i] // 256 * lightness // 65536 for value in row]
        for i, row in enumerate(rows)
    ]
    red, green, blue = picture.astype(np.int32)
    painted = np.empty(picture.shape, np.uint8)
    for i, (a, b, c) in enumerate(matrix):
        painted[i] = np.clip((red * a + green * b + blue * c + 128) >> 8, 0, 255)
    return painted


def curves(tint: tuple[int, int, int], bend: int = 0) -> Pixels:
    """Returns a curve per channel (3, 256).

    `tint` is in 256ths. A positive `bend` makes middle tones lighter, a negative one darker.
    """
    values = np.arange(256, dtype=np.int64)
    bent = values + bend * values * (255 - values) // (255 * 256)
    lines = [np.clip((bent * share + 128) >> 8, 0, 255) for share in tint]
    return np.stack(lines).astype(np.uint8)


def with_grain(picture: Pixels, strength: int, place: tuple[int, int]) -> Pixels:
    """Adds grain; `strength` is the standard deviation in 16ths of a value."""
    height, width = picture.shape[-2:]
    top, left = (offset % (GRAIN_SIDE // 2) for offset in place)
    rows = np.arange(top, top + height) % GRAIN_SIDE
    columns = np.arange(left, left + width) % GRAIN_SIDE
    grain: Noise = _grain()[rows][:, columns] * np.int16(strength) >> 9
    grainy: Pixels = np.clip(picture + grain, 0, 255).astype(np.uint8)
    return grainy


def bell_noise(rng: random.Random, *shape: int) -> Noise:
    """Returns noise of roughly normal distribution, standard deviation 148, mean 0."""
    count = prod(shape)
    drawn = np.frombuffer(rng.randbytes(4 * count), np.uint8).reshape(4, count)
    noise: Noise = drawn.sum(axis=0, dtype=np.int16) - np.int16(510)
    return noise.reshape(shape)


@cache
def _grain() -> Noise:
    # Standard deviation 32, so that products with a strength stay small.
    noise = bell_noise(random.Random("grain"), GRAIN_SIDE, GRAIN_SIDE)
    weaker: Noise = noise * np.int16(7) >> 5
    return weaker
