"""ChangeIt: a cover in front of the whole scene opens during a video.

Every second video of a group opens backwards, so that it has to be rewound.
"""

import random
from functools import cached_property
from typing import Any

import numpy as np

from proactive_agent.scenarios.builder import wording
from proactive_agent.scenarios.builder.items import frame_fields
from proactive_agent.scenarios.fresh.draws import DrawnChoice
from proactive_agent.scenarios.fresh.laying import Actor, Spot, fitted, share_shown
from proactive_agent.scenarios.fresh.occluders import cloth, screen
from proactive_agent.scenarios.fresh.pack import Pack
from proactive_agent.scenarios.fresh.place import THOUSAND, SceneRoom
from proactive_agent.scenarios.fresh.raster import Pixels, darkened, overlap, paste, scaled
from proactive_agent.scenarios.fresh.scene import HALF, Scene
from proactive_agent.scenarios.fresh.source import Difficulty, FreshSource
from proactive_agent.scenarios.fresh.staging import Part, clutter, compose, main_view

WAYS = ("apart", "left", "right", "up")
"""Ways in which a cover opens: both halves to the sides, or the whole to one side or up."""

OPENING: dict[Difficulty, tuple[int, int]] = {"easy": (1, 2), "normal": (3, 4), "hard": (6, 8)}
"""Least and most steps from the first frame to the open one."""

CLOSED = 2
"""Frames on the far side of the first frame in which nothing happens."""

OPEN = 2
"""Frames after the open one."""


class RevealScene(Scene):
    """A thing behind a cover that opens."""

    name = "changeit"

    def __init__(self, pack: Pack, source: FreshSource, choice: DrawnChoice, index: int) -> None:
        super().__init__(pack, source, choice, index)
        rng, side = self.rng, self.side
        self.place = SceneRoom(pack, rng, choice.names)
        self.way = rng.choice(WAYS)
        self.cover_seed = rng.getrandbits(64)
        self.drawn_as = rng.choice((cloth, cloth, screen))
        self.opening = rng.randint(*OPENING[source.difficulty])
        self.waits = rng.randint(0, 1 if self.opening > 1 else 0)
        """Steps after the first frame in which the cover is still closed."""
        self.backwards = rng.choice((True, False))
        thing = pack.things[choice.name]
        view = main_view(thing, rng)
        self.actor = Actor(thing, view, rng)
        tall = rng.randint(360, 520) * side // THOUSAND
        width, height = fitted(view, 640 * side // THOUSAND, tall)
        lowest = max(self.place.edge + 120, 660)
        foot = rng.randint(lowest, min(930, lowest + 170)) * side // THOUSAND
        middle = rng.randint(440, 560) * side // THOUSAND
        self.spot = Spot(middle, foot, width, height)
        self.others = clutter(
            pack, source, choice.names, rng, [(60, 160), (840, 940)],
            (lowest - 60, lowest + 40), unseen=choice.unseen,
        )  # fmt: skip

    @property
    def count(self) -> int:
        """Number of frames."""
        return CLOSED + 1 + self.opening + OPEN

    def fields(self) -> dict[str, Any]:
        first, reference = CLOSED, CLOSED + self.opening
        enough = [n for n in range(self.count) if self._free(n) >= HALF]
        if self.backwards:
            last = self.count - 1
            first, reference, enough = last - first, last - reference, [last - n for n in enough]
        fields = frame_fields("{image}", first, self.count, reference)
        more = {"step_size": 1, "max_steps": self.count, "enough": sorted(enough)}
        return fields | more

    def names(self) -> list[str]:
        return [str(number) for number in range(self.count)]

    def suggestions(self, rng: random.Random) -> tuple[str, ...]:
        return wording.appear_suggestions(rng)

    def _open(self, number: int) -> int:
        """Returns how far the cover is open in a frame of the forward video, in pixels."""
        steps = self.opening - self.waits
        done = min(max(number - CLOSED - self.waits, 0), steps)
        # It starts slowly.
        share = done * THOUSAND // steps
        share = share * (THOUSAND + share) // (2 * THOUSAND)
        return self.side * 9 // 10 * share // THOUSAND

    def _gap(self, number: int) -> tuple[int, int, int, int]:
        """Returns the free part of a frame of the forward video: left, top, right, bottom."""
        side, width = self.side, self._open(number)
        match self.way:
            case "apart":
                return (side - width) // 2, 0, (side + width) // 2 if width else side // 2, side
            case "left":
                return side - width, 0, side, side
            case "right":
                return 0, 0, width, side
            case _:
                return 0, side - width, side, side

    def _free(self, number: int) -> float:
        """Returns the free share of the thing's box."""
        left, top, right, bottom = self._gap(number)
        spot = self.spot
        across = min(right, spot.right) - max(left, spot.left)
        down = min(bottom, spot.foot) - max(top, spot.top)
        return max(across, 0) * max(down, 0) / (spot.width * spot.height)

    @cached_property
    def _base(self) -> tuple[Pixels, Pixels]:
        parts = [*self.others, Part(self.actor, self.spot, asked=True)]
        composed = compose(self.pack, self.place, self.side, parts)
        return self.place.grade.apply(composed.picture), composed.mask

    @cached_property
    def _cover(self) -> Pixels:
        rng = random.Random(self.cover_seed)
        return self.place.grade.apply(self.drawn_as(rng, self.side, self.side))

    def _number(self, name: str) -> int:
        number = self.names().index(name)
        return self.count - 1 - number if self.backwards else number

    def frame(self, name: str) -> Pixels:
        number, side = self._number(name), self.side
        cover = self._cover
        if not self._open(number):
            return cover.copy()
        left, top, right, _ = self._gap(number)
        frame = self._base[0].copy()
        shadow = self._shadow
        if left:
            _shade(frame, shadow, left, 0)
            part = cover[..., : side // 2] if self.way == "apart" else cover
            paste(frame, 0, 0, self._drawn(part, left, last=True))
        if right < side:
            _shade(frame, np.ascontiguousarray(shadow[:, ::-1]), right - shadow.shape[1], 0)
            part = cover[..., side // 2 :] if self.way == "apart" else cover
            paste(frame, right, 0, self._drawn(part, side - right, last=False))
        if top:
            _shade(frame, np.ascontiguousarray(shadow.swapaxes(0, 1)), 0, top)
            paste(frame, 0, 0, cover[:, side - top :])
        return frame

    def _drawn(self, part: Pixels, width: int, *, last: bool) -> Pixels:
        """Returns a part of the cover that is drawn aside: cloth is pushed together, doors slide.

        `last` keeps the last columns of a door.
        """
        if self.drawn_as is cloth:
            return scaled(part, width, self.side)
        return part[..., -width:] if last else part[..., :width]

    @cached_property
    def _shadow(self) -> Pixels:
        width = max(self.side // 10, 2)
        fade = (width - np.arange(width)) ** 2 * 120 // width**2
        return np.tile(fade.astype(np.uint8), (self.side, 1))

    def visible(self, name: str) -> float:
        number, mask = self._number(name), self._base[1]
        shown = np.zeros(mask.shape, np.uint8)
        if self._open(number):
            left, top, right, bottom = self._gap(number)
            shown[top:bottom, left:right] = 255
        return share_shown(mask, shown) / 1000


def _shade(frame: Pixels, shadow: Pixels, left: int, top: int) -> None:
    cut = overlap(left, top, shadow, frame)
    frame[cut.frame] = darkened(frame[cut.frame], shadow[cut.picture])
