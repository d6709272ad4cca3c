"""Whole episodes to train on: samples in the official layout, set apart from those of the test."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from proactive_agent.scenarios import DataFolder, ImageError, Sample
from proactive_agent.tools import UserError


@dataclass(frozen=True, slots=True)
class Opening:
    """A sample, which begins with an ambiguous frame."""

    index: int
    scenario: str
    """Short name."""
    answer: str
    """The right category."""
    sample: Sample
    clear: bool = False

    @property
    def place(self) -> str:
        """Where it stands, for messages."""
        return f"{self.scenario}:{self.sample.id}"


class EpisodeData(NamedTuple):
    """Samples to train on, read once and checked."""

    data: DataFolder
    rows: list[Opening]
    files: dict[str, str]
    """SHA-256 by file name."""

    def pictures_of(self, row: Opening) -> Iterator[Any]:
        """Its first and its reference frame, in RGB.  Raises UserError."""
        state = self.data.environment(row.scenario, row.sample)
        for ref in dict.fromkeys((state.image(), state.reference_image())):
            try:
                yield self.data.images.open(ref).image
            except ImageError as error:
                raise UserError(f"{row.place}: {error}") from None


def read_episodes(source: str, on_row: Callable[[int], None] | None = None) -> EpisodeData:
    """Reads and checks every sample of a folder.  Raises UserError."""
    data = DataFolder(Path(source).expanduser())
    rows: list[Opening] = []
    files = {}
    for scenario in data.scenarios():
        files[data.file(scenario).name] = data.scan(scenario).sha256
        for sample in data.samples(scenario):
            rows.append(Opening(len(rows), scenario, sample.answer, sample))
            if on_row:
                on_row(1)
    return EpisodeData(data, rows, files)
