"""The train split, in the schema of the release: one question about one frame per row.

A sample gives two rows: its ambiguous first frame and a clear frame. Both have the same question
and options, so that only the picture tells them apart. Each row lists the suggestions that the
environment accepts there. The columns `scenario` and `clear` are additions to the release's schema.
Needs the extra `build`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from proactive_agent.scenarios.builder.writer import encoded
from proactive_agent.scenarios.environment import ImageRef
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
    """The suggestions that change the picture of this frame."""
    options: list[str]
    """All options, in the order of the prompt's letters."""
    scenario: str
    """Short name."""
    clear: bool
    """Whether the picture shows the object clearly, so that no help is needed."""


def rows_of(
    scenario: str, sample: Sample, frames: Mapping[str, bytes], quality: int
) -> Iterator[TrainRow]:
    """Yields the row of the ambiguous frame and that of the clear one.

    The clear row shows the frame of the condition `clear`, in the size of the ambiguous frame. If
    the sample has no such frame, the row shows the last frame of the episode in its own size.
    `frames` are the sample's files by name.
    """
    environment = SCENARIOS[scenario]
    first, last = environment(sample, OWN), environment(sample, OWN)
    clear = environment(sample, OWN, clear=True)
    while not isinstance(action := last.best_action(), Answer):
        last.step(action)
    shown = first.observe()
    row = TrainRow(
        prompt=[{"role": "user", "content": OWN.multiple_choice(shown.question, shown.texts)}],
        images=[_picture(shown.image, frames, quality)],
        ground_truth=sample.answer,
        proactive_actions=first.accepted_suggestions(),
        options=shown.texts,
        scenario=scenario,
        clear=False,
    )
    yield row
    picture = clear.observe().image if clear.has_clear_frame() else last.image()
    yield row._replace(
        images=[_picture(picture, frames, quality)],
        # The last state of an episode may offer suggestions that the first one does not.
        proactive_actions=[o for o in last.accepted_suggestions() if o in shown.texts],
        clear=True,
    )


def _picture(ref: ImageRef, frames: Mapping[str, bytes], quality: int) -> bytes:
    size = None if ref.like is None else _opened(ref.like, frames).size
    image = _opened(ref, frames)
    if ref.crop is None and size in (None, image.size):
        return frames[Path(ref.path).name]
    return encoded(image if size is None else image.resize(size), quality)


def _opened(ref: ImageRef, frames: Mapping[str, bytes]) -> Image.Image:
    image = loaded(frames[Path(ref.path).name], ref.path)
    return image if ref.crop is None else image.crop(crop_box(ref.path, ref.crop))


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
