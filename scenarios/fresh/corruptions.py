"""Six corruptions in five severities. Severity 5 leaves nothing of a picture but its family.

They are not those of ImageNet-C, whose worst severity still shows coloured blobs.
"""

import random
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from proactive_agent.scenarios.fresh.paint import bell_noise
from proactive_agent.scenarios.fresh.raster import Pixels, box_blurred, mean_colour, nearest, scaled

Corruption = Callable[[Pixels, int, random.Random], Pixels]
"""A function of a picture, a severity from 1 to 5 and random numbers."""


def noisy(picture: Pixels, severity: int, rng: random.Random) -> Pixels:
    """Adds noise."""
    height, width = picture.shape[1:]
    strength = (12, 60, 150, 330, 900)[severity - 1]
    noise = bell_noise(rng, 3, height, width).astype(np.int32) * strength // 148
    return _clipped(picture + noise)


def blurred(picture: Pixels, severity: int, rng: random.Random) -> Pixels:
    """Blurs the picture."""
    # In thousandths of the side.
    radius = (2, 14, 36, 75, 160)[severity - 1] * picture.shape[1] // 1000
    for _ in range(3):
        picture = box_blurred(picture, max(radius, severity - 1))
    return picture


def coarse(picture: Pixels, severity: int, rng: random.Random) -> Pixels:
    """Shows few large pixels."""
    cells = (112, 40, 22, 12, 5)[severity - 1] + rng.randrange(2)
    height, width = picture.shape[1:]
    return nearest(scaled(picture, cells, cells), width, height)


def dark(picture: Pixels, severity: int, rng: random.Random) -> Pixels:
    """Makes the picture dark, with the noise of a sensor."""
    share = (190, 70, 24, 9, 1)[severity - 1]
    height, width = picture.shape[1:]
    noise = bell_noise(rng, 3, height, width).astype(np.int32) * (severity + 1) >> 8
    return _clipped((picture.astype(np.int32) * share >> 8) + noise)


def faint(picture: Pixels, severity: int, rng: random.Random) -> Pixels:
    """Lowers the contrast."""
    share = (200, 80, 30, 12, 1)[severity - 1]
    mean = np.array(mean_colour(picture), np.int64)[:, None, None]
    # All faint pictures have about the same grey, so that it reveals nothing about the thing.
    target = 128 + (mean - 128) * (6 - severity) // 8
    height, width = picture.shape[1:]
    noise = bell_noise(rng, 3, height, width).astype(np.int32) >> 7
    return _clipped(((picture - mean) * share >> 8) + target + noise)


def compressed(picture: Pixels, severity: int, rng: random.Random) -> Pixels:
    """Quantises the frequencies of blocks of 8 x 8 pixels, coarsely for colour."""
    step = (60, 260, 700, 1700, 6000)[severity - 1]
    red, green, blue = picture.astype(np.int32)
    # A lossless transform to luma and two differences of colour.
    across, other = red - blue, green - ((red + blue) >> 1)
    luma = ((red + blue) >> 1) + (other >> 1)
    luma = _quantised(luma - 128, step) + 128
    across, other = _quantised(across, 4 * step), _quantised(other, 4 * step)
    middle = luma - (other >> 1)
    green = other + middle
    blue = middle - (across >> 1)
    return _clipped(np.stack([blue + across, green, blue]))


def _quantised(channel: npt.NDArray[np.int32], step: int) -> npt.NDArray[np.int32]:
    """Rounds the Walsh-Hadamard coefficients of each block to multiples of a step."""
    height, width = channel.shape
    padded = np.pad(channel, ((0, -height % 8), (0, -width % 8)), mode="edge")
    blocks = padded.reshape(padded.shape[0] // 8, 8, padded.shape[1] // 8, 8)
    for axis in (1, 3):
        blocks = _hadamard(blocks, axis)
    # Sequency order: rows of the transform by their number of changes of sign.
    changes = np.array([0, 7, 3, 4, 1, 6, 2, 5])
    steps = step * (2 + changes[:, None] + changes[None, :]) // 4
    steps = steps[None, :, None, :]
    half = steps // 2
    blocks = np.sign(blocks) * ((np.abs(blocks) + half) // steps) * steps
    for axis in (1, 3):
        blocks = _hadamard(blocks, axis)
    return (blocks.reshape(padded.shape) >> 6)[:height, :width].astype(np.int32)


def _hadamard(blocks: npt.NDArray[np.int32], axis: int) -> npt.NDArray[np.int32]:
    moved = np.moveaxis(blocks, axis, 0)
    for half in (1, 2, 4):
        pairs = moved.reshape(8 // (2 * half), 2, half, *moved.shape[1:])
        moved = np.stack([pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]], axis=1)
        moved = moved.reshape(8, *moved.shape[3:])
    return np.moveaxis(moved, 0, axis)


def _clipped(values: npt.NDArray[np.int32]) -> Pixels:
    return np.clip(values, 0, 255).astype(np.uint8)


CORRUPTIONS: dict[str, Corruption] = {
    "denoise": noisy,
    "deblur": blurred,
    "resolution": coarse,
    "brightness": dark,
    "contrast": faint,
    "compression": compressed,
}
"""By the enhancement that repairs the picture."""
