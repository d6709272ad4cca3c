"""Builds ChangeIt samples: videos in which the object or action appears later or earlier."""

import random
from collections.abc import Iterable, Iterator
from pathlib import Path

from PIL import Image

from proactive_agent.scenarios.builder import wording
from proactive_agent.scenarios.builder.items import Built, Frame, Item, SkipError, frame_fields
from proactive_agent.scenarios.builder.recipe import Appearance, Draft, Recipe, opened
from proactive_agent.scenarios.builder.sources import Accepts


def build_changeit(
    scenes: Iterable[Image.Image],
    count: int,
    *,
    first: int,
    informative: int,
    step_size: int = 1,
    max_steps: int | None = None,
) -> Built:
    """Builds the frames of a video of `count` frames.

    The episode begins at `first` and can be answered at `informative`, a whole number of steps
    away. `max_steps` is the turn limit; by default it allows a walk through the whole video.
    Raises ValueError if the informative frame cannot be reached in time.
    """
    turns = max_steps or -(-(count - 1) // step_size) + 1
    steps, rest = divmod(abs(informative - first), step_size)
    if rest or not steps < turns or not {first, informative} <= set(range(count)):
        raise ValueError(f"frame {informative} is not reached from {first} within {turns} turns")
    frames = (Frame(str(number), scene) for number, scene in enumerate(scenes))
    fields = frame_fields("{image}", first, count, informative)
    return Built(frames, fields | {"step_size": step_size, "max_steps": turns})


def sampled(count: int, keep: set[int], most: int) -> list[int]:
    """Returns at most `most` of `count` frames, evenly spaced and in order, including `keep`.

    `most` must be at least the number of frames to keep.
    """
    if count <= most:
        return list(range(count))
    chosen = [index * (count - 1) // (most - 1) for index in range(most)]
    for frame in sorted(keep):
        if frame not in chosen:
            nearest = min(
                (i for i in range(most) if chosen[i] not in keep),
                key=lambda i: abs(chosen[i] - frame),
            )
            chosen[nearest] = frame
    return sorted(chosen)


class ChangeItRecipe(Recipe):
    """Shows the frames of a video whose informative frame is known."""

    name = "changeit"
    accepts = Accepts(folders=True)

    def variants(self, look: Appearance) -> int:
        return 1

    def lacks(self, item: Item) -> str | None:
        if item.informative is None:
            return "the informative frame named, in a list (CSV or JSONL) of the folders"
        return None

    def make(self, root: Path, item: Item, look: Appearance, seed: str) -> Iterator[Draft]:
        count = len(item.frames)
        informative, first = item.informative or 0, item.first
        if first is None:
            # Starts at the end that is farther away.
            first = 0 if informative > (count - 1) / 2 else count - 1
        if count < 2 or first == informative:
            raise SkipError("the first frame is the informative one, so nothing is left to ask")
        chosen = sampled(count, {first, informative}, max(2, look.frames))
        rng = random.Random(seed)
        scenes = (opened(root, item, item.frames[number], look.size)[0] for number in chosen)
        built = build_changeit(
            scenes, len(chosen), first=chosen.index(first), informative=chosen.index(informative)
        )
        yield Draft(built, self.texts(wording.appear_suggestions(rng), rng, look))
