"""Eight families of corruption in five severities, most of them from `imagecorruptions-imaug`.

Needs the extra `build`.
"""

import io
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from functools import partial
from typing import TypeAlias

import cv2
import imagecorruptions
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageEnhance

from proactive_agent.scenarios.builder.items import SkipError

Pixels: TypeAlias = npt.NDArray[np.uint8]
Corruption = Callable[[Pixels, int, int], Pixels]
"""A function of pixels, severity (1-5) and seed."""

# The worker processes already use all cores, so more threads would only slow them down.
cv2.setNumThreads(1)


def _published(name: str, pixels: Pixels, severity: int, seed: int) -> Pixels:
    # Most corruptions use numpy's global generator; these two take a seed.
    np.random.seed(seed)
    own = {"seed": seed} if name in ("impulse_noise", "glass_blur") else {}
    try:
        # The library prints a remark if a size does not divide evenly.
        with redirect_stdout(io.StringIO()):
            result = imagecorruptions.corrupt(pixels, severity, name, **own)
    except Exception as error:  # the library raises many types for extreme aspect ratios
        raise SkipError(f"{name} {severity}: {type(error).__name__}: {error}") from None
    return np.asarray(result, dtype=np.uint8)


def _darkened(pixels: Pixels, severity: int, seed: int) -> Pixels:
    # ImageNet-C only makes pictures brighter.
    share = (0.5, 0.3, 0.15, 0.06, 0.015)[severity - 1]
    darkened: Pixels = np.rint(pixels * share).astype(np.uint8)
    return darkened


def _faint(pixels: Pixels, severity: int, seed: int) -> Pixels:
    # ImageNet-C's lowest contrast (0.05) still shows the outline of an object.
    share = (0.4, 0.3, 0.2, 0.1, 0.015)[severity - 1]
    mean = pixels.mean(axis=(0, 1))
    faint: Pixels = np.rint(mean + (pixels - mean) * share).astype(np.uint8)
    return faint


def _saturated(shares: tuple[float, ...], pixels: Pixels, severity: int, seed: int) -> Pixels:
    # ImageNet-C's severities 1 and 2 remove colour and 3 to 5 add it, so its severities are not
    # ordered from better to worse.
    share = shares[severity - 1]
    return np.asarray(ImageEnhance.Color(Image.fromarray(pixels)).enhance(share))


def _by_imagenet_c(*names: str) -> dict[str, Corruption]:
    return {name: partial(_published, name) for name in names}


FAMILIES: Mapping[str, Mapping[str, Corruption]] = {
    "brightness": {**_by_imagenet_c("brightness"), "darkness": _darkened},
    "contrast": {**_by_imagenet_c("contrast"), "faint": _faint},
    "saturation": {
        "grey": partial(_saturated, (0.6, 0.4, 0.25, 0.1, 0.0)),
        "oversaturated": partial(_saturated, (2.0, 3.5, 6.0, 12.0, 25.0)),
    },
    "deblur": _by_imagenet_c("gaussian_blur", "defocus_blur", "motion_blur", "glass_blur"),
    "denoise": _by_imagenet_c("gaussian_noise", "shot_noise", "impulse_noise", "speckle_noise"),
    "compression": _by_imagenet_c("jpeg_compression"),
    "resolution": _by_imagenet_c("pixelate"),
    "artifacts": _by_imagenet_c("snow", "frost", "fog", "spatter"),
}
"""Corruptions by the enhancement that repairs them (see `scenarios.imagenet_c.OPERATIONS`)."""

BLOCKY = frozenset({"jpeg_compression", "pixelate"})


def corrupted(image: Image.Image, name: str, severity: int, seed: int) -> Image.Image:
    """Applies a corruption of `FAMILIES` to an RGB picture of at least 32 pixels a side."""
    corruption = next(family[name] for family in FAMILIES.values() if name in family)
    return Image.fromarray(corruption(np.asarray(image), severity, seed))


_NEARER = 0.9


def nearer(frame: Image.Image, clean: Image.Image, distance: float) -> tuple[Image.Image, float]:
    """Blends a frame with the clean picture until it is nearer to it than `distance`.

    Returns the frame and its distance, the root mean square difference of the values (0-255).
    """
    target = np.asarray(clean).astype(np.float32)
    change = np.asarray(frame).astype(np.float32) - target
    size = float(np.sqrt(np.mean(change**2)))
    if size <= _NEARER * distance:
        return frame, size
    change *= _NEARER * distance / size
    return Image.fromarray(np.rint(target + change).astype(np.uint8)), _NEARER * distance
