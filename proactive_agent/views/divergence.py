"""Compares the same samples in two runs: where the actions diverge, and which run ended right."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple, get_args

from proactive_agent.records.episode import EpisodeKey
from proactive_agent.records.failures import Episode
from proactive_agent.records.outline import EpisodeOutline

OutcomeChange = Literal["same", "gained", "lost", "parted"]
"""The second run compared with the first. gained: right instead of wrong; lost: wrong instead of
right; parted: the same result after different actions; same: the same actions."""
CHANGES: tuple[OutcomeChange, ...] = get_args(OutcomeChange)


class EpisodePair(NamedTuple):
    """An episode that both runs played."""

    first: EpisodeOutline
    second: EpisodeOutline

    @property
    def divergence(self) -> int | None:
        """The first turn (from 0) with different actions, or None; see `divergence`."""
        return divergence(self.first, self.second)

    @property
    def change(self) -> OutcomeChange:
        """The difference of the second run's episode from the first run's."""
        before, after = self.first.outcome.correct, self.second.outcome.correct
        if before != after:
            return "gained" if after else "lost"
        return "same" if self.divergence is None else "parted"


def divergence(first: Episode, second: Episode) -> int | None:
    """Returns the first turn (from 0) with different actions, or None if all are the same.

    If one episode is a beginning of the other, returns the first turn that only the longer one has.
    """
    one, other = _actions(first), _actions(second)
    for index in range(min(len(one), len(other))):
        if one[index] != other[index]:
            return index
    return None if len(one) == len(other) else min(len(one), len(other))


def pairs(
    first: Iterable[EpisodeOutline], second: Mapping[EpisodeKey, EpisodeOutline]
) -> Iterator[EpisodePair]:
    """Yields the episodes of `first` that are also in `second`."""
    for episode in first:
        if other := second.get(episode.key):
            yield EpisodePair(episode, other)


def _actions(episode: Episode) -> list[tuple[str | None, ...]]:
    actions = (turn.action for turn in episode.turns)
    return [(a.kind, a.tool, a.argument, a.category, a.why) for a in actions]
