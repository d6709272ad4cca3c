"""Rows that show the picture of a test sample.

Pictures are the same where all their pixels are.  What several test samples with different answers
share (a first stroke, a wall of blocks) says nothing about any of them and is no leak.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from proactive_agent.scenarios import DataFolder, ImageError
from proactive_agent.training.mix import Item

OnPicture = Callable[[int], None]
T = TypeVar("T", bound=Item)


class Shown(NamedTuple):
    """A test sample that shows a picture."""

    name: str
    """`scenario:id`."""
    file: str
    """The picture, relative to the data folder."""
    answer: str


class Leak(NamedTuple):
    """A row and the test sample whose picture it shows."""

    row: int
    """Its index."""
    place: str
    """Where the row stands."""
    sample: str
    """`scenario:id`."""
    file: str
    """The picture that it shows."""

    def __str__(self) -> str:
        return f"{self.place} that of {self.sample} ({self.file})"


def find_leaks(
    rows: Iterable[T],
    pictures_of: Callable[[T], Iterable[Any]],
    tests: Iterable[DataFolder],
    on_picture: OnPicture,
) -> list[Leak]:
    """The leaking rows among these.  A test picture that is missing is passed over.

    Raises what `pictures_of` raises where the picture of a row cannot be read.
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


def compared_with(source: str, eval_data: str | None) -> list[DataFolder]:
    """The data of the benchmark, and a test split beside the train split.  Raises UserError."""
    folders = [DataFolder(None if eval_data is None else Path(eval_data))]
    beside = Path(source).expanduser() / "test"
    if any(beside.glob("*_preprocessed.jsonl")) and beside.resolve() != folders[0].root.resolve():
        folders.append(DataFolder(beside))
    return folders


def _test_pictures(tests: Iterable[DataFolder], on_picture: OnPicture) -> Mapping[str, Shown]:
    """By the hash of their pixels, where all who show them have one answer."""
    shown: dict[str, Shown] = {}
    ambiguous = set()
    for digest, sample in _pictures(tests):
        on_picture(1)
        if shown.setdefault(digest, sample).answer != sample.answer:
            ambiguous.add(digest)
    return {digest: sample for digest, sample in shown.items() if digest not in ambiguous}


def _pictures(tests: Iterable[DataFolder]) -> Iterator[tuple[str, Shown]]:
    """First and reference frame of every sample."""
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
