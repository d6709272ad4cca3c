"""Opens, scales and overlays pictures.

Pictures are turned upright according to EXIF before boxes are applied, and transparency becomes
white, because annotators saw them that way.
"""

from math import ceil, floor
from pathlib import Path

from PIL import Image, ImageFilter, ImageOps

from proactive_agent.disk.regular_file import read_regular
from proactive_agent.scenarios.builder.items import Box, PixelSize, Region, SkipError
from proactive_agent.scenarios.images import MAX_FILE_BYTES, ImageError, loaded

SMALLEST_SIDE = 32
"""Minimum side in pixels. The corruptions refuse smaller pictures."""

Layer = Image.Image
"""An RGBA picture that is pasted over another one."""


def read_inside(root: Path, path: str) -> bytes:
    """Reads a file below `root`. Raises SkipError if it does not exist or is outside."""
    try:
        file = (root / path).resolve()
        if not file.is_relative_to(root.resolve()):
            raise SkipError(f"{path} leads outside {root}")
        return read_regular(file, MAX_FILE_BYTES)
    except (OSError, RuntimeError) as error:
        raise SkipError(f"{path}: {getattr(error, 'strerror', None) or error}") from None


def open_rgb(root: Path, path: str) -> Image.Image:
    """Opens a source picture, upright, as RGB. Raises SkipError if it cannot be read."""
    image = _open(read_inside(root, path), path)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        image = Image.new("RGB", layer.size, "white")
        image.paste(layer, mask=layer)
    return image.convert("RGB")


def open_layer(file: Path) -> Layer:
    """Opens a picture with transparency, as RGBA. Raises SkipError if it cannot be read."""
    return _open(read_inside(file.parent, file.name), str(file)).convert("RGBA")


def _open(content: bytes, path: str) -> Image.Image:
    try:
        image = ImageOps.exif_transpose(loaded(content, path))
    except ImageError as error:
        raise SkipError(str(error)) from None
    except Exception as error:  # Pillow raises many types for a broken EXIF block
        raise SkipError(f"{path}: unreadable EXIF data ({error})") from None
    if min(image.size) < SMALLEST_SIDE:
        raise SkipError(
            f"{path}: {image.width} x {image.height} pixels are fewer than {SMALLEST_SIDE} a side"
        )
    return image


def bounded(image: Image.Image, longest: int) -> Image.Image:
    """Returns the picture, scaled down if its long side exceeds `longest` pixels."""
    return _scaled(image, longest / max(image.size))


def with_short_side(image: Image.Image, shortest: int) -> Image.Image:
    """Returns the picture, scaled down if its short side exceeds `shortest` pixels."""
    return _scaled(image, shortest / min(image.size))


def _scaled(image: Image.Image, factor: float) -> Image.Image:
    if factor >= 1:
        return image
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    return image.resize(size, Image.Resampling.LANCZOS)


def scaled_box(region: Region, original: PixelSize, scaled: PixelSize) -> Box:
    """Returns a source's box in pixels of the scaled picture, rounded outwards and clipped.

    Raises SkipError if the box is outside the picture.
    """
    across, down = scaled.width / original.width, scaled.height / original.height
    box = Box(
        max(0, floor(region.x * across)),
        max(0, floor(region.y * down)),
        min(scaled.width, ceil((region.x + region.width) * across)),
        min(scaled.height, ceil((region.y + region.height) * down)),
    )
    if min(box.width, box.height) <= 0:
        raise SkipError(
            f"the box {list(region)} is outside the picture of "
            f"{original.width} x {original.height} pixels"
        )
    return box


def overlay(scene: Image.Image, layer: Layer, left: int, top: int) -> Image.Image:
    """Returns a copy of the scene with a layer over it. The layer may exceed the scene."""
    frame = scene.copy()
    frame.paste(layer, (left, top), layer)
    return frame


def with_shadow(layer: Layer, blur: int = 5, strength: float = 0.55) -> Layer:
    """Returns the layer with a soft shadow to the lower right, `shadow_pad` larger on each side."""
    pad = shadow_pad(blur)
    size = (layer.width + 2 * pad, layer.height + 2 * pad)
    alpha = Image.new("L", size)
    alpha.paste(layer.getchannel("A"), (pad + blur, pad + blur * 4 // 5))
    alpha = alpha.filter(ImageFilter.GaussianBlur(blur))
    shadow = Image.new("RGBA", size)
    shadow.putalpha(alpha.point([int(value * strength) for value in range(256)]))
    shadow.alpha_composite(layer, (pad, pad))
    return shadow


def shadow_pad(blur: int = 5) -> int:
    """Returns how many pixels a shadow extends beyond its layer on each side."""
    # Pillow's blur is three box blurs; together they reach less than four radii.
    return 4 * blur
