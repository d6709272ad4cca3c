"""Builds ImageNet-C samples: a picture in five severities of a corruption, worst first."""

import random
from collections.abc import Iterator
from math import inf
from pathlib import Path

from PIL import Image

from proactive_agent.scenarios.builder import wording
from proactive_agent.scenarios.builder.items import Built, Frame, Item, frame_fields
from proactive_agent.scenarios.builder.picture import SMALLEST_SIDE, with_short_side
from proactive_agent.scenarios.builder.recipe import Appearance, Draft, Recipe, opened
from proactive_agent.scenarios.imagenet_c import SEVERITIES

SIDE = 224
"""Resolution of ImageNet-C, for which its severities are designed. The same blur or noise hides
much less of a larger picture."""


def build_imagenet_c(
    picture: Image.Image,
    corruption: str,
    rng: random.Random,
    *,
    side: int = SIDE,
    hardness: float = 1.0,
) -> Built:
    """Builds the frames `5` to `1` of a picture with a corruption of `corruption.FAMILIES`.

    The short side of a frame is `side` pixels, or that of the picture if it is smaller. If
    `hardness` is above 1, the worst frame is corrupted at a resolution lower by that factor, and
    scaled up again, so that blocks, grain and blur grow. Milder frames use resolutions in between.
    Each frame is nearer to the clean picture than the one before. If ImageNet-C's severities do
    not ensure this, the milder frame is blended with the clean picture.
    """
    clean = with_short_side(picture, side)
    fields = frame_fields("{level}", max(SEVERITIES), len(SEVERITIES), min(SEVERITIES))
    return Built(_frames(clean, corruption, rng.getrandbits(31), hardness), fields)


def _frames(clean: Image.Image, name: str, seed: int, hardness: float) -> Iterator[Frame]:
    # numpy and the corruptions need the extra `build`, which other scenarios do not.
    from proactive_agent.scenarios.builder.corruption import nearer

    distance = inf
    for severity in reversed(SEVERITIES):
        # The same seed for all severities keeps the pattern and changes only its strength.
        frame = _at(clean, name, severity, seed, 1 + (hardness - 1) * (severity - 1) / 4)
        frame, distance = nearer(frame, clean, distance)
        yield Frame(str(severity), frame)


def _at(clean: Image.Image, name: str, severity: int, seed: int, lower: float) -> Image.Image:
    from proactive_agent.scenarios.builder.corruption import BLOCKY, corrupted

    side = max(SMALLEST_SIDE, round(min(clean.size) / lower))
    small = corrupted(with_short_side(clean, side), name, severity, seed)
    method = Image.Resampling.NEAREST if name in BLOCKY else Image.Resampling.BICUBIC
    return small if small.size == clean.size else small.resize(clean.size, method)


class ImageNetCRecipe(Recipe):
    """Corrupts a picture; each variant uses another family."""

    name = "imagenet-c"
    needs = ("numpy", "cv2", "imagecorruptions")

    def make(self, root: Path, item: Item, look: Appearance, seed: str) -> Iterator[Draft]:
        from proactive_agent.scenarios.builder.corruption import FAMILIES

        picture, _ = opened(root, item, item.frames[0], look.size)
        families = random.Random(seed).sample(list(FAMILIES), len(FAMILIES))
        for variant in range(look.variants):
            rng = random.Random(f"{seed}/{variant}")
            family = families[variant % len(families)]
            corruption = rng.choice(list(FAMILIES[family]))
            built = build_imagenet_c(picture, corruption, rng, hardness=look.hardness)
            offered = wording.enhance_suggestions(family, rng)
            built.fields["quality_answer"] = offered[0]
            yield Draft(built, self.texts(offered, rng, look))
