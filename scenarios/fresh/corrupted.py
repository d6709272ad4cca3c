"""ImageNet-C: a picture that is repaired step by step.

At the worst severity the thing is left out before the picture is corrupted, so that no coloured
blob reveals it.
"""

import random
from functools import cached_property
from typing import Any

import numpy as np

from proactive_agent.scenarios.builder import wording
from proactive_agent.scenarios.builder.items import frame_fields
from proactive_agent.scenarios.fresh.corruptions import CORRUPTIONS
from proactive_agent.scenarios.fresh.draws import DrawnChoice, generator
from proactive_agent.scenarios.fresh.laying import Actor, Spot, fitted
from proactive_agent.scenarios.fresh.pack import Pack
from proactive_agent.scenarios.fresh.place import THOUSAND, SceneRoom
from proactive_agent.scenarios.fresh.raster import Pixels
from proactive_agent.scenarios.fresh.scene import Scene
from proactive_agent.scenarios.fresh.source import Difficulty, FreshSource
from proactive_agent.scenarios.fresh.staging import Part, compose, main_view

WORST = 5

SEVERITIES: dict[Difficulty, tuple[int, int, int, int, int]] = {
    "easy": (1, 1, 1, 2, 5),
    "normal": (1, 2, 3, 4, 5),
    "hard": (1, 3, 4, 4, 5),
}
"""Severities of the corruption in the frames 1 to 5."""

ENOUGH = 2
"""Highest severity at which the thing is clearly visible."""


class CorruptedScene(Scene):
    """A thing in a corrupted picture."""

    name = "imagenet-c"

    def __init__(self, pack: Pack, source: FreshSource, choice: DrawnChoice, index: int) -> None:
        super().__init__(pack, source, choice, index)
        rng = self.rng
        self.side = source.size // 2
        self.place = SceneRoom(pack, rng, choice.names)
        self.family = _family(source, index)
        """The enhancement that helps."""
        self.offered = [self.family, *rng.sample([f for f in CORRUPTIONS if f != self.family], 3)]
        self.seed = rng.getrandbits(64)
        thing = pack.things[choice.name]
        view = main_view(thing, rng)
        self.actor = Actor(thing, view, rng)
        tall = rng.randint(520, 660) * self.side // THOUSAND
        width, height = fitted(view, 780 * self.side // THOUSAND, tall)
        lowest = max(self.place.edge + 140, 760)
        foot = rng.randint(lowest, min(950, lowest + 120)) * self.side // THOUSAND
        self.spot = Spot(rng.randint(440, 560) * self.side // THOUSAND, foot, width, height)

    def fields(self) -> dict[str, Any]:
        fields = frame_fields("{level}", WORST, WORST, 1)
        severities = SEVERITIES[self.source.difficulty]
        enough = [n for n in range(1, WORST + 1) if severities[n - 1] <= ENOUGH]
        return fields | {"enough": enough}

    def names(self) -> list[str]:
        return [str(number) for number in range(1, WORST + 1)]

    def suggestions(self, rng: random.Random) -> tuple[str, ...]:
        return tuple(rng.choice(wording.ENHANCE[family]) for family in self.offered)

    @cached_property
    def _clean(self) -> Pixels:
        parts = [Part(self.actor, self.spot, asked=True)]
        composed = compose(self.pack, self.place, self.side, parts)
        return self.place.grade.apply(composed.picture)

    @cached_property
    def _empty(self) -> Pixels:
        return self.place.grade.apply(self.place.picture(self.side))

    def frame(self, name: str) -> Pixels:
        severity = SEVERITIES[self.source.difficulty][self.names().index(name)]
        picture = self._empty if severity == WORST else self._clean
        # The pattern stays and only its strength changes.
        return CORRUPTIONS[self.family](picture, severity, random.Random(self.seed))

    def visible(self, name: str) -> float:
        if int(name) == WORST:
            return 0.0
        return likeness(self.frame(name), self._clean)


def _family(source: FreshSource, index: int) -> str:
    """Draws the family of a sample. Each comes once in as many samples as there are families."""
    turn, number = divmod(index, len(CORRUPTIONS))
    order = list(CORRUPTIONS)
    generator(source, CorruptedScene.name, "families", turn).shuffle(order)
    return order[number]


def likeness(picture: Pixels, clean: Pixels) -> float:
    """Returns the correlation of two pictures, from 0 to 1."""
    one, other = (p.reshape(-1).astype(np.int64) for p in (picture, clean))
    count = len(one)
    both = count * int((one * other).sum()) - int(one.sum()) * int(other.sum())
    spread = [count * int((p * p).sum()) - int(p.sum()) ** 2 for p in (one, other)]
    product = spread[0] * spread[1]
    return round(max(both, 0) / float(product) ** 0.5, 3) if product else 0.0
