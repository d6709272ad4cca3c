"""All frames of a sample on one picture, with rims that can be told apart even in coarse blocks."""

from collections.abc import Sequence

from PIL import Image

from proactive_agent.scenarios import ImageRef, ImageStore
from proactive_agent.scenarios.contact_sheet import MARKS, Tile

SIDE = 160
"""Longest side of a frame on the film, in pixels."""

RIM = 12
PRESENT = (40, 90, 240)
MOST_FRAMES = 56
"""Of more frames every so many-th is shown, and those that are marked."""

WIDE = 2.0
"""Width of the film by its height, about that of a terminal."""


def film(images: ImageStore, tiles: Sequence[Tile], present: ImageRef) -> Image.Image:
    """Frame after frame in rows.  Raises ImageError."""
    step = -(-len(tiles) // MOST_FRAMES)
    shown = [
        tile
        for index, tile in enumerate(tiles)
        if index % step == 0 or tile.mark or tile.ref == present
    ]
    pictures = [_rimmed(images.open(tile.ref).image, tile, present) for tile in shown]
    width, height = (max(p.size[axis] for p in pictures) for axis in (0, 1))
    columns = max(1, min(len(pictures), round((len(pictures) * WIDE * height / width) ** 0.5)))
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * width, rows * height), MARKS[""])
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        sheet.paste(picture, (column * width, row * height))
    return sheet


def _rimmed(picture: Image.Image, tile: Tile, present: ImageRef) -> Image.Image:
    small = picture.copy()
    small.thumbnail((SIDE, SIDE))
    colour = PRESENT if tile.ref == present else MARKS[tile.mark]
    rimmed = Image.new("RGB", (small.width + 2 * RIM, small.height + 2 * RIM), colour)
    rimmed.paste(small, (RIM, RIM))
    return rimmed
