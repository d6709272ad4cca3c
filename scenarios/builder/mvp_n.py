"""Builds MVP-N samples: an object is turned until the last view, which is informative."""

import random
from collections.abc import Iterable, Iterator
from pathlib import Path

from PIL import Image

from proactive_agent.scenarios.builder import wording
from proactive_agent.scenarios.builder.items import Built, Frame, Item, SkipError, frame_fields
from proactive_agent.scenarios.builder.recipe import Appearance, Draft, Recipe, opened
from proactive_agent.scenarios.builder.sources import Accepts

MOST = 6
"""Maximum number of views, as in the release."""


def build_mvp_n(views: Iterable[Image.Image], count: int) -> Built:
    """Builds the frames of at least 2 views, of which the last one is informative."""
    last = count - 1

    def frame(number: int, view: Image.Image) -> Frame:
        return Frame(f"{int(number == last)}_{number:04d}", view)

    frames = (frame(number, view) for number, view in enumerate(views))
    fields = frame_fields("{informative}_{image}", 0, count, last)
    return Built(frames, fields | {"valid_images": list(range(count))})


def order_of_views(count: int, informative: int, most: int = MOST) -> list[int]:
    """Returns at most `most` views in order, evenly chosen, with the informative one last."""
    others = [view for view in range(count) if view != informative]
    return [*evenly(others, most - 1), informative]


def evenly(values: list[int], most: int) -> list[int]:
    """Returns at most `most` values, evenly spaced, including the first."""
    if len(values) <= most:
        return values
    return [values[index * len(values) // most] for index in range(most)]


class MvpNRecipe(Recipe):
    """Shows the views of an object, the informative one last."""

    name = "mvp-n"
    accepts = Accepts(folders=True)

    def variants(self, look: Appearance) -> int:
        return 1

    def make(self, root: Path, item: Item, look: Appearance, seed: str) -> Iterator[Draft]:
        count = len(item.frames)
        if count < 2:
            raise SkipError(f"{count} views; at least 2 are needed")
        rng = random.Random(seed)
        informative = count - 1 if item.informative is None else item.informative
        order = order_of_views(count, informative)
        views = (opened(root, item, item.frames[view], look.size)[0] for view in order)
        texts = self.texts(wording.rotate_suggestions(rng), rng, look)
        yield Draft(build_mvp_n(views, len(order)), texts)
