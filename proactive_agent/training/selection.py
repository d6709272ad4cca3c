"""Selects the rows to train on: by scenario, without leaks, with some held out.

A leak is a row that shows the picture of a test sample and has its answer. Two pictures are the
same if all their pixels are. A picture that test samples with different answers share (a first
stroke, a wall of blocks) reveals none of the answers, so it is not a leak.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, Protocol, TypeVar

from pydantic import BaseModel

from proactive_agent.play.seeds import derive_seed
from proactive_agent.scenarios import DataFolder, ImageError
from proactive_agent.scenarios.open_data import open_data
from proactive_agent.scenarios.registry import SCENARIOS
from proactive_agent.tools import UserError


class Trainable(Protocol):
    """A row, or the sample with which an episode begins."""

    @property
    def index(self) -> int:
        """Position in the data."""

    @property
    def place(self) -> str:
        """Position for messages: file and row, or `scenario:id`."""

    @property
    def scenario(self) -> str:
        """Short name of the scenario."""

    @property
    def clear(self) -> bool:
        """Whether its frame is clear, so that no help is needed."""

    @property
    def answer(self) -> str:
        """The right category."""


T = TypeVar("T", bound=Trainable)
OnPicture = Callable[[int], None]


class FrameCounts(BaseModel):
    """Number of ambiguous and of clear rows of a scenario."""

    ambiguous: int = 0
    clear: int = 0


class TrainingRows(NamedTuple):
    """Rows to train on, and held-out rows, which only measure the reward."""

    train: list[Any]
    held_out: list[Any]


def select_rows(rows: Sequence[T], scenarios: Sequence[str], limit: int | None) -> list[T]:
    """Returns the first `limit` rows of each of the scenarios; no scenario means all.

    Raises UserError if a scenario has no rows.
    """
    there = {row.scenario for row in rows}
    if missing := [name for name in scenarios if name not in there]:
        raise UserError(
            f"the train split holds no rows of {', '.join(missing)}; "
            f"it holds {', '.join(sorted(there))}"
        )
    counts: Counter[str] = Counter()
    chosen = []
    for row in rows:
        counts[row.scenario] += 1
        wanted = not scenarios or row.scenario in scenarios
        if wanted and (limit is None or counts[row.scenario] <= limit):
            chosen.append(row)
    return chosen


def hold_out(rows: Sequence[Trainable], held_out: int, seed: int) -> TrainingRows:
    """Holds out `held_out` of the rows, but at most a tenth of them."""
    order = Random(derive_seed(seed, "held out")).sample(range(len(rows)), len(rows))
    indices = set(order[: min(held_out, len(rows) // 10)])
    return TrainingRows(
        [row for index, row in enumerate(rows) if index not in indices],
        [row for index, row in enumerate(rows) if index in indices],
    )


def count_frames(rows: Iterable[Trainable]) -> dict[str, FrameCounts]:
    """Counts ambiguous and clear frames per scenario, in the paper's order."""
    counts = {name: FrameCounts() for name in SCENARIOS}
    for row in rows:
        frames = counts[row.scenario]
        if row.clear:
            frames.clear += 1
        else:
            frames.ambiguous += 1
    return {name: frames for name, frames in counts.items() if frames.ambiguous or frames.clear}


class Shown(NamedTuple):
    """A test sample and one of its pictures."""

    name: str
    """`scenario:id`."""
    file: str
    """Path of the picture, relative to the data folder."""
    answer: str


class Leak(NamedTuple):
    """A row that shows the picture of a test sample."""

    row: int
    """Index of the row."""
    place: str
    """Position of the row, for messages."""
    sample: str
    """`scenario:id`."""
    file: str
    """Path of the picture, relative to the data folder."""

    def __str__(self) -> str:
        return f"{self.place} shows {self.sample} ({self.file})"


def find_leaks(
    rows: Iterable[T],
    pictures_of: Callable[[T], Iterable[Any]],
    tests: Iterable[DataFolder],
    on_picture: OnPicture,
) -> list[Leak]:
    """Returns the leaks among these rows. A missing test picture is skipped.

    Raises the error of `pictures_of` if the picture of a row is not readable.
    """
    shown = _test_pictures(tests, on_picture)
    leaks = []
    for row in rows:
        on_picture(1)
        found = [shown.get(_hash(picture)) for picture in pictures_of(row)]
        same = [sample for sample in found if sample and sample.answer == _plain(row.answer)]
        if same:
            leaks.append(Leak(row.index, row.place, same[0].name, same[0].file))
    return leaks


def comparison_data(source: str, eval_data: str | None) -> list[DataFolder]:
    """Returns the benchmark's data, and the folder `test` next to the train split if it exists.

    Raises UserError.
    """
    folders = [open_data(eval_data)]
    beside = Path(source).expanduser() / "test"
    if any(beside.glob("*_preprocessed.jsonl")) and beside.resolve() != folders[0].root.resolve():
        folders.append(DataFolder(beside))
    return folders


def _test_pictures(tests: Iterable[DataFolder], on_picture: OnPicture) -> Mapping[str, Shown]:
    """Returns test pictures by pixel hash, if all samples that show them have one answer."""
    shown: dict[str, Shown] = {}
    ambiguous = set()
    for digest, sample in _pictures(tests):
        on_picture(1)
        if shown.setdefault(digest, sample).answer != sample.answer:
            ambiguous.add(digest)
    return {digest: sample for digest, sample in shown.items() if digest not in ambiguous}


def _pictures(tests: Iterable[DataFolder]) -> Iterator[tuple[str, Shown]]:
    """Yields the first and the reference frame of every sample."""
    for data in tests:
        for scenario in data.scenarios():
            for sample in data.samples(scenario):
                name, answer = f"{scenario}:{sample.id}", _plain(sample.answer)
                state = data.environment(scenario, sample)
                for ref in dict.fromkeys((state.image(), state.reference_image())):
                    try:
                        picture = data.images.open(ref).image
                    except ImageError:
                        continue
                    yield _hash(picture), Shown(name, ref.path, answer)


def _hash(picture: Any) -> str:
    size = "x".join(map(str, picture.size))
    return hashlib.sha256(f"{size} ".encode() + picture.convert("RGB").tobytes()).hexdigest()


def _plain(answer: str) -> str:
    return answer.strip().removesuffix(".").casefold()
