"""The base class of scenes: one sample's frames and everything that is known about them."""

import random
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from proactive_agent.scenarios.fresh.draws import DrawnChoice, generator
from proactive_agent.scenarios.fresh.pack import Pack
from proactive_agent.scenarios.fresh.raster import Pixels
from proactive_agent.scenarios.fresh.source import FreshSource

HALF = 0.5
"""Least share of the thing in an informative frame, where a frame can show a part of it."""


class Scene(ABC):
    """One sample.

    The constructor draws everything and computes positions. Pixels are computed for each frame on
    demand, so that the fields of many samples are known quickly.
    """

    name: ClassVar[str]
    """Short name of the scenario."""

    def __init__(self, pack: Pack, source: FreshSource, choice: DrawnChoice, index: int) -> None:
        self.pack = pack
        self.source = source
        self.choice = choice
        self.index = index
        self.side = source.size
        self.rng: random.Random = generator(source, self.name, "scene", index)
        """Draws the parts of the scene, only in the constructor."""

    @abstractmethod
    def fields(self) -> dict[str, Any]:
        """Returns the sample's fields about frames. Template names have no folder and suffix."""

    @abstractmethod
    def suggestions(self, rng: random.Random) -> tuple[str, ...]:
        """Returns the suggestions in drawn wordings."""

    @abstractmethod
    def names(self) -> list[str]:
        """Returns the names of all frames."""

    @abstractmethod
    def frame(self, name: str) -> Pixels:
        """Returns a frame. Raises KeyError if there is none of that name."""

    @abstractmethod
    def visible(self, name: str) -> float:
        """Returns how much of the thing a frame shows, from 0 to 1."""

    def question(self, rng: random.Random) -> str | None:
        """Returns the question, or None for one of the builder's questions of the scenario."""
        return None

    @property
    def thing(self) -> str:
        """Name of the occluder in the question."""
        return ""
