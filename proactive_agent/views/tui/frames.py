"""The pictures of a run, from its data folder; every frame that a sample has, in order.

Nothing here knows of the browser.  A picture that cannot be shown is a text that says why.
"""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from proactive_agent.records.episode import EpisodeRecord, ImageRecord
from proactive_agent.records.manifest import Manifest
from proactive_agent.scenarios import DataFolder, ImageError, ImageRef
from proactive_agent.scenarios.contact_sheet import Tile, sample_tiles
from proactive_agent.tools import UserError
from proactive_agent.views.tui.film import film

RINGS = frozenset({"rod", "vsod"})
"""Scenarios whose last frame is followed by the first."""


class Sequence(NamedTuple):
    """The frames that a sample can show, in the order of the scene."""

    frames: tuple[ImageRef, ...]
    reference: ImageRef | None
    """The one that shows enough."""
    is_ring: bool


class Frames:
    """Pictures and frames of one run."""

    def __init__(self, manifest: Manifest, data: Path | None = None) -> None:
        recorded = manifest.settings.data
        self.path = data if data or recorded is None else Path(recorded)
        """Of the data folder; None is the embedded suite."""
        self._data: DataFolder | None = None
        self.sequence = lru_cache(maxsize=256)(self._sequence)

    def picture(self, shown: ImageRecord) -> Image.Image | str:
        """A picture as the model saw it, or why it cannot be shown."""
        try:
            return self.data.images.open(ref_of(shown)).image
        except (ImageError, UserError) as error:
            return str(error)

    @property
    def data(self) -> DataFolder:
        """The run's data folder.  Raises UserError where it is gone."""
        if self._data is None:
            # All samples: those that an official filter drops may have been played as well.
            self._data = DataFolder(self.path, unfiltered=True)
        return self._data

    def of(self, episode: EpisodeRecord) -> Sequence:
        """The frames of an episode's sample; without its data those that were shown."""
        try:
            return self.sequence(episode.scenario, str(episode.sample_id))
        except (UserError, KeyError):
            seen = dict.fromkeys(ref_of(turn.image) for turn in episode.turns)
            return Sequence(tuple(seen), None, is_ring=False)

    def film(self, episode: EpisodeRecord, present: ImageRecord) -> Image.Image | str:
        """All frames of an episode's sample on one picture, or why that cannot be made."""
        try:
            tiles = self._tiles(episode.scenario, str(episode.sample_id))
            return film(self.data.images, tiles, ref_of(present))
        except (ImageError, UserError, KeyError) as error:
            return str(error)

    def _tiles(self, scenario: str, sample_id: str) -> list[Tile]:
        return sample_tiles(self.data, scenario, self.data.find(scenario, sample_id))

    def _sequence(self, scenario: str, sample_id: str) -> Sequence:
        sample = self.data.find(scenario, sample_id)
        reference = self.data.environment(scenario, sample).reference_image()
        frames = tuple(tile.ref for tile in self._tiles(scenario, sample_id))
        return Sequence(frames, reference, scenario in RINGS)


def ref_of(shown: ImageRecord) -> ImageRef:
    """Which picture of the data a record names."""
    return ImageRef(shown.path, shown.crop)
