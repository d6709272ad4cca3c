"""The builder's types: items of a source, frames and fields of a sample, and errors."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from PIL import Image

from proactive_agent.tools import UserError

Point = tuple[float, float]
Stroke = tuple[Point, ...]


class Box(NamedTuple):
    """A rectangle in pixels. The right and lower edges are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.bottom - self.top

    @property
    def area(self) -> int:
        """Area in pixels; 0 for an empty box."""
        return max(self.width, 0) * max(self.height, 0)

    def overlap(self, other: "Box") -> int:
        """Returns the number of pixels that both boxes contain."""
        return Box(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        ).area

    def holds(self, other: "Box") -> bool:
        """Returns whether this box contains the other."""
        return self.overlap(other) == other.area


class PixelSize(NamedTuple):
    """The size of a picture in pixels."""

    width: int
    height: int


class Region(NamedTuple):
    """A box as given in a source: (x, y, width, height) in pixels, possibly fractional."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Item:
    """One labelled picture, folder of frames or drawing."""

    key: str
    """Name of the picture, folder or drawing within its source. It decides the split."""
    place: str
    """File and line, or path, for messages."""
    label: str
    """The label as spelt in the source."""
    frames: tuple[str, ...] = ()
    """Paths of pictures, relative to the source's folder. A still has one."""
    box: Region | None = None
    """The object's box."""
    informative: int | None = None
    """Index of the frame that shows what the object is."""
    first: int | None = None
    """Index of the first frame of the episode."""
    strokes: tuple[Stroke, ...] = ()

    @property
    def identity(self) -> str:
        """Key, label and box. A list may contain the same picture several times."""
        return f"{self.key}\t{self.label}\t{self.box and tuple(self.box)}"


class Frame(NamedTuple):
    """One picture of a sample."""

    name: str
    """File name without folder and suffix."""
    image: Image.Image


class Built(NamedTuple):
    """The frames of a sample, created lazily, and its fields.

    `fields` are those of the official layout without `id`, texts and categories. `image_template`
    is relative to the sample's folder and has no suffix.
    """

    frames: Iterable[Frame]
    fields: dict[str, Any]
    lossless: bool = False
    """Set for drawings, because a lossy codec would lighten the ink."""


def frame_fields(template: str, first: int, count: int, reference: int) -> dict[str, Any]:
    """Returns the fields about frames that all scenarios share."""
    return {
        "image_template": template,
        "first_image": first,
        "num_images": count,
        "reference_image": reference,
    }


class BuildError(UserError):
    """Unusable input. The message names the file, the line and the field."""


class SkipError(Exception):
    """An item that gives no sample. It is left out and counted, and the build continues."""
