"""Small picture operations that several scenarios share."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter, ImageOps

Box = tuple[int, int, int, int]
Fractions = tuple[float, float, float, float]
RGB = tuple[int, int, int]


def scaled_box(size: tuple[int, int], part: Fractions) -> Box:
    """Pixels of a box that is given in fractions of the width and the height."""
    width, height = size
    left, top, right, bottom = part
    return round(left * width), round(top * height), round(right * width), round(bottom * height)


def cut(image: Image.Image, part: Fractions, size: tuple[int, int]) -> Image.Image:
    """A part of a picture, filled into a frame without distorting it."""
    return ImageOps.fit(image.crop(scaled_box(image.size, part)), size, Image.Resampling.LANCZOS)


def with_shadow(layer: Image.Image, blur: float = 5, strength: float = 0.55) -> Image.Image:
    """The layer over its own soft shadow, which falls a little to the lower right."""
    alpha = Image.new("L", layer.size)
    alpha.paste(layer.getchannel("A"), (5, 4))
    alpha = alpha.filter(ImageFilter.GaussianBlur(blur))
    shadow = Image.new("RGBA", layer.size)
    shadow.putalpha(alpha.point([int(value * strength) for value in range(256)]))
    shadow.alpha_composite(layer)
    return shadow


def overlay(scene: Image.Image, layer: Image.Image) -> Image.Image:
    """The scene with a layer of the same size over it."""
    frame = scene.convert("RGBA")
    frame.alpha_composite(layer)
    return frame.convert("RGB")


def placed(layer: Image.Image, size: tuple[int, int], left: int, top: int) -> Image.Image:
    """A layer put on an empty canvas, where it may reach over the border."""
    canvas = Image.new("RGBA", size)
    canvas.paste(layer, (left, top))
    return canvas


def hides(layer: Image.Image, box: Box) -> bool:
    """Whether the layer is opaque in every pixel of the box."""
    return bool(np.asarray(layer.getchannel("A").crop(box)).min() == 255)


def clears(layer: Image.Image, box: Box) -> bool:
    """Whether the layer leaves the box all but untouched (a faint shadow may fall on it)."""
    return bool(np.asarray(layer.getchannel("A").crop(box)).max() < 128)


def shaded(image: Image.Image, factor: np.ndarray) -> Image.Image:
    """A picture whose brightness is multiplied pixel by pixel (or column by column)."""
    pixels = np.asarray(image).astype(float)
    factor = np.broadcast_to(factor, pixels.shape[:2])
    pixels[..., :3] *= factor[..., None]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8), image.mode)


def hung_on_wall(
    photo: Image.Image, brick: Image.Image, size: tuple[int, int], tint: RGB, share: float
) -> tuple[Image.Image, Box]:
    """A framed print of the photo on a brick wall, and the box that the frame takes up."""
    wall = ImageOps.colorize(
        ImageOps.fit(brick.convert("L"), size).filter(ImageFilter.GaussianBlur(1.2)),
        (40, 35, 32),
        tint,
    )
    width, height = round(size[0] * share), round(size[1] * share)
    print_ = ImageOps.expand(ImageOps.fit(photo, (width - 16, height - 16)), 5, "white")
    framed = ImageOps.expand(print_, 3, (45, 32, 24)).convert("RGBA")
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    layer = with_shadow(placed(framed, size, left, top))
    return overlay(wall, layer), (left, top, left + width, top + height)
