"""Operations on pictures in integer arithmetic.

The same input gives the same pixels on every machine and with every version of numpy. Pictures are
arrays of `uint8`: (channels, height, width) for colours, (height, width) for one channel. Channels
come first because numpy is several times as fast on them.
"""

from functools import lru_cache
from types import EllipsisType
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels: TypeAlias = npt.NDArray[np.uint8]

SHARP = 16
"""The value of `soft` for a scaled picture without blur, in sixteenths of a pixel."""


class Cut(NamedTuple):
    """The part of a picture that falls into a frame: indices of the frame and of the picture."""

    frame: tuple[EllipsisType, slice, slice]
    picture: tuple[EllipsisType, slice, slice]


def overlap(left: int, top: int, picture: Pixels, frame: Pixels) -> Cut:
    """Returns the part of a picture at (left, top) that falls into a frame."""
    (height, width), (rows, columns) = picture.shape[-2:], frame.shape[-2:]
    return Cut(
        (..., _within(top, height, rows), _within(left, width, columns)),
        (..., _within(-top, rows, height), _within(-left, columns, width)),
    )


def _within(start: int, length: int, limit: int) -> slice:
    first = min(max(start, 0), limit)
    return slice(first, max(first, min(start + length, limit)))


def scaled(picture: Pixels, width: int, height: int, soft: int = SHARP) -> Pixels:
    """Scales a picture with a triangle filter. A larger `soft` (at least `SHARP`) blurs it."""
    if picture.ndim == 3:
        return np.stack([scaled(channel, width, height, soft) for channel in picture])
    rows = _scaled_rows(picture, height, soft)
    columns = _scaled_rows(np.ascontiguousarray(rows.T), width, soft)
    return np.ascontiguousarray(columns.T)


def _scaled_rows(rows: Pixels, length: int, soft: int) -> Pixels:
    if len(rows) == length and soft == SHARP:
        return rows
    places, weights = _taps(len(rows), length, soft)
    total = np.full((length, rows.shape[1]), 128, np.uint16)
    for place, weight in zip(places, weights, strict=True):
        total += rows[place] * weight[:, None]
    return (total >> 8).astype(np.uint8)


@lru_cache(maxsize=1024)
def _taps(old: int, new: int, soft: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.uint16]]:
    """Returns the rows that each new row is made of, and their weights, which add up to 256."""
    # Distances are in units of 1 / (2 * new) of an old pixel, times 16.
    reach = 2 * max(old, new) * soft
    most = reach // (16 * 2 * new) + 1
    rows = np.arange(new, dtype=np.int64)
    nearest = (2 * rows + 1) * old // (2 * new)
    places = nearest[None, :] + np.arange(-most, most + 1)[:, None]
    distances = np.abs((2 * places + 1) * new - (2 * rows + 1)[None, :] * old) * 16
    sums = np.cumsum(np.maximum(reach - distances, 0), axis=0)
    rounded = (512 * sums + sums[-1]) // (2 * sums[-1])
    weights = np.diff(rounded, axis=0, prepend=0)
    used = weights.any(axis=1)
    return np.clip(places[used], 0, old - 1), weights[used].astype(np.uint16)


def nearest(picture: Pixels, width: int, height: int) -> Pixels:
    """Scales a picture without smoothing."""
    rows = np.arange(height) * picture.shape[-2] // height
    columns = np.arange(width) * picture.shape[-1] // width
    return picture[..., rows, :][..., columns]


def blend(under: Pixels, over: Pixels, alpha: Pixels) -> Pixels:
    """Returns `over` on `under`; `alpha` (height, width) is the opacity of `over`."""
    share = alpha.astype(np.uint16)
    return divided_by_255(under * (255 - share) + over * share)


def darkened(picture: Pixels, darkness: Pixels) -> Pixels:
    """Returns a picture in shadow; `darkness` (height, width) is 255 for black."""
    return divided_by_255(picture * (255 - darkness.astype(np.uint16)))


def divided_by_255(values: npt.NDArray[np.uint16]) -> Pixels:
    """Divides by 255 and rounds. The values are at most 255 * 255."""
    values = values + np.uint16(128)
    return ((values + (values >> 8)) >> 8).astype(np.uint8)


def paste(frame: Pixels, left: int, top: int, picture: Pixels, alpha: Pixels | None = None) -> None:
    """Puts a picture into a frame, in place. Parts outside the frame are cut off.

    With `alpha`, the colours of the picture are already multiplied by it.
    """
    cut = overlap(left, top, picture, frame)
    part = picture[cut.picture]
    if alpha is not None:
        under = darkened(frame[cut.frame], alpha[cut.picture])
        part = np.minimum(under.astype(np.uint16) + part, 255).astype(np.uint8)
    frame[cut.frame] = part


def curved(picture: Pixels, curves: Pixels) -> Pixels:
    """Maps the values of each channel by its curve; `curves` is (3, 256)."""
    return np.stack([np.take(curves[i], picture[i]) for i in range(3)])


def box_blurred(picture: Pixels, radius: int) -> Pixels:
    """Averages squares of `2 * radius + 1` pixels."""
    if radius <= 0:
        return picture
    side = 2 * radius + 1
    for _ in range(2):
        # Sums along rows; the second time those of the transposed picture.
        edges = [(0, 0)] * (picture.ndim - 1) + [(radius + 1, radius)]
        sums = np.cumsum(np.pad(picture, edges, mode="edge"), axis=-1, dtype=np.int32)
        means = (sums[..., side:] - sums[..., :-side] + side // 2) // side
        picture = np.ascontiguousarray(means.astype(np.uint8).swapaxes(-1, -2))
    return picture


def mirrored(picture: Pixels) -> Pixels:
    """Swaps left and right."""
    return np.ascontiguousarray(picture[..., ::-1])


def mean_colour(picture: Pixels) -> tuple[int, int, int]:
    """Returns the mean of each channel, rounded down."""
    few = picture[:, ::8, ::8].reshape(3, -1)
    red, green, blue = (int(total) // few.shape[1] for total in few.sum(axis=1, dtype=np.int64))
    return red, green, blue


def channels_first(picture: Pixels) -> Pixels:
    """Returns a picture (height, width, channels) as (channels, height, width)."""
    return np.stack([picture[:, :, i] for i in range(picture.shape[2])])


def as_image(picture: Pixels) -> Image.Image:
    """Returns a colour picture as an RGB image."""
    return Image.merge("RGB", [Image.fromarray(channel) for channel in picture])
