"""The errors of a run by kind."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from pydantic import BaseModel


class EpisodeError(NamedTuple):
    """The error that ended one episode."""

    source: str
    kind: str
    message: str


class ErrorKind(BaseModel):
    """The episodes of a run that met one kind of error. They count neither as right nor wrong."""

    source: str
    """Where the error came from: `provider`, `judge`, `data` or `record`."""
    kind: str
    """See `docs/protocol.md`, section "Errors, wrong answers and cut-off replies"."""
    episodes: int
    example: str
    """The message of one of them."""


def count_kinds(errors: Iterable[EpisodeError]) -> list[ErrorKind]:
    """Counts errors by source and kind, the most frequent first."""
    counts: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[str, str], str] = {}
    for source, kind, message in errors:
        counts[source, kind] += 1
        examples.setdefault((source, kind), message)
    return [
        ErrorKind(source=source, kind=kind, episodes=count, example=examples[source, kind])
        for (source, kind), count in counts.most_common()
    ]
