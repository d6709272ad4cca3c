"""How a scenario is made of a source: what it accepts, and how many samples it gives.

A recipe opens the source's pictures, calls the scenario's `build_…` and picks the words.
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
    """The choices that shape samples."""

    size: int = 640
    """Longest side of a frame in pixels."""
    variants: int = 1
    """Samples of a picture: corruptions, directions, occluders."""
    frames: int = 14
    """Most frames of a video."""
    hardness: float = 1.0
    """Of corruptions: above 1 the worst frames are worse than ImageNet-C's."""
    question: str | None = None
    """Instead of the builder's own questions."""
    occluder: Path | None = None
    """A picture with transparency, for ROD."""
    passer: Path | None = None
    """The same, for VSOD."""


class Draft(NamedTuple):
    """A sample without its number and its categories."""

    built: Built
    texts: SampleTexts


class Recipe(ABC):
    """Makes one scenario's samples."""

    name: ClassVar[str]
    accepts: ClassVar[Accepts] = Accepts(pictures=True)
    needs: ClassVar[tuple[str, ...]] = ()
    """Modules that come with the extra `build`."""
    hides_box: ClassVar[bool] = False
    """Whether the box is hidden; without one the middle of the picture is."""

    def read(self, source: Path) -> Iterator[Item]:
        """The items of a source.  Raises BuildError."""
        return read_labelled(source, self.accepts)

    def lacks(self, item: Item) -> str | None:
        """What the scenario needs and the item does not have, or None."""
        return None

    def variants(self, look: Appearance) -> int:
        """How many samples an item gives at most."""
        return look.variants

    @abstractmethod
    def make(self, root: Path, item: Item, look: Appearance, seed: str) -> Iterator[Draft]:
        """The samples of an item whose paths start from `root`.

        The seed is the item's own.  Raises SkipError.
        """

    def texts(
        self, suggestions: tuple[str, ...], rng: random.Random, look: Appearance, thing: str = ""
    ) -> SampleTexts:
        """The words of a sample."""
        return texts_for(self.name, suggestions, rng, question=look.question, thing=thing)


def opened(root: Path, item: Item, path: str, size: int) -> tuple[Image.Image, Box | None]:
    """A picture within the bound, and the item's box in its pixels."""
    original = open_rgb(root, path)
    image = bounded(original, size)
    if item.box is None:
        return image, None
    return image, scaled_box(item.box, PixelSize(*original.size), PixelSize(*image.size))
