"""Builds episodes from materials with the scenario builder, one function per scenario.

A material is the folder of one rendered object and its record. Each function returns the built
frames, the suggestions, and the visible share of the object in every frame.
"""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil, floor
from pathlib import Path
from typing import Any

import measures
import words
from PIL import Image

from proactive_agent.scenarios.builder import wording
from proactive_agent.scenarios.builder.changeit import build_changeit
from proactive_agent.scenarios.builder.coco import build_coco
from proactive_agent.scenarios.builder.imagenet_c import build_imagenet_c
from proactive_agent.scenarios.builder.items import Box, Built, Point, SkipError
from proactive_agent.scenarios.builder.mvp_n import build_mvp_n
from proactive_agent.scenarios.builder.picture import bounded, open_layer
from proactive_agent.scenarios.builder.quickdraw import build_quickdraw
from proactive_agent.scenarios.builder.rod import build_rod
from proactive_agent.scenarios.builder.vsod import build_vsod

LEAST_SHARE = 0.05
"""Minimum share of the picture. For a smaller object the picture is cropped."""

COCO_SIDE = 640
ZOOM_SIDE = 150
"""Minimum side in pixels of an object from which the camera steps back."""
MARGIN = 36
"""Maximum number of pixels cut from each side of a ChangeIt video."""

VSOD_FRAMES = 8


@dataclass(frozen=True)
class Material:
    """One rendered object."""

    folder: Path
    record: Mapping[str, Any]

    def open(self, name: str) -> Image.Image:
        """Opens a picture as RGB, or the mask as mode L with values 0 and 255."""
        with Image.open(self.folder / name, formats=("JPEG", "PNG", "WEBP")) as image:
            if name == "mask.png":
                return image.convert("L").point([0] * 128 + [255] * 128)
            return image.convert("RGB")


@dataclass
class Episode:
    """The parts of an episode, without its categories."""

    built: Built
    suggestions: tuple[str, ...]
    thing: str = ""
    """Name of the occluder in the question."""
    visible: dict[str, float] = field(default_factory=dict)
    """Visible share of the object's pixels by frame, 0 to 1."""
    share: float | None = None
    """Share of the picture that the object covers in the reference frame."""
    more: dict[str, Any] = field(default_factory=dict)


Maker = Callable[[Material, random.Random, Path], Episode]


def rod(material: Material, rng: random.Random, materials: Path) -> Episode:
    """Slides a rendered wall of blocks over the scene."""
    scene, mask = _near(material.open("scene.png"), material.open("mask.png"))
    layer = open_layer(_any_layer(materials / "rod" / "layers", rng))
    seed = rng.random()

    def build(picture: Image.Image) -> Built:
        return build_rod(picture, None, random.Random(seed), occluder=layer, mask=mask)

    return Episode(
        build(scene),
        wording.slide_suggestions(wording.BLOCKS, rng),
        thing=wording.BLOCKS,
        visible=measures.visible_shares(build, mask),
        share=measures.share(mask),
    )


def vsod(material: Material, rng: random.Random, materials: Path) -> Episode:
    """Moves something large past the object."""
    scene, mask = _near(material.open("scene.png"), material.open("mask.png"))
    file = _any_layer(materials / "vsod" / "layers", rng)
    layer = open_layer(file)
    seed = rng.random()

    def build(picture: Image.Image) -> Built:
        scenes = [picture] * VSOD_FRAMES
        return build_vsod(scenes, None, random.Random(seed), passer=layer, mask=mask)

    return Episode(
        build(scene),
        words.wait_for_passer(file.stem),
        visible=measures.visible_shares(build, mask),
        share=measures.share(mask),
    )


def mvp_n(material: Material, rng: random.Random, materials: Path) -> Episode:
    """Turns the object."""
    files = [frame["file"] for frame in material.record["frames"]]
    built = build_mvp_n((material.open(file) for file in files), len(files))
    return Episode(built, wording.rotate_suggestions(rng))


def imagenet_c(material: Material, rng: random.Random, materials: Path) -> Episode:
    """Corrupts the picture. Families alternate over the episodes."""
    family, corruption = material.record["corruption"]
    picture = material.open("scene.png")
    built = build_imagenet_c(picture, corruption, rng, hardness=material.record["hardness"])
    frames = tuple(built.frames)
    offered = wording.enhance_suggestions(family, rng)
    built.fields["quality_answer"] = offered[0]
    return Episode(
        Built(frames, built.fields),
        offered,
        more={"corruption": corruption, "ssim": measures.likeness(frames, picture)},
    )


def quickdraw(material: Material, rng: random.Random, materials: Path) -> Episode:
    """Draws a sketch stroke by stroke."""
    strokes: list[tuple[Point, ...]] = [
        tuple((x, y) for x, y in stroke)
        for stroke in json.loads((material.folder / "strokes.json").read_text(encoding="utf-8"))
    ]
    return Episode(build_quickdraw(strokes), wording.details_suggestions(rng))


def changeit(material: Material, rng: random.Random, materials: Path) -> Episode:
    """Reveals the object; every second video starts at its end, so that it has to be rewound."""
    frames = list(material.record["frames"])
    backwards = material.record["backwards"]
    if backwards:
        frames.reverse()
    shares = [frame["visible"] for frame in frames]
    hidden = [index for index, share in enumerate(shares) if share == 0]
    first = _inward(rng.choice(hidden), hidden, len(frames))
    informative = shares.index(max(shares)) if backwards else len(shares) - 1
    mask = material.open("mask.png")
    rises = material.record["reveal"] == "box"
    area = _framing(mask, rng, top=0 if rises else MARGIN)
    built = build_changeit(
        (material.open(frame["file"]).crop(area) for frame in frames),
        len(frames),
        first=first,
        informative=informative,
    )
    return Episode(
        built,
        words.wait_for_reveal(material.record["reveal"], rng),
        visible={str(index): share for index, share in enumerate(shares)},
        share=measures.share(mask.crop(area)),
    )


def coco(material: Material, rng: random.Random, materials: Path) -> Episode:
    """Moves or widens a crop of the wide room."""
    wide = material.open("scene.png")
    asked = next(thing for thing in material.record["objects"] if thing["asked"])
    # Materials name the parts of a diagonal in the opposite order.
    direction = "_".join(reversed(material.record["direction"].split("_")))
    wide, box = _zoomable(wide, Box(*asked["box"])) if direction == "zoom" else (wide, asked["box"])
    picture = bounded(wide, COCO_SIDE)
    factor = picture.width / wide.width
    left, top, right, bottom = (edge * factor for edge in box)
    box = Box(floor(left), floor(top), ceil(right), ceil(bottom))
    built = build_coco(picture, box, rng, direction)
    suggestions = wording.move_suggestions(built.fields["direction"])
    return Episode(built, suggestions, more={"box": list(box)})


def _zoomable(wide: Image.Image, box: Box) -> tuple[Image.Image, Box]:
    """Crops the scene closely enough that a crop inside the object is not too small."""
    factor = ZOOM_SIDE / (min(box.width, box.height) * COCO_SIDE / wide.width)
    if factor <= 1:
        return wide, box
    width, height = int(wide.width / factor), int(wide.height / factor)
    left = _clamped((box.left + box.right - width) // 2, wide.width - width)
    top = _clamped((box.top + box.bottom - height) // 2, wide.height - height)
    moved = Box(box.left - left, box.top - top, box.right - left, box.bottom - top)
    return wide.crop((left, top, left + width, top + height)), moved


MAKERS: dict[str, Maker] = {
    "rod": rod,
    "vsod": vsod,
    "mvp-n": mvp_n,
    "imagenet-c": imagenet_c,
    "quickdraw": quickdraw,
    "changeit": changeit,
    "coco": coco,
}


def _near(scene: Image.Image, mask: Image.Image) -> tuple[Image.Image, Image.Image]:
    """Crops scene and mask around the object if it would be too small."""
    share = measures.share(mask)
    bounds = mask.getbbox()
    if share >= LEAST_SHARE or bounds is None:
        return scene, mask
    factor = (share / LEAST_SHARE) ** 0.5
    width, height = round(scene.width * factor), round(scene.height * factor)
    if bounds[2] - bounds[0] >= width or bounds[3] - bounds[1] >= height:
        raise SkipError("the object is too thin to be shown larger")
    left = _clamped((bounds[0] + bounds[2] - width) // 2, scene.width - width)
    top = _clamped((bounds[1] + bounds[3] - height) // 2, scene.height - height)
    area = (left, top, left + width, top + height)
    return scene.crop(area), mask.crop(area)


def _inward(first: int, hidden: list[int], count: int) -> int:
    """Returns a hidden frame from which the video can go both ways, if there is one.

    At the ends of a video only the suggestion that is possible is offered.
    """
    inner = min(max(first, 1), count - 2)
    return inner if inner in hidden else first


def _framing(mask: Image.Image, rng: random.Random, top: int) -> tuple[int, int, int, int]:
    """Returns a random crop that contains the whole object, so that closed curtains differ.

    At most `top` pixels are cut from above.
    """
    bounds = mask.getbbox() or (0, 0, *mask.size)
    most = (bounds[0], min(bounds[1], top), mask.width - bounds[2], mask.height - bounds[3])
    left, upper, right, bottom = (rng.randint(0, min(MARGIN, margin)) for margin in most)
    return left, upper, mask.width - right, mask.height - bottom


def _clamped(value: int, most: int) -> int:
    return max(0, min(value, most))


def _any_layer(folder: Path, rng: random.Random) -> Path:
    return rng.choice(sorted(folder.glob("*.png")))
