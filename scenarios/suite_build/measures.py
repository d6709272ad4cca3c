"""Measures of frames: the visible share of the object, and the likeness to the clean picture."""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image
from skimage.metrics import structural_similarity

from proactive_agent.scenarios.builder.items import Built, Frame
from proactive_agent.scenarios.builder.picture import with_short_side

Grey: TypeAlias = npt.NDArray[np.float64]


def share(mask: Image.Image) -> float:
    """Returns the share of the picture that a mask (0 or 255) covers."""
    return float(np.count_nonzero(np.asarray(mask))) / (mask.width * mask.height)


def visible_shares(build: Callable[[Image.Image], Built], mask: Image.Image) -> dict[str, float]:
    """Returns by frame the visible share of the object's pixels.

    The occluder is the same for every scene. Frames built over a black and over a white scene
    therefore differ exactly where the scene behind is visible.
    """
    behind = np.asarray(mask, dtype=np.float64) / 255
    black = build(Image.new("RGB", mask.size, "black"))
    white = build(Image.new("RGB", mask.size, "white"))
    shares = {}
    for dark, light in zip(black.frames, white.frames, strict=True):
        shown = (_grey(light.image) - _grey(dark.image)) / 255
        shares[dark.name] = round(float((shown * behind).sum() / behind.sum()), 4)
    return shares


def likeness(frames: Iterable[Frame], clean: Image.Image) -> dict[str, float]:
    """Returns by frame the structural similarity (SSIM) to the clean picture; 1 if equal."""
    shares = {}
    for frame in frames:
        target = np.asarray(with_short_side(clean, min(frame.image.size)))
        # The library has no type annotations.
        measure: Any = structural_similarity
        value = measure(np.asarray(frame.image), target, channel_axis=2)
        shares[frame.name] = round(float(value), 4)
    return shares


def _grey(image: Image.Image) -> Grey:
    grey: Grey = np.asarray(image, dtype=np.float64).mean(axis=2)
    return grey
