"""ROD: a wall of coloured blocks slides in front of an object."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from picture import (
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
from PIL import Image, ImageDraw
from texts import abstention
from writer import Dataset, Question

STEM = "Realistic-Occlusion-Dataset"
FRAMES = 14
CENTRE = 7
SIZE = (288, 216)
COLOURS = ((196, 60, 48), (52, 110, 176), (226, 178, 52), (70, 142, 84), (122, 82, 150))


@dataclass(frozen=True)
class Scene:
    """A photograph, the part of it that is shown, and where in that part the object is."""

    picture: str
    part: Fractions
    target: Fractions
    prompt: str
    suggestions: tuple[str, str]
    categories: tuple[str, str, str, str]


SCENES = (
    Scene(
        "osprey",
        (0.05, 0.06, 0.70, 0.98),
        (0.35, 0.12, 0.65, 0.90),
        "Which animal is behind the blocks?",
        ("Move the blocks to the left.", "Move the blocks to the right."),
        ("Osprey.", "Squirrel.", "Monkey.", "Owl."),
    ),
    Scene(
        "wren",
        (0.05, 0.00, 0.75, 0.95),
        (0.40, 0.21, 0.62, 0.52),
        "What is the animal on the rock that the blocks stand in front of?",
        ("Slide the blocks to the right.", "Slide the blocks to the left."),
        ("Bird.", "Lizard.", "Mouse.", "Marmot."),
    ),
    Scene(
        "flower",
        (0.02, 0.03, 0.98, 0.86),
        (0.22, 0.06, 0.76, 0.94),
        "What does the wall of blocks hide?",
        ("Push the wall of blocks to the left.", "Push the wall of blocks to the right."),
        ("Flower.", "Butterfly.", "Frog.", "Mushroom."),
    ),
    Scene(
        "pagoda",
        (0.00, 0.00, 1.00, 1.00),
        (0.10, 0.02, 0.53, 0.98),
        "Which building is behind the coloured blocks?",
        ("Move the coloured blocks to the right.", "Move the coloured blocks to the left."),
        ("Pagoda.", "Lighthouse.", "Windmill.", "Church."),
    ),
)


def build(data: Dataset) -> None:
    """Add the samples: photographs as they are, then a print that hangs on a wall."""
    for scene in SCENES:
        image = cut(data.library.picture(scene.picture), scene.part, SIZE)
        _add(data, scene, image, scaled_box(SIZE, scene.target))
    brick = data.library.picture("brick")
    cat = Scene(
        "cat",
        (0, 0, 1, 1),
        (0, 0, 1, 1),
        "Look at the picture on the brick wall. Which animal does it show?",
        ("Move the blocks to the left.", "Move the blocks to the right."),
        ("Cat.", "Dog.", "Rabbit.", "Fox."),
    )
    photo = cut(data.library.picture(cat.picture), cat.part, SIZE)
    _add(data, cat, *hung_on_wall(photo, brick, SIZE, (214, 170, 150), 0.6))


def _add(data: Dataset, scene: Scene, image: Image.Image, target: Box) -> None:
    reference = 0
    for index, layer in enumerate(_slide(data.rng("blocks"), target)):
        if index == CENTRE and not hides(layer, target):
            raise ValueError(f"{scene.picture}: the object shows in the first frame")
        if index == reference and not clears(layer, target):
            raise ValueError(f"{scene.picture}: the object is covered in the reference frame")
        data.save(overlay(image, layer), str(index))
    question = Question(
        scene.prompt, scene.suggestions, abstention(len(data.records)), scene.categories
    )
    data.add(question, f"{data.folder}/{{image}}.webp", CENTRE, FRAMES, reference)


def _slide(rng: random.Random, target: Box) -> Iterator[Image.Image]:
    """The layers of the ring: the wall goes one step to the right from frame to frame."""
    left, top, right, _ = target
    width = right - left + 24
    wall_top = max(0, top - 10)
    wall = block_wall(rng, width, SIZE[1] - wall_top)
    # The last frame of the ring is six steps away from the middle one.
    step = ceil((width + right - left) / 2 / (FRAMES - 1 - CENTRE)) + 2
    for index in range(FRAMES):
        place = left - 12 + (index - CENTRE) * step
        yield with_shadow(placed(wall, SIZE, place, wall_top))


def block_wall(rng: random.Random, width: int, height: int) -> Image.Image:
    """A wall of bevelled blocks in running bond."""
    wall = Image.new("RGBA", (width, height), (60, 60, 60, 255))
    draw = ImageDraw.Draw(wall)
    rows = max(3, height // 34)
    for row in range(rows):
        top, bottom = row * height // rows, (row + 1) * height // rows - 1
        left = -30 if row % 2 else 0
        while left < width:
            right = left + rng.choice((44, 56, 68))
            _block(draw, (left, top, right - 1, bottom), rng.choice(COLOURS))
            left = right
    return wall


def _block(draw: ImageDraw.ImageDraw, box: Box, colour: tuple[int, int, int]) -> None:
    left, top, right, bottom = box
    dark = tuple(value * 2 // 3 for value in colour)
    light = tuple(min(255, value + 45) for value in colour)
    draw.rectangle(box, fill=colour)
    draw.rectangle((left, top, right, top + 3), fill=light)
    draw.rectangle((left, bottom - 3, right, bottom), fill=dark)
    draw.rectangle((right - 2, top, right, bottom), fill=dark)
