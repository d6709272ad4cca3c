"""COCO: a crop of a room that first misses the thing and then grows."""

import random
from functools import cached_property
from typing import Any

import numpy as np

from proactive_agent.scenarios.builder import wording
from proactive_agent.scenarios.builder.coco import DIRECTIONS, crop_fields, zoom_crop
from proactive_agent.scenarios.builder.crops import GRANULARITIES
from proactive_agent.scenarios.builder.items import Box, frame_fields
from proactive_agent.scenarios.coco import Coco, CocoSample
from proactive_agent.scenarios.fresh.draws import DrawnChoice
from proactive_agent.scenarios.fresh.laying import Actor, Spot, fitted
from proactive_agent.scenarios.fresh.pack import Pack, Thing
from proactive_agent.scenarios.fresh.place import THOUSAND, SceneRoom
from proactive_agent.scenarios.fresh.raster import Pixels
from proactive_agent.scenarios.fresh.scene import Scene
from proactive_agent.scenarios.fresh.source import Difficulty, FreshSource
from proactive_agent.scenarios.fresh.staging import Part, compose, main_view, unrelated_things
from proactive_agent.scenarios.sample import Sample
from proactive_agent.scenarios.wording import OWN
from proactive_agent.tools import Intervention

FRAME = "picture"

STEPS: dict[Difficulty, tuple[int, ...]] = {"easy": (3,), "normal": (3, 4), "hard": (5,)}
"""Sizes of the crop along an axis."""

WAYS: dict[Difficulty, tuple[str, ...]] = {
    "easy": DIRECTIONS[:4],
    "normal": DIRECTIONS,
    "hard": DIRECTIONS,
}

OTHERS: dict[Difficulty, tuple[int, int]] = {"easy": (0, 1), "normal": (1, 2), "hard": (2, 2)}

ZOOM_HALVES = (110, 170)
"""Least and greatest half side of the first crop of a zoom, in thousandths of the picture."""

ZOOM_TRIES = 200

TRIES = 4
"""Number of crops that are drawn. The one with the longest short side is taken."""

Range = tuple[int, int]

PLACES: tuple[Range, ...] = ((120, 260), (420, 580), (740, 880))
"""Ranges of the middles of three things, in thousandths."""


class FramedScene(Scene):
    """A room in which the first crop misses the thing."""

    name = "coco"

    def __init__(self, pack: Pack, source: FreshSource, choice: DrawnChoice, index: int) -> None:
        super().__init__(pack, source, choice, index)
        rng = self.rng
        # Crops are smaller than the picture.
        self.side = source.size * 10 // 7
        self.place = SceneRoom(pack, rng, choice.names, closest=900)
        way = rng.choice(WAYS[source.difficulty])
        count = rng.randint(*OTHERS[source.difficulty])
        others = unrelated_things(pack, choice.names, rng, count, unseen=choice.unseen)
        columns = rng.sample(PLACES, len(PLACES))
        own = _column(way, columns[0])
        columns = [own, *(column for column in columns if column != own)]
        things = [pack.things[choice.name], *others]
        self.parts = [
            self._part(thing, columns[number], "" if number else way, rng)
            for number, thing in enumerate(things)
        ]
        self.crop = self._crop(way, rng)

    def _part(self, thing: Thing, column: Range, way: str, rng: random.Random) -> Part:
        """Places a thing. The thing in question has a `way`, in which the crop grows towards it."""
        side = self.side
        view = main_view(thing, rng)
        actor = Actor(thing, view, rng)
        wide, tall = rng.randint(220, 300), rng.randint(200, 290)
        lowest = max(self.place.edge + 110, 610)
        feet = (lowest, 930)
        if "up" in way:
            feet = (lowest, lowest + 60)
        elif "down" in way:
            feet = (max(lowest, 780), 940)
        width, height = fitted(view, wide * side // THOUSAND, tall * side // THOUSAND)
        foot = rng.randint(*feet) * side // THOUSAND
        middle = rng.randint(*column) * side // THOUSAND
        return Part(actor, Spot(middle, foot, width, height), asked=bool(way))

    def _crop(self, way: str, rng: random.Random) -> dict[str, Any]:
        box, size = self.box, (self.side, self.side)
        wanted = rng.sample(STEPS[self.source.difficulty], len(STEPS[self.source.difficulty]))
        # A small picture may leave no room for some ways.
        steps = [*wanted, *(n for n in GRANULARITIES if n not in wanted)]
        for one in [way, *(other for other in DIRECTIONS if other != "zoom")]:
            for number in steps:
                if one == "zoom":
                    found = [self._zoom(number, rng)]
                else:
                    found = [crop_fields(size, box, one, number, rng) for _ in range(TRIES)]
                if fitting := [fields for fields in found if fields]:
                    return max(fitting, key=_shortest)
        raise ValueError(f"no crop of {size} first misses {box}")

    def _zoom(self, steps: int, rng: random.Random) -> dict[str, Any] | None:
        """Draws a first crop next to the thing. It grows on all sides until it holds the thing.

        A first crop inside the thing would show its colour. Returns None if there is no room.
        """
        box, side = self.box, self.side
        for _ in range(ZOOM_TRIES):
            half = rng.randint(*ZOOM_HALVES) * side // THOUSAND
            x, y = (rng.randint(half, side - half) for _ in range(2))
            first = Box(x - half, y - half, x + half, y + half)
            reach = max(x - box.left, box.right - x, y - box.top, box.bottom - y)
            step = -(-(reach - half) // steps)
            room = min(x, side - x, y, side - y)
            if step > 0 and half + steps * step <= room and not first.overlap(box):
                return {
                    "direction": "zoom", "granularity": steps, "horizontal_step": step,
                    "vertical_step": step, "crop": zoom_crop(first, step, step),
                }  # fmt: skip
        return None

    @property
    def box(self) -> Box:
        """The thing's box in the picture."""
        spot = self.parts[0].spot
        left, top = max(spot.left, 0), max(spot.top, 0)
        return Box(left, top, min(spot.right, self.side), min(spot.foot, self.side))

    def fields(self) -> dict[str, Any]:
        return frame_fields(FRAME, 0, 1, 0) | self.crop

    def names(self) -> list[str]:
        return [FRAME]

    def suggestions(self, rng: random.Random) -> tuple[str, ...]:
        return wording.move_suggestions(self.crop["direction"])

    @cached_property
    def _composed(self) -> tuple[Pixels, Pixels]:
        composed = compose(self.pack, self.place, self.side, self.parts)
        return self.place.grade.apply(composed.picture), composed.mask

    def frame(self, name: str) -> Pixels:
        if name != FRAME:
            raise ValueError(name)
        return self._composed[0]

    def visible(self, name: str) -> float:
        return 1.0

    def shares(self, sample: Sample) -> list[float]:
        """Returns the visible share of the thing in each crop, on the way to the whole picture."""
        state = Coco(CocoSample.model_validate(sample.model_dump()), OWN)
        shares = [self._share_in(state.image().crop)]
        while isinstance(action := state.best_action(), Intervention):
            state.step(action)
            shares.append(self._share_in(state.image().crop))
        return shares

    def _share_in(self, crop: tuple[float, float, float, float] | None) -> float:
        mask = self._composed[1]
        left, top, right, bottom = (max(round(edge), 0) for edge in crop or (0, 0, *mask.shape))
        whole = int(mask.sum(dtype=np.int64))
        inside = int(mask[top:bottom, left:right].sum(dtype=np.int64))
        return round(inside / whole, 3) if whole else 0.0


def _column(way: str, drawn: Range) -> Range:
    """Returns the column of the thing, on the side towards which the crop grows."""
    if "left" in way:
        return PLACES[0]
    return PLACES[2] if "right" in way else drawn


def _shortest(fields: dict[str, Any]) -> int:
    """Returns the length of the first crop's shorter side."""
    crop, zoom = fields["crop"], fields["direction"] == "zoom"
    across, down = fields["horizontal_step"], fields["vertical_step"]
    ways = fields["direction"].split("_")
    if zoom:
        return int(min(crop["width"] + 2 * across, crop["height"] + 2 * down))
    width = crop["width"] - crop["left"] + across * bool({*ways} & {"left", "right"})
    height = crop["height"] - crop["top"] + down * bool({*ways} & {"up", "down"})
    return int(min(width, height))
