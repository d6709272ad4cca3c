"""Puts cut-outs on the table of a room, with their shadows."""

import random
from typing import NamedTuple

import numpy as np

from proactive_agent.scenarios.fresh.pack import Pack, Thing, View
from proactive_agent.scenarios.fresh.paint import curves, repainted
from proactive_agent.scenarios.fresh.raster import (
    Pixels,
    blend,
    box_blurred,
    channels_first,
    curved,
    darkened,
    mirrored,
    overlap,
    scaled,
)

SHADOW_SIDES = (8, 5)
"""Side of a shadow picture, measured in sides of its cut-out, as a fraction."""


class Spot(NamedTuple):
    """The position of a thing in a frame, in pixels."""

    middle: int
    """Horizontal middle of the thing."""
    foot: int
    """Row below its lowest pixel."""
    width: int
    height: int

    @property
    def left(self) -> int:
        """First column of the thing."""
        return self.middle - self.width // 2

    @property
    def top(self) -> int:
        """First row of the thing."""
        return self.foot - self.height

    @property
    def right(self) -> int:
        """Column after the last one."""
        return self.left + self.width


def fitted(view: View, width: int, height: int) -> tuple[int, int]:
    """Returns the largest size of a view's pixels, in its proportions, within width and height."""
    left, top, right, bottom = view.box
    own_width, own_height = right - left, bottom - top
    if own_width * height > own_height * width:
        return max(2, width), max(2, own_height * width // own_width)
    return max(2, own_width * height // own_height), max(2, height)


class Actor:
    """One thing of a scene, in one view and one paint."""

    def __init__(
        self, thing: Thing, view: View, rng: random.Random, *, flipped: bool = False
    ) -> None:
        self.thing = thing
        self.view = view
        self.flipped = flipped
        """Whether the thing is mirrored. Its shadow is not."""
        self._paint = rng.getrandbits(64)

    def lay(
        self, pack: Pack, room: Pixels, light: tuple[int, int, int], spot: Spot, sun: int
    ) -> Pixels:
        """Puts the thing into a room, in place. Returns its opacity in the room's size.

        `light` is the room's light in 256ths, and `sun` the side from which it comes.
        """
        left, top, right, bottom = self.view.box
        source = pack.pixels(self.view.file)
        cutout = channels_first(source[top:bottom, left:right])
        paint = random.Random(self._paint)
        colours = repainted(cutout[:3], paint, natural=self.thing.natural)
        # Transparent pixels are black, so scaling needs colours that are multiplied by alpha.
        alpha = cutout[3]
        layers = np.concatenate([darkened(colours, 255 - alpha), alpha[None]])
        layers = scaled(layers, spot.width, spot.height)
        if self.view.shadow is not None:
            shadow = pack.pixels(self.view.shadow)
            self._cast(room, shadow, spot, len(source), sun)
        if (sun > 0) is not self.flipped:
            layers = mirrored(layers)
        return _laid(room, layers, light, spot)

    def _cast(self, room: Pixels, shadow: Pixels, spot: Spot, side: int, sun: int) -> None:
        left, top, right, bottom = self.view.box
        # The shadow's frame has the same centre as the cut-out's.
        wide = side * spot.width * SHADOW_SIDES[0] // (SHADOW_SIDES[1] * (right - left))
        wide = max(wide, 2)
        across = ((left + right - side) * spot.width) // (2 * (right - left))
        down = ((top + bottom - side) * spot.height) // (2 * (bottom - top))
        dark = scaled(shadow, wide, wide)
        if sun > 0:
            dark, across = mirrored(dark), -across
        x = spot.middle - across - wide // 2
        y = spot.top + spot.height // 2 - down - wide // 2
        cut = overlap(x, y, dark, room)
        shade = (dark[cut.picture].astype(np.uint16) * 15 >> 4).astype(np.uint8)
        room[cut.frame] = darkened(room[cut.frame], shade)


def _laid(room: Pixels, layers: Pixels, light: tuple[int, int, int], spot: Spot) -> Pixels:
    """Puts scaled layers (colours times alpha, and alpha) into a room. Returns the opacity."""
    alpha = layers[3]
    cut = overlap(spot.left, spot.top, alpha, room)
    part, opacity = layers[cut.picture], alpha[cut.picture]
    lit = curved(part[:3], curves(light))
    under = room[cut.frame]
    # Light of the surroundings wraps around the rim.
    inner = box_blurred(opacity, max(1, room.shape[-1] // 160))
    rim = (np.minimum(opacity, 255 - inner).astype(np.uint16) * 3 >> 3).astype(np.uint8)
    whole = darkened(under, opacity).astype(np.uint16) + lit
    room[cut.frame] = blend(np.minimum(whole, 255).astype(np.uint8), under, rim)
    mask = np.zeros(room.shape[-2:], np.uint8)
    mask[cut.frame] = opacity
    return mask


def share_shown(mask: Pixels, shown: Pixels) -> int:
    """Returns the visible part of a thing in thousandths. `shown` is an opacity per pixel."""
    total = int(mask.sum(dtype=np.int64))
    seen = int((mask.astype(np.uint32) * shown).sum(dtype=np.int64))
    return seen * 1000 // (255 * total) if total else 0
