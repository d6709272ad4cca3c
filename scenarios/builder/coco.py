"""Builds COCO samples: a crop that misses the object grows until it contains it."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from proactive_agent.scenarios.builder import wording
from proactive_agent.scenarios.builder.crops import (
    GRANULARITIES,
    Growth,
    Span,
    around,
    beside,
    toward_end,
    toward_start,
)
from proactive_agent.scenarios.builder.items import Box, Built, Frame, Item, SkipError, frame_fields
from proactive_agent.scenarios.builder.recipe import Appearance, Draft, Recipe, opened

DIRECTIONS = (
    "left", "right", "up", "down",
    "up_left", "up_right", "down_left", "down_right", "zoom",
)  # fmt: skip

_GROWS = {"left": toward_start, "right": toward_end, "up": toward_start, "down": toward_end}


def build_coco(
    picture: Image.Image, box: Box, rng: random.Random, direction: str | None = None
) -> Built:
    """Builds the frame and the initial crop of a picture.

    The first crop contains at most 10 % of the object's box and the last one all of it. Every crop
    is inside the picture. Without a `direction` one that the picture allows is drawn at random.
    Raises SkipError if the picture allows none.
    """
    wanted = [direction] if direction else rng.sample(DIRECTIONS, len(DIRECTIONS))
    for name in wanted:
        for granularity in rng.sample(GRANULARITIES, len(GRANULARITIES)):
            if fields := crop_fields(picture.size, box, name, granularity, rng):
                base = frame_fields("picture", 0, 1, 0)
                return Built((Frame("picture", picture),), base | fields)
    raise SkipError(
        f"a picture of {picture.width} x {picture.height} pixels leaves no room for a crop that "
        f"first misses the box {list(box)}"
    )


def allowed_directions(size: tuple[int, int], box: Box, rng: random.Random) -> list[str]:
    """Returns the directions that a picture allows, in random order."""
    return [
        name
        for name in rng.sample(DIRECTIONS, len(DIRECTIONS))
        if any(crop_fields(size, box, name, granularity, rng) for granularity in GRANULARITIES)
    ]


def crop_fields(
    size: tuple[int, int], box: Box, direction: str, granularity: int, rng: random.Random
) -> dict[str, Any] | None:
    """Draws the crop of a picture and its growth. Returns None if there is no room."""
    width, height = size
    across, down = Span(box.left, box.right), Span(box.top, box.bottom)
    if direction == "zoom":
        growths = around(width, across, granularity, rng), around(height, down, granularity, rng)
    else:
        parts = direction.split("_")
        growths = (
            _growth(width, across, [p for p in parts if p in ("left", "right")], granularity, rng),
            _growth(height, down, [p for p in parts if p in ("up", "down")], granularity, rng),
        )
    horizontal, vertical = growths
    if horizontal is None or vertical is None:
        return None
    (left, right), (top, bottom) = horizontal.first, vertical.first
    first, steps = Box(left, top, right, bottom), (horizontal.step, vertical.step)
    zoom = direction == "zoom"
    return {
        "direction": direction,
        "granularity": granularity,
        "horizontal_step": horizontal.step,
        "vertical_step": vertical.step,
        "crop": zoom_crop(first, *steps) if zoom else _crop(first, *steps, direction.split("_")),
    }


def _growth(
    length: int, thing: Span, ways: list[str], granularity: int, rng: random.Random
) -> Growth | None:
    if not ways:
        return Growth(beside(length, thing, rng), 0)
    return _GROWS[ways[0]](length, thing, granularity, rng)


def _crop(first: Box, across: int, down: int, ways: list[str]) -> dict[str, int]:
    """Returns the crop as stored, which is one step before the first frame."""
    return {
        "top": first.top + down * ("up" in ways),
        "left": first.left + across * ("left" in ways),
        "height": first.bottom - down * ("down" in ways),
        "width": first.right - across * ("right" in ways),
    }


def zoom_crop(first: Box, across: int, down: int) -> dict[str, int]:
    """Returns the crop for a zoom, with true width and height; left and top are added later."""
    left, top = first.left + across, first.top + down
    return {
        "top": top,
        "left": left,
        "height": first.bottom - down - top,
        "width": first.right - across - left,
    }


class CocoRecipe(Recipe):
    """Crops a picture; each variant uses another direction."""

    name = "coco"

    def lacks(self, item: Item) -> str | None:
        if item.box is None:
            return (
                "the object's box (x, y, width, height), in a list (CSV or JSONL) of the pictures"
            )
        return None

    def make(self, root: Path, item: Item, look: Appearance, seed: str) -> Iterator[Draft]:
        picture, box = opened(root, item, item.frames[0], look.size)
        if box is None:
            raise SkipError("there is no box")
        directions: list[str | None] = [*allowed_directions(picture.size, box, random.Random(seed))]
        for variant, direction in enumerate((directions or [None])[: look.variants]):
            rng = random.Random(f"{seed}/{variant}")
            built = build_coco(picture, box, rng, direction)
            suggestions = wording.move_suggestions(built.fields["direction"])
            yield Draft(built, self.texts(suggestions, rng, look))
