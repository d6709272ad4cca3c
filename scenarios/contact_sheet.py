"""Contact sheets: many pictures of a scenario or a sample in one image.

`contact_sheet` is for files: each picture has a caption. `compact_sheet` is for terminals: wide
rims without captions, which can be told apart even where a terminal draws coarse blocks.
"""

import copy
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from PIL import Image, ImageDraw, ImageFont

from proactive_agent.scenarios.dataset import DataFolder
from proactive_agent.scenarios.environment import Environment, ImageRef
from proactive_agent.scenarios.images import ImageError, ImageStore
from proactive_agent.scenarios.sample import Sample

TILE = 224
"""Longest side of a picture on a captioned sheet, in pixels."""

GAP = 6
CAPTION = 16
MARKS = {"first": (200, 30, 30), "reference": (20, 140, 50), "": (255, 255, 255)}
"""Colour of the rim by mark."""

COMPACT_TILE = 160
"""Longest side of a picture on a compact sheet, in pixels."""

RIM = 12
"""Width of a rim on a compact sheet, in pixels."""

CURRENT = (40, 90, 240)
"""Colour of the current frame's rim on a compact sheet."""

MOST_FRAMES = 56
"""A compact sheet of more frames shows every n-th one and the marked ones."""

MOST_REACHED = 500
"""A sheet shows at most this many frames of a sample, the nearest to the first one."""

COMPACT_ASPECT = 2.0
"""Width of a compact sheet divided by its height; about that of a terminal."""


class Tile(NamedTuple):
    """A picture on a sheet."""

    ref: ImageRef
    caption: str
    mark: str = ""
    """`first` or `reference`: a rim in that colour; empty: none."""


def scenario_tiles(data: DataFolder, scenario: str, limit: int | None = None) -> Iterator[Tile]:
    """Yields the first and the reference frame of each sample."""
    for sample in data.samples(scenario, limit):
        state = data.environment(scenario, sample)
        yield Tile(state.image(), f"{sample.id}: first frame", "first")
        yield Tile(state.reference_image(), f"{sample.id}: {sample.answer}", "reference")


def sample_tiles(data: DataFolder, scenario: str, sample: Sample) -> list[Tile]:
    """Returns the frames that a sample can show, ordered by file name or by crop size."""
    state = data.environment(scenario, sample)
    first, reference = state.image(), state.reference_image()
    marks = {reference: "reference", first: "first"}
    in_order = sorted({*islice(_reachable(state), MOST_REACHED), reference}, key=_natural)
    return [Tile(ref, _name(ref), marks.get(ref, "")) for ref in in_order]


def _reachable(start: Environment[Any]) -> Iterator[ImageRef]:
    """Yields every picture that accepted suggestions lead to, the nearest first."""
    seen = {start.image()}
    waiting = deque([start])
    while waiting:
        state = waiting.popleft()
        yield state.image()
        for intervention in state.possible_interventions():
            following = copy.deepcopy(state)
            if following.step(intervention).stop is None and following.image() not in seen:
                seen.add(following.image())
                waiting.append(following)


def contact_sheet(data: DataFolder, tiles: Sequence[Tile], columns: int) -> Image.Image:
    """Draws captioned tiles in rows. A picture that cannot be read is replaced by the reason."""
    width, height = TILE + GAP, TILE + CAPTION + GAP
    rows = -(-len(tiles) // columns)
    sheet = Image.new("RGB", (columns * width + GAP, rows * height + GAP), "white")
    for index, tile in enumerate(tiles):
        row, column = divmod(index, columns)
        _paste(sheet, GAP + column * width, GAP + row * height, tile, _open(data, tile))
    return sheet


def compact_sheet(images: ImageStore, tiles: Sequence[Tile], current: ImageRef) -> Image.Image:
    """Draws tiles without captions in a shape that fits a terminal. Raises ImageError."""
    step = -(-len(tiles) // MOST_FRAMES)
    shown = [
        tile
        for index, tile in enumerate(tiles)
        if index % step == 0 or tile.mark or tile.ref == current
    ]
    pictures = [_rimmed(images.open(tile.ref).image, tile, current) for tile in shown]
    width, height = (max(p.size[axis] for p in pictures) for axis in (0, 1))
    ideal = round((len(pictures) * COMPACT_ASPECT * height / width) ** 0.5)
    columns = max(1, min(len(pictures), ideal))
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * width, rows * height), MARKS[""])
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        sheet.paste(picture, (column * width, row * height))
    return sheet


def _rimmed(picture: Image.Image, tile: Tile, current: ImageRef) -> Image.Image:
    small = picture.copy()
    small.thumbnail((COMPACT_TILE, COMPACT_TILE))
    colour = CURRENT if tile.ref == current else MARKS[tile.mark]
    rimmed = Image.new("RGB", (small.width + 2 * RIM, small.height + 2 * RIM), colour)
    rimmed.paste(small, (RIM, RIM))
    return rimmed


def _open(data: DataFolder, tile: Tile) -> Image.Image | str:
    try:
        picture = data.images.open(tile.ref).image.copy()
    except ImageError as error:
        return str(error)
    picture.thumbnail((TILE, TILE))
    return picture


def _paste(sheet: Image.Image, x: int, y: int, tile: Tile, picture: Image.Image | str) -> None:
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(12)
    draw.text((x, y), _fitting(tile.caption, font), fill="black", font=font)
    top = y + CAPTION
    if isinstance(picture, str):
        lines = (picture[i : i + 34] for i in range(0, len(picture), 34))
        draw.text((x, top), "\n".join(islice(lines, 8)), fill="red", font=font)
        return
    sheet.paste(picture, (x, top))
    if tile.mark:
        box = (x - 2, top - 2, x + picture.width + 1, top + picture.height + 1)
        draw.rectangle(box, outline=MARKS[tile.mark], width=2)


def _fitting(text: str, font: Any) -> str:
    while text and font.getlength(text) > TILE:
        text = text[:-1]
    return text


def _natural(ref: ImageRef) -> tuple[list[tuple[int, str]], float]:
    """Sort key: numbers in a path by value, crops by area."""
    words: list[tuple[int, str]] = []
    digits = ""
    for character in f"{ref.path}\0":
        if character.isdecimal():
            digits += character
            continue
        if digits:
            words.append((int(digits), ""))
            digits = ""
        words.append((0, character))
    left, upper, right, lower = ref.crop or (0, 0, float("inf"), 1)
    return words, (right - left) * (lower - upper)


def _name(ref: ImageRef) -> str:
    if ref.crop:
        return ", ".join(f"{edge:g}" for edge in ref.crop)
    return ref.path.rsplit("/", 1)[-1]
