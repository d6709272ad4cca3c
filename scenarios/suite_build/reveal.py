"""CIT: in a short video something opens and the object behind it appears."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import covers
from picture import Fractions, cut, hides, overlay
from PIL import Image
from texts import abstention
from writer import Dataset, Question

STEM = "ChangeIt"
SIZE = (288, 216)
MAX_STEPS = 10


@dataclass(frozen=True)
class Clip:
    """A photograph, what opens over it, and how far open it is in each frame (in per cent)."""

    picture: str
    part: Fractions
    cover: Callable[[tuple[int, int], float], Image.Image]
    openness: tuple[int, ...]
    first: int
    reference: int
    step: int
    prompt: str
    wait: str
    categories: tuple[str, str, str, str]


CLIPS = (
    Clip(
        "colosseum",
        (0.0, 0.0, 0.85, 1.0),
        covers.red_curtain,
        (0, 0, 0, 15, 40, 65, 85, 100, 100, 100),
        0,
        8,
        1,
        "Which building is shown on the stage?",
        "Wait for the curtain to open.",
        ("Colosseum.", "Bridge.", "Castle.", "Pyramid."),
    ),
    Clip(
        "otter",
        (0.30, 0.12, 1.00, 0.95),
        covers.sliding_door,
        (0, 0, 0, 0, 10, 30, 50, 70, 85, 100, 100, 100),
        2,
        10,
        2,
        "Which animal is behind the door?",
        "Wait for the object to appear.",
        ("Otter.", "Seal.", "Dog.", "Bear."),
    ),
    Clip(
        "skyline",
        (0.1, 0.1, 0.9, 0.95),
        covers.roller_blind,
        (0, 0, 12, 30, 50, 70, 88, 100, 100),
        0,
        7,
        1,
        "What is outside the window?",
        "Wait for the blind to go up.",
        ("City.", "Forest.", "Beach.", "Mountains."),
    ),
    Clip(
        "coffee",
        (0.00, 0.00, 0.80, 1.00),
        covers.box_flaps,
        (0, 0, 0, 20, 45, 65, 80, 92, 100),
        1,
        8,
        1,
        "What is in the box?",
        "Wait for the box to be opened.",
        ("Coffee cup.", "Teapot.", "Vase.", "Plate."),
    ),
    Clip(
        "lake",
        (0.05, 0.0, 0.95, 1.0),
        covers.green_curtain,
        (100, 85, 50, 15, 0, 0, 0, 20, 55, 90, 100),
        5,
        0,
        1,
        "What can be seen through this window?",
        "Wait for the view to be free.",
        ("Mountains.", "Desert.", "Street.", "Garden."),
    ),
)


def build(data: Dataset) -> None:
    """Add the samples."""
    for clip in CLIPS:
        photo = cut(data.library.picture(clip.picture), clip.part, SIZE)
        for index, openness in enumerate(clip.openness):
            layer = clip.cover(SIZE, openness / 100)
            if index == clip.first and not hides(layer, (0, 0, *SIZE)):
                raise ValueError(f"{clip.picture}: the object shows in the first frame")
            data.save(overlay(photo, layer), str(index))
        question = Question(
            clip.prompt,
            ("Rewind the video.", clip.wait),
            abstention(len(data.records) + 2),
            clip.categories,
        )
        data.add(
            question,
            f"{data.folder}/{{image}}.webp",
            clip.first,
            len(clip.openness),
            clip.reference,
            step_size=clip.step,
            max_steps=MAX_STEPS,
        )
