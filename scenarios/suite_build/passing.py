"""VSOD: something passes between the camera and an object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

import passers
from picture import (
    RGB,
    Box,
    Fractions,
    clears,
    cut,
    hides,
    hung_on_wall,
    overlay,
    placed,
    scaled_box,
    with_shadow,
)
from PIL import Image
from texts import abstention
from writer import Dataset, Question

STEM = "OcclusionDataSet-MM20"
FRAMES = 10
SIZE = (288, 216)


@dataclass(frozen=True)
class Clip:
    """A photograph, what passes in front of it, and where the passer covers the object."""

    picture: str
    part: Fractions
    target: Fractions | None  # None: the photograph hangs on a wall and all of it is the object
    passer: Callable[[int, int, RGB], Image.Image]
    colour: RGB
    margin: tuple[float, float, float]  # of the passer over the object: sides, above, below
    covered: int  # the frame in which the object is hidden
    prompt: str
    wait: str
    categories: tuple[str, str, str, str]


CLIPS = (
    Clip(
        "raccoon",
        (0.25, 0.00, 1.00, 0.85),
        None,
        passers.bus,
        (190, 44, 40),
        (0.25, 0.10, 0.35),
        4,
        "Which animal is on the poster at the other side of the street?",
        "Wait for the bus to drive on.",
        ("Raccoon.", "Panda.", "Badger.", "Cat."),
    ),
    Clip(
        "coffee",
        (0.00, 0.00, 0.80, 1.00),
        None,
        passers.lorry,
        (206, 202, 190),
        (0.45, 0.10, 0.35),
        5,
        "What does the advertisement on the wall show?",
        "Wait for the lorry to pass.",
        ("Coffee cup.", "Ice cream.", "Burger.", "Soup bowl."),
    ),
    Clip(
        "wren",
        (0.05, 0.00, 0.75, 0.95),
        (0.41, 0.22, 0.62, 0.50),
        passers.hiker,
        (66, 104, 92),
        (1.0, 1.0, 2.0),
        3,
        "What is sitting on the rock?",
        "Wait for the passer-by to leave.",
        ("Bird.", "Lizard.", "Squirrel.", "Frog."),
    ),
    Clip(
        "rocket",
        (0.24, 0.02, 0.76, 0.98),
        (0.42, 0.06, 0.62, 0.98),
        passers.cloud,
        (206, 208, 214),
        (2.4, 0.2, 0.2),
        6,
        "What stands at this place?",
        "Wait for the cloud to drift away.",
        ("Rocket.", "Lighthouse.", "Windmill.", "Crane."),
    ),
    Clip(
        "pagoda",
        (0.00, 0.00, 1.00, 1.00),
        (0.10, 0.02, 0.53, 0.98),
        passers.bus,
        (58, 116, 160),
        (0.7, 0.15, 0.2),
        4,
        "Which kind of building is on the shore?",
        "Wait for the bus to leave.",
        ("Pagoda.", "Castle.", "Church.", "Lighthouse."),
    ),
)


def build(data: Dataset) -> None:
    """Add the samples."""
    brick = data.library.picture("brick")
    for clip in CLIPS:
        photo = cut(data.library.picture(clip.picture), clip.part, SIZE)
        if clip.target is None:
            _add(data, clip, *hung_on_wall(photo, brick, SIZE, (206, 176, 160), 0.62))
        else:
            _add(data, clip, photo, scaled_box(SIZE, clip.target))


def _add(data: Dataset, clip: Clip, image: Image.Image, target: Box) -> None:
    left, top, right, bottom = target
    sides, above, below = clip.margin
    wide, high = right - left, bottom - top
    width = round(wide * (1 + 2 * sides))
    passer_top = round(top - high * above)
    passer = clip.passer(width, round(bottom + high * below) - passer_top, clip.colour)
    step = ceil((width + wide) / 2 / (FRAMES // 2 - 1)) + 2
    reference = (clip.covered + FRAMES // 2) % FRAMES
    for index in range(FRAMES):
        # The clip is a ring: frames before the cover and after it are counted from the nearest.
        turns = (index - clip.covered + FRAMES // 2) % FRAMES - FRAMES // 2
        place = round((left + right - width) / 2) + turns * step
        layer = with_shadow(placed(passer, SIZE, place, passer_top))
        if turns == 0 and not hides(layer, target):
            raise ValueError(f"{clip.picture}: the object shows in the first frame")
        if index == reference and not clears(layer, target):
            raise ValueError(f"{clip.picture}: the object is covered in the reference frame")
        data.save(overlay(image, layer), f"{index:04d}")
    question = Question(
        clip.prompt,
        ("Rewind the video.", clip.wait),
        abstention(len(data.records) + 1),
        clip.categories,
    )
    template = f"{data.folder}/{{image}}.webp"
    data.add(question, template, clip.covered, FRAMES, reference, strong_occlusions=True)
