"""What a scenario makes of a source: its frames, and the fields that tell about them."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from PIL import Image


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
