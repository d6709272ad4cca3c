"""VSOD: something passes between the camera and an object, in a still or in a video."""

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
"""Frames: hidden, free, and one between them at each side."""


def build_vsod(
    scenes: Sequence[Image.Image],
    box: Box | None,
    rng: random.Random,
    *,
    passer: Layer | None = None,
    mask: Image.Image | None = None,
) -> Built:
    """The frames of an object that something passes; a bus is drawn where no passer is given.

    `scenes` are the frames of a video, all of one size, or one still many times; at least 4.  Box
    and mask (see `build_rod`) hold for all of them.  Raises SkipError where the passer does not
    hide the object.
    """
    count = len(scenes)
    size = PixelSize(*scenes[0].size)
    target = target_of(size, box, mask)
    first = rng.randrange(count)
    before = count // 2
    leftwards = rng.random() < 0.5
    way = _way(target, size, rng, passer, count - 1 - before, mirrored=leftwards)

    def frame(index: int) -> Frame:
        # A ring: the passer is `before` steps away in the reference frame, and comes from there.
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
    # A bus is longer than high, however the object is.
    width = round(max(hidden.width * rng.uniform(1.2, 1.6), hidden.height * 1.6))
    layer, body = bus(rng, width, round(hidden.height * rng.uniform(1.15, 1.4)))
    pad = shadow_pad()
    opaque = Box(body.left + pad, body.top + pad, body.right + pad, body.bottom + pad)
    return slide(with_shadow(layer), opaque, target, size, steps)


class VsodRecipe(Recipe):
    """A bus, or a given passer, in front of a picture or a video."""

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
