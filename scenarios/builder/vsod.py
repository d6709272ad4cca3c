"""Builds VSOD samples: a bus or another passer hides the object in a still or a video."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image, ImageOps

from proactive_agent.scenarios.builder import wording
from proactive_agent.scenarios.builder.changeit import sampled
from proactive_agent.scenarios.builder.drawn import bus
from proactive_agent.scenarios.builder.items import (
    Box,
    Built,
    Frame,
    Item,
    PixelSize,
    SkipError,
    frame_fields,
)
from proactive_agent.scenarios.builder.picture import Layer, open_layer, shadow_pad, with_shadow
from proactive_agent.scenarios.builder.recipe import Appearance, Draft, Recipe, opened
from proactive_agent.scenarios.builder.sliding import (
    Slide,
    SlideTarget,
    scaled_to_hide,
    slide,
    target_of,
)
from proactive_agent.scenarios.builder.sources import Accepts

FEWEST = 4
"""Minimum number of frames: hidden, free, and one in between on each side."""


def build_vsod(
    scenes: Sequence[Image.Image],
    box: Box | None,
    rng: random.Random,
    *,
    passer: Layer | None = None,
    mask: Image.Image | None = None,
) -> Built:
    """Builds the frames of an object that something passes. Without a passer a bus is drawn.

    `scenes` are at least 4 frames of equal size, from a video or one still repeated. Box and mask
    (see `build_rod`) apply to all of them. Raises SkipError if the passer does not hide the
    object.
    """
    count = len(scenes)
    size = PixelSize(*scenes[0].size)
    target = target_of(size, box, mask)
    first = rng.randrange(count)
    before = count // 2
    leftwards = rng.random() < 0.5
    way = _way(target, size, rng, passer, count - 1 - before, mirrored=leftwards)

    def frame(index: int) -> Frame:
        # The frames form a ring. In the reference frame the passer is `before` steps away.
        offset = (index - first + before) % count - before
        image = way.frame(scenes[index], -offset if leftwards else offset)
        return Frame(f"{index:04d}", image)

    fields = frame_fields("{image}", first, count, (first - before) % count)
    return Built(map(frame, range(count)), fields | {"strong_occlusions": True})


def _way(
    target: SlideTarget,
    size: PixelSize,
    rng: random.Random,
    passer: Layer | None,
    steps: int,
    *,
    mirrored: bool,
) -> Slide:
    if passer is not None:
        turned = ImageOps.mirror(passer) if mirrored else passer
        return slide(*scaled_to_hide(turned, target.hidden), target, size, steps)
    hidden = target.hidden
    # A bus is longer than it is high, for any shape of the object.
    width = round(max(hidden.width * rng.uniform(1.2, 1.6), hidden.height * 1.6))
    layer, body = bus(rng, width, round(hidden.height * rng.uniform(1.15, 1.4)))
    pad = shadow_pad()
    opaque = Box(body.left + pad, body.top + pad, body.right + pad, body.bottom + pad)
    return slide(with_shadow(layer), opaque, target, size, steps)


class VsodRecipe(Recipe):
    """Moves a bus or a given passer past a picture or a video."""

    name = "vsod"
    hides_box = True
    accepts = Accepts(pictures=True, folders=True)

    def make(self, root: Path, item: Item, look: Appearance, seed: str) -> Iterator[Draft]:
        scenes, box = self._scenes(root, item, look)
        thing = wording.PASSER if look.passer else wording.BUS
        passer = open_layer(look.passer) if look.passer else None
        for variant in range(look.variants):
            rng = random.Random(f"{seed}/{variant}")
            built = build_vsod(scenes, box, rng, passer=passer)
            yield Draft(built, self.texts(wording.wait_suggestions(thing, rng), rng, look))

    def _scenes(
        self, root: Path, item: Item, look: Appearance
    ) -> tuple[list[Image.Image], Box | None]:
        if len(item.frames) == 1:
            scene, box = opened(root, item, item.frames[0], look.size)
            return [scene] * max(FEWEST, look.frames), box
        if len(item.frames) < FEWEST:
            raise SkipError(f"a video of {len(item.frames)} frames; at least {FEWEST} are needed")
        chosen = sampled(len(item.frames), set(), max(FEWEST, look.frames))
        found = [opened(root, item, item.frames[number], look.size) for number in chosen]
        if len({scene.size for scene, _ in found}) > 1:
            raise SkipError("the frames are not all of one size")
        return [scene for scene, _ in found], found[0][1]
