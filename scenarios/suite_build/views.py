"""MVP-N: a printed thing is turned until the print faces the camera."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from picture import RGB, Fractions, cut
from PIL import Image, ImageDraw, ImageOps
from solids import backdrop, box_view, mug_view
from texts import abstention
from writer import Dataset, Question

STEM = "MVP-N"
SIZE = (320, 320)
CARDBOARD: RGB = (186, 146, 98)
CANVAS: RGB = (214, 204, 184)


@dataclass(frozen=True)
class Thing:
    """What is turned, and the angles at which it is seen (0: the print faces the camera)."""

    picture: str
    part: Fractions
    kind: str
    colour: RGB
    yaws: tuple[int, ...]
    prompt: str
    suggestions: tuple[str, ...]
    categories: tuple[str, str, str, str]


THINGS = (
    Thing(
        "cat",
        (0.15, 0.0, 1.0, 1.0),
        "mug",
        (226, 226, 222),
        (180, 150, 128, 10),
        "Which animal is printed on this mug?",
        ("Rotate the mug.", "Show the mug from a different side."),
        ("Cat.", "Dog.", "Fox.", "Rabbit."),
    ),
    Thing(
        "flower",
        (0.15, 0.0, 0.85, 0.9),
        "mug",
        (72, 96, 128),
        (-168, -130, -8),
        "What is the motif of the mug?",
        ("Turn the mug to get another view.",),
        ("Flower.", "Sun.", "Shell.", "Butterfly."),
    ),
    Thing(
        "osprey",
        (0.12, 0.05, 0.60, 1.0),
        "canvas",
        (168, 178, 172),
        (180, 212, 266, 24),
        "Which animal does the painting show?",
        ("Rotate the painting.", "Change the viewing angle.", "Turn it to another orientation."),
        ("Osprey.", "Horse.", "Owl.", "Deer."),
    ),
    Thing(
        "raccoon",
        (0.25, 0.0, 1.0, 0.85),
        "box",
        (176, 170, 160),
        (180, 222, 268, 284, 14),
        "Which animal is pictured on the box?",
        ("Look at the box from another angle.", "Rotate the object."),
        ("Raccoon.", "Bear.", "Wolf.", "Cat."),
    ),
    Thing(
        "saturn",
        (0.12, 0.0, 0.88, 1.0),
        "box",
        (150, 160, 178),
        (180, 130, 92, -20),
        "What is printed on the front of this box?",
        ("Change the orientation of the box.", "Show me another view of the box."),
        ("Saturn.", "Jupiter.", "Earth.", "Moon."),
    ),
)


def build(data: Dataset) -> None:
    """Add the samples."""
    for thing in THINGS:
        photo = cut(data.library.picture(thing.picture), thing.part, (480, 480))
        draw_view = _renderer(thing, photo)
        last = len(thing.yaws) - 1
        for index, yaw in enumerate(thing.yaws):
            data.save(draw_view(yaw), f"{int(index == last)}_{index:04d}")
        question = Question(
            thing.prompt, thing.suggestions, abstention(len(data.records) + 3), thing.categories
        )
        data.add(
            question,
            f"{data.folder}/{{informative}}_{{image}}.webp",
            0,
            len(thing.yaws),
            last,
            valid_images=list(range(len(thing.yaws))),
        )


def _renderer(thing: Thing, photo: Image.Image) -> Callable[[float], Image.Image]:
    scene = backdrop(SIZE, thing.colour)
    if thing.kind == "mug":
        # Drawn large and scaled down, for smooth edges.
        scene = backdrop((2 * SIZE[0], 2 * SIZE[1]), (196, 188, 176))
        return lambda yaw: mug_view(scene, photo, thing.colour, yaw).resize(
            SIZE, Image.Resampling.LANCZOS
        )
    if thing.kind == "canvas":
        edge = Image.new("RGB", (40, 480), CANVAS)
        return lambda yaw: box_view(scene, (photo, edge, _stretcher(), edge), 0.07, yaw)
    plain, grip = _cardboard(), _cardboard()
    ImageDraw.Draw(grip).rounded_rectangle((180, 150, 300, 190), 20, fill=(70, 50, 32))
    return lambda yaw: box_view(scene, (photo, grip, plain, grip), 1.0, yaw)


def _stretcher() -> Image.Image:
    """The back of a canvas: cloth on a wooden frame with a cross bar."""
    back = ImageOps.expand(Image.new("RGB", (400, 400), CANVAS), 40, (160, 118, 74))
    draw = ImageDraw.Draw(back)
    draw.rectangle((40, 220, 440, 260), fill=(150, 108, 66))
    for corner in ((0, 0, 40, 40), (480, 0, 440, 40), (0, 480, 40, 440), (480, 480, 440, 440)):
        draw.line(corner, fill=(110, 76, 44), width=2)
    return back


def _cardboard() -> Image.Image:
    """A side of a cardboard box, closed with tape."""
    side = Image.new("RGB", (480, 480), CARDBOARD)
    draw = ImageDraw.Draw(side)
    draw.rectangle((215, 0, 265, 90), fill=(212, 184, 140))
    draw.rectangle((0, 0, 479, 479), outline=(140, 104, 64), width=4)
    return side
