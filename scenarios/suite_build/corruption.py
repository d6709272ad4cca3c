"""IN-C: a photograph that is spoilt in one of the ways of ImageNet-C."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from imagecorruptions import corrupt
from picture import Fractions, cut
from PIL import Image
from texts import abstention
from writer import Dataset, Question

STEM = "ImageNet-C"
SIZE = (320, 240)
WORST = 5
OVEREXPOSED = "overexposed"  # ours: brightness alone leaves the hues, so it hides nothing


@dataclass(frozen=True)
class Step:
    """One corruption at a severity of ImageNet-C, on the picture scaled down by `shrink`.

    On a smaller picture a blur or a block is larger: this is how a severity gets past 5.
    For `OVEREXPOSED` the severity is the share of white in per cent.
    """

    corruption: str
    severity: int
    shrink: int = 1


@dataclass(frozen=True)
class Spoilt:
    """A photograph and what is done to it at each level, worst first."""

    picture: str
    part: Fractions
    levels: tuple[tuple[Step, ...], ...]
    valid: str
    others: tuple[str, str, str]
    prompt: str
    categories: tuple[str, str, str, str]


def _steps(corruption: str, *severities: tuple[int, int]) -> tuple[tuple[Step, ...], ...]:
    return tuple((Step(corruption, severity, shrink),) for severity, shrink in severities)


PICTURES = (
    Spoilt(
        "coffee",
        (0.0, 0.0, 0.8, 1.0),
        (
            (Step("brightness", 5), Step(OVEREXPOSED, 99)),
            (Step("brightness", 5), Step(OVEREXPOSED, 85)),
            (Step("brightness", 5), Step(OVEREXPOSED, 45)),
            (Step("brightness", 4),),
            (Step("brightness", 1),),
        ),
        "Correct the brightness.",
        ("Denoise the image.", "Increase the resolution.", "Remove the artifacts."),
        "What is on the table?",
        ("Coffee cup.", "Teapot.", "Soup bowl.", "Cake."),
    ),
    Spoilt(
        "otter",
        (0.25, 0.10, 1.0, 1.0),
        (
            (Step("contrast", 5), Step("contrast", 5)),
            (Step("contrast", 5),),
            (Step("contrast", 4),),
            (Step("contrast", 3),),
            (Step("contrast", 1),),
        ),
        "Raise the contrast.",
        ("Deblur the image.", "Undo the compression.", "Reduce the saturation."),
        "Which animal is in the photo?",
        ("Otter.", "Seal.", "Beaver.", "Dog."),
    ),
    Spoilt(
        "pagoda",
        (0.0, 0.0, 1.0, 1.0),
        (
            tuple(Step("gaussian_noise", 5, 2) for _ in range(5)),
            tuple(Step("gaussian_noise", 5, 2) for _ in range(2)),
            (Step("gaussian_noise", 4, 2),),
            (Step("gaussian_noise", 2, 2),),
            (Step("gaussian_noise", 1),),
        ),
        "Denoise the photo.",
        ("Increase the brightness.", "Deblur the photo.", "Increase the saturation."),
        "What kind of building is this?",
        ("Pagoda.", "Lighthouse.", "Factory.", "Castle."),
    ),
    Spoilt(
        "cat",
        (0.0, 0.0, 1.0, 1.0),
        _steps("gaussian_blur", (5, 7), (5, 4), (5, 2), (3, 1), (1, 1)),
        "Deblur the picture.",
        ("Lower the contrast.", "Reverse the compression.", "Remove artifacts."),
        "Name the animal in this photo.",
        ("Cat.", "Dog.", "Fox.", "Rabbit."),
    ),
    Spoilt(
        "raccoon",
        (0.0, 0.0, 1.0, 1.0),
        _steps("pixelate", (5, 7), (5, 4), (5, 2), (5, 1), (1, 1)),
        "Use a higher resolution.",
        ("Lower the brightness.", "Denoise the picture.", "Raise the saturation."),
        "Which animal looks at the camera?",
        ("Raccoon.", "Koala.", "Badger.", "Wolf."),
    ),
    Spoilt(
        "osprey",
        (0.05, 0.06, 0.70, 0.98),
        _steps("jpeg_compression", (5, 7), (5, 5), (5, 3), (5, 1), (1, 1)),
        "Undo the damage of the compression.",
        ("Deblur this image.", "Change the contrast.", "Clear away the artifacts."),
        "Which animal is on the branch?",
        ("Osprey.", "Squirrel.", "Monkey.", "Owl."),
    ),
)


def build(data: Dataset) -> None:
    """Add the samples."""
    for spoilt in PICTURES:
        photo = cut(data.library.picture(spoilt.picture), spoilt.part, SIZE)
        for number, steps in enumerate(spoilt.levels):
            level = WORST - number
            np.random.seed(1000 * len(data.records) + level)  # imagecorruptions draws from it
            data.save(_apply(photo, steps), str(level))
        question = Question(
            spoilt.prompt,
            (spoilt.valid, *spoilt.others),
            abstention(len(data.records) + 4),
            spoilt.categories,
        )
        template = f"{data.folder}/{{level}}.webp"
        data.add(question, template, WORST, WORST, 1, quality_answer=spoilt.valid)


def _apply(photo: Image.Image, steps: tuple[Step, ...]) -> Image.Image:
    for step in steps:
        photo = _spoil(photo, step)
    return photo


def _spoil(photo: Image.Image, step: Step) -> Image.Image:
    if step.corruption == OVEREXPOSED:
        return Image.blend(photo, Image.new("RGB", SIZE, "white"), step.severity / 100)
    small = photo.resize((SIZE[0] // step.shrink, SIZE[1] // step.shrink), Image.Resampling.BOX)
    spoilt = corrupt(np.asarray(small), corruption_name=step.corruption, severity=step.severity)
    blocky = step.corruption in ("pixelate", "jpeg_compression")
    method = Image.Resampling.NEAREST if blocky else Image.Resampling.BICUBIC
    return Image.fromarray(spoilt).resize(SIZE, method)
