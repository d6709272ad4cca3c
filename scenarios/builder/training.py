"""The train split, in the schema of the release: one question about one frame per row.

A sample gives two rows: its ambiguous first frame and its reference frame. Each row lists what the
environment accepts there. The columns `scenario` and `clear`
are additions to the release's schema. Needs the extra `build`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from proactive_agent.scenarios.builder.writer import encoded
from proactive_agent.scenarios.environment import Environment, ImageRef
from proactive_agent.scenarios.images import crop_box, loaded
from proactive_agent.scenarios.registry import SCENARIOS
from proactive_agent.scenarios.sample import Sample
from proactive_agent.scenarios.wording import OWN
from proactive_agent.tools import Answer

SHARD_BYTES = 64 * 2**20
"""Approximate size of the pictures in a shard, which are held in memory."""


class TrainRow(NamedTuple):
    """A row of the train split. `images` are encoded files."""

    prompt: list[dict[str, str]]
    images: list[bytes]
    ground_truth: str
    """The right category."""
    proactive_actions: list[str]
    """The suggestions that change the picture in this state."""
    options: list[str]
    """All options, in the order of the prompt's letters."""
    scenario: str
    """Short name."""
    clear: bool
    """Whether the picture shows the reference frame, so that no help is needed."""


def rows_of(
    scenario: str, sample: Sample, frames: Mapping[str, bytes], quality: int
) -> Iterator[TrainRow]:
    """Yields the row of the ambiguous frame and that of the clear one.

    `frames` are the sample's files by name.
    """
    state = SCENARIOS[scenario](sample, OWN)
    yield _row(state, frames, quality, clear=False)
    while not isinstance(action := state.best_action(), Answer):
        state.step(action)
    yield _row(state, frames, quality, clear=True)


def _row(
    state: Environment[Any], frames: Mapping[str, bytes], quality: int, *, clear: bool
) -> TrainRow:
    seen = state.observe()
    text = state.wording.multiple_choice(seen.question, seen.texts)
    return TrainRow(
        prompt=[{"role": "user", "content": text}],
        images=[_picture(seen.image, frames, quality)],
        ground_truth=state.sample.answer,
        proactive_actions=state.accepted_suggestions(),
        options=seen.texts,
        scenario=state.name,
        clear=clear,
    )


def _picture(ref: ImageRef, frames: Mapping[str, bytes], quality: int) -> bytes:
    content = frames[Path(ref.path).name]
    if ref.crop is None:
        return content
    image = loaded(content, ref.path)
    return encoded(image.crop(crop_box(ref.path, ref.crop)), quality)


class Shards:
    """Writes rows to shards named `train-00000-of-0000N.parquet`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows = 0
        self._files: list[Path] = []
        self._waiting: list[TrainRow] = []
        self._bytes = 0

    def add(self, row: TrainRow) -> None:
        """Appends a row."""
        self._waiting.append(row)
        self._bytes += sum(map(len, row.images))
        self.rows += 1
        if self._bytes >= SHARD_BYTES:
            self._write()

    def close(self) -> list[str]:
        """Writes the remaining rows, names the shards and returns their names."""
        if self._waiting:
            self._write()
        names = []
        for number, file in enumerate(self._files):
            names.append(f"train-{number:05d}-of-{len(self._files):05d}.parquet")
            file.rename(self.folder / names[-1])
        return names

    def _write(self) -> None:
        import datasets

        text = datasets.Value("string")
        features = datasets.Features(
            {
                "prompt": [{"role": text, "content": text}],
                "images": [datasets.Image()],
                "ground_truth": text,
                "proactive_actions": [text],
                "options": [text],
                "scenario": text,
                "clear": datasets.Value("bool"),
            }
        )
        columns: dict[str, list[Any]] = {name: [] for name in TrainRow._fields}
        for row in self._waiting:
            for name, value in row._asdict().items():
                columns[name].append(value)
        columns["images"] = [
            [{"bytes": content, "path": None} for content in pictures]
            for pictures in columns["images"]
        ]
        file = self.folder / f"shard-{len(self._files):05d}"
        file.parent.mkdir(parents=True, exist_ok=True)
        datasets.disable_progress_bars()
        datasets.Dataset.from_dict(columns, features=features).to_parquet(file)
        self._files.append(file)
        self._waiting.clear()
        self._bytes = 0
