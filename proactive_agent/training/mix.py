"""What a training is made of: which rows are trained on, and how many frames are clear."""

from collections import Counter
from collections.abc import Iterable, Sequence
from random import Random
from typing import Any, NamedTuple, Protocol, TypeVar

from pydantic import BaseModel

from proactive_agent.play.seeds import derive_seed
from proactive_agent.scenarios.registry import SCENARIOS
from proactive_agent.tools import UserError


class Item(Protocol):
    """What can be trained on: a row, or an episode that begins."""

    @property
    def index(self) -> int:
        """In the data."""

    @property
    def place(self) -> str:
        """Where it stands, for messages."""

    @property
    def scenario(self) -> str:
        """Short name."""

    @property
    def clear(self) -> bool:
        """Whether its picture holds enough information."""

    @property
    def answer(self) -> str:
        """The right category."""


T = TypeVar("T", bound=Item)


class Frames(BaseModel):
    """How many rows of a scenario."""

    ambiguous: int = 0
    clear: int = 0


class Chosen(NamedTuple):
    """Rows to train on, and rows that only measure."""

    train: list[Any]
    held_out: list[Any]


def rows_of(rows: Sequence[T], scenarios: Sequence[str], limit: int | None) -> list[T]:
    """The first rows of each of the scenarios; no scenario means all.  Raises UserError."""
    there = {row.scenario for row in rows}
    if missing := [name for name in scenarios if name not in there]:
        raise UserError(
            f"the train split holds no row of {', '.join(missing)}, "
            f"only of {', '.join(sorted(there))}"
        )
    counts: Counter[str] = Counter()
    chosen = []
    for row in rows:
        counts[row.scenario] += 1
        wanted = not scenarios or row.scenario in scenarios
        if wanted and (limit is None or counts[row.scenario] <= limit):
            chosen.append(row)
    return chosen


def apart(rows: Sequence[Item], held_out: int, seed: int) -> Chosen:
    """The rows with some of them held out, a tenth at most."""
    order = Random(derive_seed(seed, "held out")).sample(range(len(rows)), len(rows))
    indices = set(order[: min(held_out, len(rows) // 10)])
    return Chosen(
        [row for index, row in enumerate(rows) if index not in indices],
        [row for index, row in enumerate(rows) if index in indices],
    )


def mix_of(rows: Iterable[Item]) -> dict[str, Frames]:
    """Ambiguous and clear frames per scenario, in the paper's order."""
    counts = {name: Frames() for name in SCENARIOS}
    for row in rows:
        frames = counts[row.scenario]
        if row.clear:
            frames.clear += 1
        else:
            frames.ambiguous += 1
    return {name: frames for name, frames in counts.items() if frames.ambiguous or frames.clear}
