"""ImageNet-C: a picture in five severities of one corruption, worst first."""

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
"""ImageNet-C's own resolution, which its severities are made for: the same blur or noise hides far
less of a larger picture."""


def build_imagenet_c(
    picture: Image.Image,
    corruption: str,
    rng: random.Random,
    *,
    side: int = SIDE,
    hardness: float = 1.0,
) -> Built:
    """The frames `5` to `1` of a picture with a corruption of `corruption.FAMILIES`.

    Frames have a short side of `side` pixels, or the picture's own if that is smaller.  With a
    `hardness` above 1 the worst frame is corrupted at a resolution so many times lower, the milder
    ones at resolutions between, and scaled up again: blocks, grain and blur grow by it.  Every step
    comes nearer to the clean picture: where ImageNet-C's own severities do not, the milder frame is
    faded towards it.
    """
    clean = with_short_side(picture, side)
    fields = frame_fields("{level}", max(SEVERITIES), len(SEVERITIES), min(SEVERITIES))
    return Built(_frames(clean, corruption, rng.getrandbits(31), hardness), fields)


def _frames(clean: Image.Image, name: str, seed: int, hardness: float) -> Iterator[Frame]:
    # numpy and the corruptions come with the extra `build`; the other scenarios do without.
    from proactive_agent.scenarios.builder.corruption import nearer

    distance = inf
    for severity in reversed(SEVERITIES):
        # One seed for all: the pattern stays, only its strength changes.
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
    """Corruptions of a picture, each variant another family."""

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
