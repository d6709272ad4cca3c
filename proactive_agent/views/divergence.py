"""The same samples in two runs: where their ways part, and who got there."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple, get_args

from proactive_agent.records.episode import EpisodeKey
from proactive_agent.records.failures import Episode
from proactive_agent.records.outline import EpisodeOutline

Change = Literal["same", "gained", "lost", "parted"]
"""The second run against the first: right where it was wrong, wrong where it was right, the same
result by another way."""
CHANGES: tuple[Change, ...] = get_args(Change)


class Pair(NamedTuple):
    """An episode that both runs played."""

    first: EpisodeOutline
    second: EpisodeOutline

    @property
    def parting(self) -> int | None:
        """The first turn (from 0) in which they did something else; None where they never did."""
        return parting(self.first, self.second)

    @property
    def change(self) -> Change:
        """What became of the sample."""
        before, after = self.first.outcome.correct, self.second.outcome.correct
        if before != after:
            return "gained" if after else "lost"
        return "same" if self.parting is None else "parted"


def parting(first: Episode, second: Episode) -> int | None:
    """The first turn (from 0) in which they did something else; None where they never did.

    Where one goes on and the other has ended, that is the turn which only one of them has.
    """
    one, other = _deeds(first), _deeds(second)
    for index in range(min(len(one), len(other))):
        if one[index] != other[index]:
            return index
    return None if len(one) == len(other) else min(len(one), len(other))


def pairs(
    first: Iterable[EpisodeOutline], second: Mapping[EpisodeKey, EpisodeOutline]
) -> Iterator[Pair]:
    """The episodes of `first` that `second` has as well."""
    for episode in first:
        if other := second.get(episode.key):
            yield Pair(episode, other)


def _deeds(episode: Episode) -> list[tuple[str | None, ...]]:
    actions = (turn.action for turn in episode.turns)
    return [(a.kind, a.tool, a.argument, a.category, a.why) for a in actions]
