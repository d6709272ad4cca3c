"""Printed things that can be turned: a box with a photo on its front, and a mug."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, radians, sin

import numpy as np
from picture import RGB, shaded
from PIL import Image, ImageDraw, ImageFilter

Point = tuple[float, float]


def backdrop(size: tuple[int, int], colour: RGB) -> Image.Image:
    """A plain studio backdrop, lighter in the middle, with a soft contact shadow."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width]
    distance = np.hypot((x - width / 2) / width, (y - height / 2) / height)
    image = shaded(Image.new("RGB", size, colour), 1.06 - 0.45 * distance)
    shadow = Image.new("L", size)
    box = (width * 0.2, height * 0.80, width * 0.8, height * 0.92)
    ImageDraw.Draw(shadow).ellipse(box, fill=110)
    image.paste((30, 28, 26), mask=shadow.filter(ImageFilter.GaussianBlur(12)))
    return image


def box_view(
    scene: Image.Image, sides: Sequence[Image.Image], depth: float, yaw: float
) -> Image.Image:
    """A box in front of the scene; `sides` are its front, right, back and left, `depth` a share."""
    size = scene.size
    half = 0.33
    deep = half * depth
    corners = [(-half, -deep), (half, -deep), (half, deep), (-half, deep)]
    result = scene.convert("RGBA")
    for index, side in enumerate(sides):
        turned = [_turned(corner, yaw) for corner in (corners[index], corners[(index + 1) % 4])]
        (x0, z0), (x1, z1) = (_projected(point, size) for point in turned)
        if x1 - x0 < 1:
            continue  # It faces away from the camera.
        quad = [_corner(x0, z0, -1, size), _corner(x1, z1, -1, size)]
        quad += [_corner(x1, z1, 1, size), _corner(x0, z0, 1, size)]
        light = 0.62 + 0.4 * min(1.0, (x1 - x0) / (0.6 * size[0]))
        result.alpha_composite(_warped(shaded(side.convert("RGBA"), np.array(light)), quad, size))
    return result.convert("RGB")


def _turned(point: Point, degrees: float) -> Point:
    x, z = point
    angle = radians(degrees)
    return x * cos(angle) - z * sin(angle), x * sin(angle) + z * cos(angle)


def _projected(point: Point, size: tuple[int, int]) -> Point:
    """The column on the picture, and how large things are at that depth."""
    scale = 2.2 / (2.2 + point[1])
    return size[0] / 2 + point[0] * scale * size[0], scale


def _corner(x: float, scale: float, up_down: int, size: tuple[int, int]) -> Point:
    return x, size[1] * (0.49 + 0.33 * up_down * scale)


def _warped(side: Image.Image, quad: list[Point], size: tuple[int, int]) -> Image.Image:
    """The side drawn into a quadrilateral (from the upper left corner, clockwise)."""
    width, height = side.size
    flat = [(0, 0), (width, 0), (width, height), (0, height)]
    rows, values = [], []
    for (x, y), (u, v) in zip(quad, flat, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    solved = np.linalg.solve(np.array(rows, float), np.array(values, float))
    transform = Image.Transform.PERSPECTIVE
    return side.transform(size, transform, tuple(solved), Image.Resampling.BICUBIC)


def mug_view(scene: Image.Image, photo: Image.Image, colour: RGB, yaw: float) -> Image.Image:
    """A mug in front of the scene; at yaw 0 the photo faces the camera, the handle is behind it."""
    width, height = scene.size
    radius, middle = 0.27 * width, width / 2
    top, bottom, bend = 0.20 * height, 0.80 * height, 0.05 * height
    result = scene.copy()
    handle = sin(radians(yaw + 180 - 60)), cos(radians(yaw + 180 - 60))
    if handle[1] < 0:
        _handle(result, handle, colour, radius)
    y, x = np.mgrid[0:height, 0:width].astype(float)
    across = (x - middle) / radius
    on_body = np.abs(across) < 1
    forward = np.sqrt(np.clip(1 - across**2, 0, 1))
    down = (y - top - bend * forward) / (bottom - top)
    on_body &= (down >= 0) & (down <= 1)
    angle = np.degrees(np.arcsin(np.clip(across, -1, 1))) - yaw
    angle = (angle + 180) % 360 - 180
    pixels = np.asarray(result).astype(float)
    pixels[on_body] = colour
    reach = 68
    printed = on_body & (np.abs(angle) < reach) & (down > 0.1) & (down < 0.9)
    columns = ((angle + reach) / (2 * reach) * (photo.width - 1)).astype(int)
    rows = ((down - 0.1) / 0.8 * (photo.height - 1)).astype(int)
    pixels[printed] = np.asarray(photo.convert("RGB"))[rows[printed], columns[printed]]
    pixels[on_body] *= (0.55 + 0.5 * forward[on_body])[:, None]
    result = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(result)
    rim = (middle - radius, top - bend, middle + radius, top + bend)
    draw.ellipse(
        rim,
        fill=tuple(value * 3 // 5 for value in colour),
        outline=colour,
        width=round(0.012 * width),
    )
    if handle[1] >= 0:
        _handle(result, handle, colour, radius)
    return result


def _handle(image: Image.Image, direction: Point, colour: RGB, radius: float) -> None:
    """The handle as a bent bar that points in a direction (right, towards the camera)."""
    width, height = image.size
    start = width / 2 + radius * 0.97 * direction[0]
    end = start + radius * 0.62 * direction[0]
    drop = height * 0.02 * direction[1]
    dark = tuple(int(value * (0.78 + 0.1 * direction[1])) for value in colour)
    path = [
        (start + (end - start) * sin(t * np.pi), height * (0.49 - 0.17 * cos(t * np.pi)) + drop)
        for t in np.linspace(0, 1, 30)
    ]
    draw = ImageDraw.Draw(image)
    draw.line(
        path,
        fill=tuple(value * 2 // 3 for value in dark),
        width=round(0.062 * width),
        joint="curve",
    )
    draw.line(path, fill=dark, width=round(0.05 * width), joint="curve")
