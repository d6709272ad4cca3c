"""Loads the pictures of a run from its data folder; lists and draws the frames of its samples.

A picture that cannot be shown is replaced by the reason.
"""

from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from rich.text import Text

from proactive_agent.records.episode import EpisodeRecord, ImageRecord
from proactive_agent.records.manifest import Manifest
from proactive_agent.scenarios import DataFolder, ImageError, ImageRef
from proactive_agent.scenarios.contact_sheet import Tile, compact_sheet, sample_tiles
from proactive_agent.scenarios.open_data import open_data
from proactive_agent.tools import UserError

NOT_SEEN, SEEN, ENOUGH = "·", "•", "★"
CELL = 2
"""Columns of a frame other than the current one."""


class SampleFrames(NamedTuple):
    """The frames that a sample can show, in the order of the scene."""

    frames: tuple[ImageRef, ...]
    reference: ImageRef | None
    """The reference frame; None if unknown."""
    is_ring: bool
    """Whether the first frame follows the last one."""


class FrameSource:
    """Loads pictures and frames of one run."""

    def __init__(self, manifest: Manifest, data: Path | None = None) -> None:
        recorded = manifest.settings.data
        self.path = data if data or recorded is None else Path(recorded)
        """The data folder; None means the embedded suite."""
        self._data: DataFolder | None = None
        self._cached = lru_cache(maxsize=256)(self._frames_of)

    def picture(self, shown: ImageRecord) -> Image.Image | str:
        """Returns a picture as the model saw it, or the reason why it cannot be shown."""
        try:
            image = self.data.images.open(ref_of(shown)).image
        except (ImageError, UserError) as error:
            return str(error)
        return image if shown.size in (None, image.size) else image.resize(shown.size)

    @property
    def data(self) -> DataFolder:
        """The run's data folder. Raises UserError if it is missing."""
        if self._data is None:
            # Without the official filter: a run may have played the samples that it drops.
            self._data = open_data(self.path, unfiltered=True)
        return self._data

    def frames_of(self, episode: EpisodeRecord) -> SampleFrames:
        """Returns the frames of an episode's sample; without its data, the frames it showed."""
        try:
            return self._cached(episode.scenario, str(episode.sample_id))
        except (UserError, KeyError):
            seen = dict.fromkeys(ref_of(turn.image) for turn in episode.turns)
            return SampleFrames(tuple(seen), None, is_ring=False)

    def sheet(self, episode: EpisodeRecord, current: ImageRecord) -> Image.Image | str:
        """Returns all frames of an episode's sample as one picture, or the reason for none."""
        try:
            tiles = self._tiles(episode.scenario, str(episode.sample_id))
            return compact_sheet(self.data.images, tiles, ref_of(current))
        except (ImageError, UserError, KeyError) as error:
            return str(error)

    def _tiles(self, scenario: str, sample_id: str) -> list[Tile]:
        return sample_tiles(self.data, scenario, self.data.find(scenario, sample_id))

    def _frames_of(self, scenario: str, sample_id: str) -> SampleFrames:
        environment = self.data.environment(scenario, self.data.find(scenario, sample_id))
        frames = tuple(tile.ref for tile in self._tiles(scenario, sample_id))
        return SampleFrames(frames, environment.reference_image(), environment.frames_form_ring)


def ref_of(shown: ImageRecord) -> ImageRef:
    """Returns the picture of the data that a record names."""
    return ImageRef(shown.path, shown.crop)


def frame_strip(
    sample: SampleFrames, current: ImageRef, seen: Collection[ImageRef], width: int
) -> Text:
    """Returns at most `width` columns; of many frames those around `current`."""
    frames = sample.frames
    if current not in frames:
        return Text("The current frame is not one of the sample's frames.", "dim")
    at = frames.index(current)
    ring = "ring " if sample.is_ring else ""
    caption = f" {ring}{at + 1}/{len(frames)}"
    number = f"[{at + 1}]"
    room = max((width - len(caption) - len(number) - 2 * CELL) // CELL, 4)
    first = max(0, min(at - room // 2, len(frames) - 1 - room))
    last = min(len(frames), first + room + 1)
    strip = Text("… " if first else "")
    for index in range(first, last):
        if index == at:
            strip.append(number, "bold reverse").append(" ")
        else:
            strip.append_text(_mark(frames[index], sample, seen)).append(" ")
    strip.append("…" if last < len(frames) else "")
    strip.append(caption, "dim")
    if current == sample.reference:
        strip.append(f" {ENOUGH}", "bold green")
    strip.truncate(width)
    return strip


def _mark(frame: ImageRef, sample: SampleFrames, seen: Collection[ImageRef]) -> Text:
    if frame == sample.reference:
        return Text(ENOUGH, "bold green")
    return Text(SEEN, "cyan") if frame in seen else Text(NOT_SEEN, "dim")
