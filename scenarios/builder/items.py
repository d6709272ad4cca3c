"""The builder's types: items of a source, frames and fields of a sample, and its errors."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from PIL import Image

from proactive_agent.tools import UserError

Point = tuple[float, float]
Stroke = tuple[Point, ...]


class Box(NamedTuple):
    """A rectangle in pixels; right and lower edges are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """In pixels."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """In pixels."""
        return self.bottom - self.top

    @property
    def area(self) -> int:
        """In pixels; 0 where the box is empty."""
        return max(self.width, 0) * max(self.height, 0)

    def overlap(self, other: "Box") -> int:
        """Pixels that both hold."""
        return Box(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        ).area

    def holds(self, other: "Box") -> bool:
        """Whether the other lies inside."""
        return self.overlap(other) == other.area


class PixelSize(NamedTuple):
    """Of a picture, in pixels."""

    width: int
    height: int


class Region(NamedTuple):
    """A box as sources give it: (x, y, width, height) in pixels, fractions allowed."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Item:
    """One labelled picture, folder of frames, or drawing."""

    key: str
    """Names the picture, folder or drawing inside its source; the split goes by it."""
    place: str
    """Where it stands, for messages."""
    label: str
    """As the source spells it."""
    frames: tuple[str, ...] = ()
    """Pictures, relative to the source's folder; one for a still."""
    box: Region | None = None
    """Where the object is."""
    informative: int | None = None
    """Index of the frame that tells what it is."""
    first: int | None = None
    """Index of the frame to begin with."""
    strokes: tuple[Stroke, ...] = ()

    @property
    def identity(self) -> str:
        """The picture and what is asked about it; one picture can stand in a list several times."""
        return f"{self.key}\t{self.label}\t{self.box and tuple(self.box)}"


class Frame(NamedTuple):
    """A picture of a sample."""

    name: str
    """Of its file, without folder and suffix."""
    image: Image.Image


class Built(NamedTuple):
    """The frames of a sample, made one by one, and its fields.

    `fields` are those of the official layout, but for `id`, the texts and the categories;
    `image_template` is relative to the sample's own folder and has no suffix.
    """

    frames: Iterable[Frame]
    fields: dict[str, Any]
    lossless: bool = False
    """Drawings: a lossy codec would lighten ink."""


def frame_fields(template: str, first: int, count: int, reference: int) -> dict[str, Any]:
    """The fields that all scenarios have of their frames."""
    return {
        "image_template": template,
        "first_image": first,
        "num_images": count,
        "reference_image": reference,
    }


class BuildError(UserError):
    """Input that nothing can be built from.  The message names the file, the line and the field."""


class SkipError(Exception):
    """An item that gives no sample.  It is left out and counted, and the build goes on."""
