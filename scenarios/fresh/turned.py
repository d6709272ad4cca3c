"""MVP-N: a thing in a box that is open on one side. The box is turned until that side is in front.

The box hides the thing completely. A view from behind would not: a policy that has seen the thing
before recognises its back.
"""

import random
from functools import cached_property
from typing import Any

import numpy as np

from proactive_agent.scenarios.builder import wording
from proactive_agent.scenarios.builder.items import frame_fields
from proactive_agent.scenarios.fresh.draws import DrawnChoice
from proactive_agent.scenarios.fresh.laying import Actor, Spot, fitted
from proactive_agent.scenarios.fresh.occluders import cardboard, planks
from proactive_agent.scenarios.fresh.pack import Pack
from proactive_agent.scenarios.fresh.place import THOUSAND, SceneRoom, light_of
from proactive_agent.scenarios.fresh.raster import (
    Pixels,
    box_blurred,
    darkened,
    overlap,
    paste,
    scaled,
)
from proactive_agent.scenarios.fresh.scene import Scene
from proactive_agent.scenarios.fresh.source import Difficulty, FreshSource
from proactive_agent.scenarios.fresh.staging import main_view

CLOSED: dict[Difficulty, tuple[int, int]] = {"easy": (1, 1), "normal": (1, 2), "hard": (3, 3)}
"""Least and most closed sides before the open one."""

QUESTIONS = (
    "What is in this box?",
    "Which object does the box hold?",
    "Name the object that stands in the box.",
    "What has been put into this box?",
    "The box has one open side. What is inside?",
    "Can you tell which object is in the box?",
)


class TurnedScene(Scene):
    """A thing in a box that is open on one side."""

    name = "mvp-n"

    def __init__(self, pack: Pack, source: FreshSource, choice: DrawnChoice, index: int) -> None:
        super().__init__(pack, source, choice, index)
        rng, side = self.rng, self.side
        self.place = SceneRoom(pack, rng, choice.names)
        # The box is drawn first and the thing is fitted into it.
        width, height = rng.randint(430, 620), rng.randint(380, 520)
        self.width, self.height = (length * side // THOUSAND for length in (width, height))
        lowest = max(self.place.edge + 180, 780)
        self.bottom = rng.randint(lowest, min(950, lowest + 110)) * side // THOUSAND
        self.left = rng.randint(440, 560) * side // THOUSAND - self.width // 2
        self.drawn_as = rng.choice((planks, cardboard))
        self.box_seed = rng.getrandbits(64)
        self.wall = max(min(self.width, self.height) * rng.randint(40, 60) // THOUSAND, 2)
        """Thickness of the walls."""
        self.lid = self.height * rng.randint(140, 200) // THOUSAND
        """Height of the top, as the camera sees it from above."""
        self.depth = rng.randint(120, 170)
        """Inset of the rear wall, in thousandths of the opening."""
        self.closed = rng.randint(*CLOSED[source.difficulty])
        thing = pack.things[choice.name]
        view = main_view(thing, rng)
        self.actor = Actor(thing, view, rng)
        inner_width, inner_height = self.width - 2 * self.wall, self.height - 2 * self.wall
        size = rng.randint(780, 880)
        width, height = fitted(
            view, inner_width * size // THOUSAND, inner_height * size // THOUSAND
        )
        foot = self.bottom - self.wall - inner_height * self.depth // (3 * THOUSAND)
        self.spot = Spot(self.left + self.width // 2, foot, width, height)

    def fields(self) -> dict[str, Any]:
        last = self.closed
        fields = frame_fields("{informative}_{image}", 0, last + 1, last)
        return fields | {"valid_images": list(range(last + 1)), "enough": [last]}

    def names(self) -> list[str]:
        return [f"{int(number == self.closed)}_{number:04d}" for number in range(self.closed + 1)]

    def suggestions(self, rng: random.Random) -> tuple[str, ...]:
        return wording.rotate_suggestions(rng)

    def question(self, rng: random.Random) -> str | None:
        return rng.choice(QUESTIONS)

    @cached_property
    def _room(self) -> Pixels:
        room = self.place.picture(self.side)
        pad = max(self.side // 24, 4)
        shadow = np.zeros((self.height // 3 + 2 * pad, self.width + 4 * pad), np.uint8)
        shadow[pad:-pad, 2 * pad : -2 * pad] = 165
        shadow = box_blurred(box_blurred(shadow, pad // 2), pad // 2)
        x = self.left - 2 * pad - self.place.sun * pad
        cut = overlap(x, self.bottom - self.height // 4 - pad, shadow, room)
        room[cut.frame] = darkened(room[cut.frame], shadow[cut.picture])
        return room

    def _side(self, number: int) -> Pixels:
        """Draws one side of the box, all in the same colours."""
        rng = random.Random(self.box_seed)
        face = self.drawn_as(rng, self.width, self.height)
        # The sides catch the light differently.
        dark = (0, 26, 44, 18)[number % 4]
        return darkened(face, np.full(face.shape[1:], dark, np.uint8))

    def _top(self) -> Pixels:
        rng = random.Random(self.box_seed)
        top = self.drawn_as(rng, self.width, max(self.lid, 2))
        lighter: Pixels = np.minimum(top.astype(np.uint16) * 9 >> 3, 255).astype(np.uint8)
        return lighter

    def frame(self, name: str) -> Pixels:
        number = self.names().index(name)
        picture = self._room.copy()
        self._lay_top(picture)
        paste(picture, self.left, self.bottom - self.height, self._side(number))
        if number == self.closed:
            self._open(picture)
        return self.place.grade.apply(picture)

    def _lay_top(self, picture: Pixels) -> None:
        """Draws the top as a trapezoid: its far edge is shorter."""
        top, rows = self._top(), max(self.lid, 2)
        first = self.bottom - self.height - rows
        for row in range(rows):
            width = self.width - 2 * (self.width * 70 * (rows - row) // (THOUSAND * rows))
            line = scaled(top[:, row : row + 1], width, 1)
            paste(picture, self.left + (self.width - width) // 2, first + row, line)

    def _open(self, picture: Pixels) -> None:
        """Draws the inside of the box and the thing in it."""
        left, top = self.left + self.wall, self.bottom - self.height + self.wall
        width, height = self.width - 2 * self.wall, self.height - 2 * self.wall
        rng = random.Random(self.box_seed)
        inside = self.drawn_as(rng, width, height)
        inside = darkened(inside, self._gloom(width, height))
        paste(picture, left, top, inside)
        light = light_of(picture)
        self.actor.lay(self.pack, picture, light, self.spot, self.place.sun)

    def _gloom(self, width: int, height: int) -> Pixels:
        """Returns the darkness inside: the floor is light, the walls and the ceiling are dark."""
        across = np.arange(width, dtype=np.int32)[None, :] * THOUSAND // width
        down = np.arange(height, dtype=np.int32)[:, None] * THOUSAND // height
        near = np.minimum(across, THOUSAND - across)
        above, below = down, THOUSAND - down
        inner = self.depth
        least = np.minimum(np.minimum(near, above), below)
        rear = least >= inner
        # Walls get darker towards the rear.
        far = np.minimum(least, inner) * 60 // inner
        gloom = np.where(rear, 118, 66 + far)
        gloom = np.where(~rear & (below == least), 20 + far, gloom)
        gloom = np.where(~rear & (above == least), 100 + far // 2, gloom)
        sunny = across if self.place.sun > 0 else THOUSAND - across
        gloom = np.where(~rear & (near == least) & (sunny < inner), gloom - 26, gloom)
        return np.clip(gloom, 0, 255).astype(np.uint8)

    def visible(self, name: str) -> float:
        return float(name == self.names()[-1])
