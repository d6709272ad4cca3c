"""ROD and VSOD: something slides past a thing.

The opening of the occluder is drawn first and the thing is fitted behind it, so that the occluder's
size and proportions are independent of the thing.
"""

import random
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import numpy as np

from proactive_agent.scenarios.builder import wording
from proactive_agent.scenarios.builder.items import frame_fields
from proactive_agent.scenarios.fresh.draws import DrawnChoice
from proactive_agent.scenarios.fresh.laying import Actor, Spot, fitted, share_shown
from proactive_agent.scenarios.fresh.occluders import Draw, block_wall, screen
from proactive_agent.scenarios.fresh.pack import Cover, Pack
from proactive_agent.scenarios.fresh.place import THOUSAND, SceneRoom
from proactive_agent.scenarios.fresh.raster import (
    Pixels,
    box_blurred,
    channels_first,
    darkened,
    overlap,
    paste,
    scaled,
)
from proactive_agent.scenarios.fresh.scene import HALF, Scene
from proactive_agent.scenarios.fresh.source import Difficulty, FreshSource
from proactive_agent.scenarios.fresh.staging import Part, clutter, compose, main_view

LARGEST = 720
"""Greatest side of a rendered occluder, in thousandths of the frame. Larger ones are not used."""


class SlidingPanel(NamedTuple):
    """An occluder at offset (0, 0), with the place of its opaque part."""

    picture: Pixels
    alpha: Pixels | None
    left: int
    """Columns before the opaque part."""
    top: int
    """Rows above the opaque part."""


class _Fit(NamedTuple):
    """Size of a scaled passer, and the place of the opening in it."""

    width: int
    height: int
    left: int
    top: int


class SlidingScene(Scene):
    """A thing behind an occluder that moves sideways by one step per frame."""

    wide: ClassVar[tuple[int, int]]
    """Least and greatest width of the opening, in thousandths of the frame."""
    high: ClassVar[tuple[int, int]]
    middles: ClassVar[tuple[int, int]]
    """Range of the middle of the opening."""
    kind: ClassVar[str]
    """Kind of the rendered covers."""
    drawn: ClassVar[tuple[Draw, ...]]
    """Drawn occluders."""

    def __init__(self, pack: Pack, source: FreshSource, choice: DrawnChoice, index: int) -> None:
        super().__init__(pack, source, choice, index)
        rng, side = self.rng, self.side
        self.place = SceneRoom(pack, rng, choice.names)
        width, height = rng.randint(*self.wide), rng.randint(*self.high)
        middle = rng.randint(*self.middles)
        lowest = max(self.place.edge + 140, 660)
        bottom = rng.randint(lowest, min(950, lowest + 160))
        self.width, self.height = (length * side // THOUSAND for length in (width, height))
        self.left = middle * side // THOUSAND - self.width // 2
        self.bottom = bottom * side // THOUSAND
        self.steps = rng.randint(*self.pace(source.difficulty))
        """Steps after which the thing is free, to either side."""
        self.panel_seed = rng.getrandbits(64)
        self.step = -(-(self.width + self.width // 12 + self.margin()) // self.steps)
        self.ahead = rng.choice((True, False))
        """Whether the reference frame comes after the first one."""
        self.actor, self.spot = self._fitted(rng)
        # Drawn after the thing, but independent of it.
        self.others = clutter(
            pack, source, choice.names, random.Random(rng.getrandbits(64)),
            [(40, 170), (830, 960)], (lowest - 60, lowest + 60), unseen=choice.unseen,
        )  # fmt: skip

    def pace(self, difficulty: Difficulty) -> tuple[int, int]:
        """Returns the least and the most steps until the thing is free."""
        raise NotImplementedError

    def _fitted(self, rng: random.Random) -> tuple[Actor, Spot]:
        thing = self.pack.things[self.choice.name]
        view = main_view(thing, rng)
        actor = Actor(thing, view, rng)
        size = rng.randint(820, 940)
        within = (length * size // THOUSAND - 4 for length in (self.width, self.height))
        width, height = fitted(view, *within)
        slack = max((self.width - width) // 2 - 3, 0)
        shift = rng.randint(-THOUSAND, THOUSAND) * slack // THOUSAND
        above = max(2, rng.randint(8, 18) * self.side // THOUSAND)
        middle = self.left + self.width // 2 + shift
        return actor, Spot(middle, self.bottom - above, width, height)

    @property
    def count(self) -> int:
        """Number of frames."""
        raise NotImplementedError

    @property
    def first(self) -> int:
        """Number of the first frame, in which the occluder hides the thing."""
        return self.count // 2

    def offset(self, number: int) -> int:
        """Returns how far the occluder has moved to the right in a frame, in pixels."""
        return (number - self.first) * self.step

    def fields(self) -> dict[str, Any]:
        way = self.steps if self.ahead else -self.steps
        fields = frame_fields("{image}", self.first, self.count, self.first + way)
        return fields | {"enough": [n for n in range(self.count) if self._free(n) >= HALF]}

    def _free(self, number: int) -> float:
        """Returns the share of the thing's width that no part of the occluder can touch."""
        left = self.left + self.offset(number) - self.margin()
        right = left + self.width + 2 * self.margin()
        hidden = min(right, self.spot.right) - max(left, self.spot.left)
        return 1 - max(hidden, 0) / self.spot.width

    @cached_property
    def _base(self) -> tuple[Pixels, Pixels]:
        parts = [*self.others, Part(self.actor, self.spot, asked=True)]
        composed = compose(self.pack, self.place, self.side, parts)
        return self.place.grade.apply(composed.picture), composed.mask

    @cached_property
    def _panel(self) -> SlidingPanel:
        panel = self.panel()
        picture = self.place.grade.apply(panel.picture)
        if panel.alpha is not None:
            # Grain must not fall on the transparent part.
            picture = np.minimum(picture, panel.alpha)
        return panel._replace(picture=picture)

    def margin(self) -> int:
        """Returns how far the occluder reaches beyond its opaque part to a side, in pixels."""
        cover = self._occluder
        if not isinstance(cover, Cover):
            return 0
        fit = self._fit(cover)
        return max(fit.left, fit.width - fit.left - self.width)

    def panel(self) -> SlidingPanel:
        """Draws the occluder, ungraded."""
        cover = self._occluder
        if not isinstance(cover, Cover):
            return SlidingPanel(
                cover(random.Random(self.panel_seed), self.width, self.height), None, 0, 0
            )
        fit = self._fit(cover)
        left, top, right, bottom = cover.box
        source = channels_first(self.pack.pixels(cover.file)[top:bottom, left:right])
        layers = np.concatenate([darkened(source[:3], 255 - source[3]), source[3:]])
        layers = scaled(layers, fit.width, fit.height)
        return SlidingPanel(layers[:3], layers[3], fit.left, fit.top)

    @cached_property
    def _occluder(self) -> Cover | Draw:
        """The rendered occluder of this scene, or the function that draws it."""
        rendered = [cover for cover in self.pack.covers if cover.kind == self.kind]
        fitting = [cover for cover in rendered if self._is_small(self._fit(cover))]
        every: list[Cover | Draw] = [*self.drawn, *fitting, *fitting]
        return random.Random(self.panel_seed).choice(every)

    def _is_small(self, fit: _Fit) -> bool:
        return max(fit.width, fit.height) <= LARGEST * self.side // THOUSAND

    def _fit(self, cover: Cover) -> _Fit:
        """Scales a rendered passer so that its opaque part just covers the opening."""
        left, top, right, bottom = cover.opaque
        # Scaling softens the rim of the opaque part, so its outermost pixels do not count.
        left, top, right, bottom = left + 2, top + 2, right - 2, bottom - 2
        across = self.width * (bottom - top) >= self.height * (right - left)
        up, down = (self.width, right - left) if across else (self.height, bottom - top)
        x0, y0, x1, y1 = cover.box
        spare = (right - left) * up // down - self.width
        return _Fit(
            -(-(x1 - x0) * up // down), -(-(y1 - y0) * up // down),
            -(-(left - x0) * up // down) + max(spare, 0) // 2,
            (bottom - y0) * up // down - self.height,
        )  # fmt: skip

    def frame(self, name: str) -> Pixels:
        number = self.names().index(name)
        frame = self._base[0].copy()
        panel = self._panel
        left = self.left + self.offset(number) - panel.left
        self._shade(frame, left)
        paste(frame, left, self.bottom - self.height - panel.top, panel.picture, panel.alpha)
        return frame

    def _shade(self, frame: Pixels, left: int) -> None:
        """Draws the soft shadow at the occluder's foot."""
        pad = max(4, self.side // 40)
        shadow = self._foot
        x, y = left - pad, self.bottom + self._below - shadow.shape[0] // 2
        cut = overlap(x, y, shadow, frame)
        frame[cut.frame] = darkened(frame[cut.frame], shadow[cut.picture])

    @cached_property
    def _below(self) -> int:
        """Rows of the occluder below its opaque part."""
        return int(self._panel.picture.shape[1]) - self._panel.top - self.height

    @cached_property
    def _foot(self) -> Pixels:
        pad = max(4, self.side // 40)
        shadow = np.zeros((3 * pad, self._panel.picture.shape[2] + 2 * pad), np.uint8)
        shadow[pad : 2 * pad, pad:-pad] = 150
        return box_blurred(box_blurred(shadow, pad // 2), pad // 3)

    def visible(self, name: str) -> float:
        number = self.names().index(name)
        panel, mask = self._panel, self._base[1]
        shown = np.full(mask.shape, 255, np.uint8)
        left = self.left + self.offset(number) - panel.left
        top = self.bottom - self.height - panel.top
        if panel.alpha is None:
            clear = np.zeros(panel.picture.shape[1:], np.uint8)
        else:
            clear = 255 - panel.alpha
        cut = overlap(left, top, clear, shown)
        shown[cut.frame] = clear[cut.picture]
        return share_shown(mask, shown) / 1000


class RodScene(SlidingScene):
    """A wall of blocks that can be pushed aside."""

    name = "rod"
    wide = (340, 500)
    high = (320, 460)
    middles = (420, 580)
    kind = "wall"
    drawn = (block_wall,)

    def pace(self, difficulty: Difficulty) -> tuple[int, int]:
        return {"easy": (2, 2), "normal": (3, 4), "hard": (5, 6)}[difficulty]

    @property
    def count(self) -> int:
        return 14

    @property
    def thing(self) -> str:
        return wording.BLOCKS

    def names(self) -> list[str]:
        return [str(number) for number in range(self.count)]

    def suggestions(self, rng: random.Random) -> tuple[str, ...]:
        return wording.slide_suggestions(wording.BLOCKS, rng)


class VsodScene(SlidingScene):
    """A passer in a video."""

    name = "vsod"
    wide = (340, 520)
    high = (320, 470)
    middles = (380, 620)
    kind = "passer"
    drawn = (screen, block_wall)

    def __init__(self, pack: Pack, source: FreshSource, choice: DrawnChoice, index: int) -> None:
        super().__init__(pack, source, choice, index)
        self.direction = self.rng.choice((-1, 1))

    def pace(self, difficulty: Difficulty) -> tuple[int, int]:
        return {"easy": (1, 2), "normal": (2, 3), "hard": (4, 6)}[difficulty]

    @property
    def count(self) -> int:
        return {"easy": 6, "normal": 8, "hard": 14}[self.source.difficulty]

    def offset(self, number: int) -> int:
        return self.direction * super().offset(number)

    def names(self) -> list[str]:
        return [f"{number:04d}" for number in range(self.count)]

    def fields(self) -> dict[str, Any]:
        return super().fields() | {"strong_occlusions": True}

    def suggestions(self, rng: random.Random) -> tuple[str, ...]:
        return wording.wait_suggestions(wording.PASSER, rng)
