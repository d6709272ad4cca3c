"""COCO: a crop of a wide photograph, which grows as the camera moves."""

from __future__ import annotations

from dataclasses import dataclass

from picture import Box, Fractions, cut
from texts import abstention
from writer import Dataset, Question

STEM = "coco2014"
MOVES = {
    "left": "Move the camera to the left.",
    "right": "Move the camera to the right.",
    "up": "Move the camera up.",
    "down": "Move the camera down.",
    "zoom": "Move farther from the object.",
}


@dataclass(frozen=True)
class Wide:
    """A photograph, the first crop (left, upper, right, lower) and how it grows."""

    picture: str
    part: Fractions
    size: tuple[int, int]
    direction: str
    granularity: int
    steps: tuple[int, int]  # horizontal, vertical
    first: Box
    prompt: str
    categories: tuple[str, str, str, str]


PICTURES = (
    Wide(
        "pagoda",
        (0.0, 0.0, 1.0, 1.0),
        (448, 299),
        "left",
        5,
        (68, 50),
        (310, 20, 448, 290),
        "Which building stands by this lake?",
        ("Pagoda.", "Lighthouse.", "Castle.", "Mosque."),
    ),
    Wide(
        "osprey",
        (0.0, 0.0, 1.0, 1.0),
        (512, 288),
        "right",
        5,
        (50, 40),
        (0, 20, 130, 260),
        "Which animal is sitting in the tree?",
        ("Osprey.", "Squirrel.", "Owl.", "Monkey."),
    ),
    Wide(
        "wren",
        (0.1, 0.0, 0.8, 1.0),
        (448, 360),
        "up",
        3,
        (60, 70),
        (60, 190, 400, 350),
        "Which animal is on this rock?",
        ("Bird.", "Lizard.", "Marmot.", "Goat."),
    ),
    Wide(
        "rocket",
        (0.2, 0.0, 0.8, 1.0),
        (384, 427),
        "down",
        4,
        (60, 100),
        (60, 0, 320, 60),
        "What stands on the ground?",
        ("Rocket.", "Church.", "Windmill.", "Bus."),
    ),
    Wide(
        "colosseum",
        (0.0, 0.0, 1.0, 1.0),
        (512, 288),
        "down_left",
        3,
        (150, 85),
        (356, 0, 512, 110),
        "Which building is in this picture?",
        ("Colosseum.", "Cathedral.", "Aqueduct.", "Lighthouse."),
    ),
    Wide(
        "cat",
        (0.0, 0.0, 1.0, 1.0),
        (448, 300),
        "zoom",
        4,
        (37, 30),
        (215, 140, 290, 180),
        "Whose fur is this?",
        ("Cat.", "Fox.", "Rabbit.", "Dog."),
    ),
)


def build(data: Dataset) -> None:
    """Add the samples."""
    for wide in PICTURES:
        photo = cut(data.library.picture(wide.picture), wide.part, wide.size)
        path = data.save(photo, "wide")
        question = Question(
            wide.prompt,
            tuple(MOVES[move] for move in wide.direction.split("_")),
            abstention(len(data.records)),
            wide.categories,
        )
        data.add(
            question,
            path,
            0,
            1,
            0,
            direction=wide.direction,
            granularity=wide.granularity,
            horizontal_step=wide.steps[0],
            vertical_step=wide.steps[1],
            crop=_stored_crop(wide),
        )


def _stored_crop(wide: Wide) -> dict[str, int]:
    """The crop as the protocol stores it: before the one step that the first turn adds.

    `width` and `height` are used as the right and the lower edge; for a zoom the left and the
    upper edge are added to them, so there they are a width and a height.
    """
    left, top, right, bottom = wide.first
    horizontal, vertical = wide.steps
    if wide.direction == "zoom":
        left, top = left + horizontal, top + vertical
        return _crop(left, top, right - horizontal - left, bottom - vertical - top)
    if "left" in wide.direction:
        left += horizontal
    if "right" in wide.direction:
        right -= horizontal
    if "up" in wide.direction:
        top += vertical
    if "down" in wide.direction:
        bottom -= vertical
    return _crop(left, top, right, bottom)


def _crop(left: int, top: int, width: int, height: int) -> dict[str, int]:
    return {"top": top, "left": left, "height": height, "width": width}
