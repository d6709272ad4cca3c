"""A layer that slides over a scene and hides an object at one position.

Used by ROD (a wall of blocks) and VSOD (a passer).
"""

from collections.abc import Iterator
from itertools import pairwise
from math import ceil
from typing import NamedTuple

from PIL import Image, ImageChops

from proactive_agent.scenarios.builder.items import Box, PixelSize, SkipError
from proactive_agent.scenarios.builder.picture import Layer, overlay
from proactive_agent.scenarios.images import MAX_PIXELS

CENTRAL = 0.8
"""Share of each side that is treated as the object if its box is unknown."""

_CELLS = 64


class SlideTarget(NamedTuple):
    """The part of a scene that must be hidden."""

    hidden: Box
    """Area behind the layer at offset 0."""
    free: Box
    """Area that the layer must not touch in the reference frame."""
    mask: Image.Image | None = None
    """The object's pixels (mode L, non-zero), in the scene's size. More precise than the box."""


def target_of(size: PixelSize, box: Box | None, mask: Image.Image | None = None) -> SlideTarget:
    """Returns the part of a picture that must be hidden.

    Without box and mask the object's place is unknown. Then the middle of the picture is hidden,
    and the layer must not touch the reference frame at all.
    """
    if mask is not None and (bounds := mask.getbbox()):
        box = Box(*bounds)
    if box is not None:
        return SlideTarget(box, box, mask)
    across, down = (round(side * (1 - CENTRAL) / 2) for side in size)
    hidden = Box(across, down, size.width - across, size.height - down)
    return SlideTarget(hidden, Box(0, 0, *size))


class Slide(NamedTuple):
    """A layer and its path: it hides the object at offset 0 and moves right by `step` pixels."""

    layer: Layer
    left: int
    top: int
    step: int

    def frame(self, scene: Image.Image, offset: int) -> Image.Image:
        """Returns the scene with the layer at an offset in steps."""
        return overlay(scene, self.layer, self.left + offset * self.step, self.top)

    def alpha(self, size: PixelSize, offset: int) -> Image.Image:
        """Returns the layer's opacity for each pixel of the scene at an offset."""
        canvas = Image.new("L", size)
        place = (self.left + offset * self.step, self.top)
        canvas.paste(self.layer.getchannel("A"), place)
        return canvas

    def hides(self, target: SlideTarget, size: PixelSize) -> bool:
        """Returns whether the layer hides every pixel of the object at offset 0."""
        open_ = self.alpha(size, 0).point([255] * 255 + [0])
        if target.mask is None:
            return open_.crop(target.hidden).getbbox() is None
        return ImageChops.darker(open_, target.mask).getbbox() is None


def slide(layer: Layer, opaque: Box, target: SlideTarget, size: PixelSize, steps: int) -> Slide:
    """Returns the path of a layer whose rectangle `opaque` hides the target at offset 0.

    The target is free after `steps` steps to either side. Raises SkipError if the object would be
    visible at offset 0.
    """
    hidden = target.hidden
    left = hidden.left - opaque.left - (opaque.width - hidden.width) // 2
    top = hidden.top - opaque.top - (opaque.height - hidden.height) // 2
    touched = Box(*(layer.getbbox() or (0, 0, *layer.size)))
    to_clear = max(left + touched.right - target.free.left, target.free.right - left - touched.left)
    way = Slide(layer, left, top, ceil(to_clear / steps))
    if not way.hides(target, size):
        raise SkipError("the occluder does not hide the object")
    return way


def scaled_to_hide(layer: Layer, hidden: Box) -> tuple[Layer, Box]:
    """Scales a layer until its largest opaque rectangle is larger than the box.

    Returns the layer and that rectangle. Raises SkipError if no part of the layer is opaque.
    """
    layer = layer.crop(layer.getbbox() or (0, 0, *layer.size))
    opaque = opaque_rectangle(layer)
    if not opaque.area:
        raise SkipError("the occluder is nowhere opaque")
    # The margin allows for edges that scaling softens; in a small layer these are whole pixels.
    factor = max(
        (1.1 * side + 6) / solid
        for side, solid in ((hidden.width, opaque.width), (hidden.height, opaque.height))
    )
    size = PixelSize(ceil(layer.width * factor), ceil(layer.height * factor))
    if size.width * size.height > MAX_PIXELS:
        raise SkipError("the occluder has too small an opaque part")
    scaled = layer.resize(size, Image.Resampling.LANCZOS)
    return scaled, opaque_rectangle(scaled)


def opaque_rectangle(layer: Layer) -> Box:
    """Returns a large fully opaque rectangle, found on a grid of 64 x 64 cells."""
    columns = _edges(layer.width)
    rows = _edges(layer.height)
    alpha = layer.getchannel("A")
    best = Box(0, 0, 0, 0)
    heights = [0] * (len(columns) - 1)
    for row, (top, bottom) in enumerate(pairwise(rows)):
        for column, (left, right) in enumerate(pairwise(columns)):
            full = alpha.crop((left, top, right, bottom)).getextrema()[0] == 255
            heights[column] = heights[column] + 1 if full else 0
        for first, end, height in _under(heights):
            box = Box(columns[first], rows[row + 1 - height], columns[end], bottom)
            best = max(best, box, key=lambda candidate: candidate.area)
    return best


def _edges(side: int) -> list[int]:
    cells = min(_CELLS, side)
    return [side * cell // cells for cell in range(cells + 1)]


def _under(heights: list[int]) -> Iterator[tuple[int, int, int]]:
    """Yields the maximal rectangles under a histogram: first column, end column, height."""
    rising: list[tuple[int, int]] = []
    for column, height in enumerate([*heights, 0]):
        first = column
        while rising and rising[-1][1] >= height:
            first, closed = rising.pop()
            yield first, column, closed
        rising.append((first, height))
