"""Builds ROD samples: a wall slides in front of an object, in a ring of 14 frames."""

import random
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from proactive_agent.scenarios.builder import wording
from proactive_agent.scenarios.builder.drawn import block_wall
from proactive_agent.scenarios.builder.items import Box, Built, Frame, Item, PixelSize, frame_fields
from proactive_agent.scenarios.builder.picture import Layer, open_layer, shadow_pad, with_shadow
from proactive_agent.scenarios.builder.recipe import Appearance, Draft, Recipe, opened
from proactive_agent.scenarios.builder.sliding import (
    Slide,
    SlideTarget,
    scaled_to_hide,
    slide,
    target_of,
)

FRAMES = 14
CENTRE = 7
"""Frame in which the wall covers the object. The ring's ends are 7 steps left and 6 right."""
REFERENCE = 0


def build_rod(
    scene: Image.Image,
    box: Box | None,
    rng: random.Random,
    *,
    occluder: Layer | None = None,
    mask: Image.Image | None = None,
) -> Built:
    """Builds the frames of an object behind a wall. Without an occluder a wall is drawn.

    `mask` (mode L, in the scene's size) marks the object's pixels and is more precise than the box.
    With neither, the middle of the scene is hidden and the reference frame is completely free.
    Raises SkipError if the occluder does not hide the object.
    """
    size = PixelSize(*scene.size)
    target = target_of(size, box, mask)
    way = _way(target, size, rng, occluder)
    frames = (Frame(str(i), way.frame(scene, i - CENTRE)) for i in range(FRAMES))
    return Built(frames, frame_fields("{image}", CENTRE, FRAMES, REFERENCE))


def _way(target: SlideTarget, size: PixelSize, rng: random.Random, occluder: Layer | None) -> Slide:
    steps = FRAMES - 1 - CENTRE
    if occluder is not None:
        return slide(*scaled_to_hide(occluder, target.hidden), target, size, steps)
    hidden = target.hidden
    # The wall reaches down to the lower edge of the picture, as if it stood on the ground.
    width = hidden.width + max(8, round(hidden.width * rng.uniform(0.1, 0.3)))
    above = max(4, round(hidden.height * rng.uniform(0.04, 0.15)))
    wall = block_wall(rng, width, size.height - hidden.top + above)
    pad = shadow_pad()
    opaque = Box(pad, pad + above, pad + width, pad + above + hidden.height)
    return slide(with_shadow(wall), opaque, target, size, steps)


class RodRecipe(Recipe):
    """Puts a wall or a given occluder in front of a picture."""

    name = "rod"
    hides_box = True

    def make(self, root: Path, item: Item, look: Appearance, seed: str) -> Iterator[Draft]:
        scene, box = opened(root, item, item.frames[0], look.size)
        thing = wording.OBJECTS if look.occluder else wording.BLOCKS
        occluder = open_layer(look.occluder) if look.occluder else None
        for variant in range(look.variants):
            rng = random.Random(f"{seed}/{variant}")
            built = build_rod(scene, box, rng, occluder=occluder)
            yield Draft(built, self.texts(wording.slide_suggestions(thing, rng), rng, look, thing))
