"""The base class of recipes. A recipe builds the samples of one scenario from a source.

It opens the source's pictures, calls the scenario's `build_…` function and chooses the texts.
"""

import random
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

from PIL import Image

from proactive_agent.scenarios.builder.items import Box, Built, Item, PixelSize
from proactive_agent.scenarios.builder.picture import bounded, open_rgb, scaled_box
from proactive_agent.scenarios.builder.sources import Accepts, read_labelled
from proactive_agent.scenarios.builder.wording import SampleTexts, texts_for


@dataclass(frozen=True)
class Appearance:
    """The options that determine how samples look."""

    size: int = 640
    """Longest side of a frame in pixels."""
    variants: int = 1
    """Samples per picture, with different corruptions, directions or occluders."""
    frames: int = 14
    """Maximum number of frames of a video."""
    hardness: float = 1.0
    """Strength of corruptions. Above 1 the worst frames are worse than ImageNet-C's."""
    question: str | None = None
    """Replaces the builder's own questions."""
    occluder: Path | None = None
    """An occluder for ROD: a picture with transparency."""
    passer: Path | None = None
    """A passer for VSOD: a picture with transparency."""


class Draft(NamedTuple):
    """A sample without number and categories."""

    built: Built
    texts: SampleTexts


class Recipe(ABC):
    """Builds the samples of one scenario."""

    name: ClassVar[str]
    accepts: ClassVar[Accepts] = Accepts(pictures=True)
    needs: ClassVar[tuple[str, ...]] = ()
    """Required modules from the extra `build`."""
    hides_box: ClassVar[bool] = False
    """Whether the box is hidden. Without a box the middle of the picture is hidden."""

    def read(self, source: Path) -> Iterator[Item]:
        """Yields the items of a source. Raises BuildError."""
        return read_labelled(source, self.accepts)

    def lacks(self, item: Item) -> str | None:
        """Returns a description of what the item lacks for this scenario, or None."""
        return None

    def variants(self, look: Appearance) -> int:
        """Returns the maximum number of samples per item."""
        return look.variants

    @abstractmethod
    def make(self, root: Path, item: Item, look: Appearance, seed: str) -> Iterator[Draft]:
        """Yields the samples of an item.

        The item's paths are relative to `root`, and `seed` is specific to the item. Raises
        SkipError.
        """

    def texts(
        self, suggestions: tuple[str, ...], rng: random.Random, look: Appearance, thing: str = ""
    ) -> SampleTexts:
        """Returns the texts of a sample."""
        return texts_for(self.name, suggestions, rng, question=look.question, thing=thing)


def opened(root: Path, item: Item, path: str, size: int) -> tuple[Image.Image, Box | None]:
    """Opens a picture, scaled to at most `size` pixels a side, and returns it with its box."""
    original = open_rgb(root, path)
    image = bounded(original, size)
    if item.box is None:
        return image, None
    return image, scaled_box(item.box, PixelSize(*original.size), PixelSize(*image.size))
