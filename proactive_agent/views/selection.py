"""Selects and sorts episodes of a run."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice
from typing import Literal, get_args

from proactive_agent.records.failure_groups import GROUPS
from proactive_agent.records.failures import is_group_name
from proactive_agent.records.outline import EpisodeOutline
from proactive_agent.scenarios import SCENARIOS
from proactive_agent.tools import UserError
from proactive_agent.tools.suggestions import known_names
from proactive_agent.views.divergence import EpisodePair
from proactive_agent.views.search import NUMBERS, Search

Order = Literal["sample", "ended", "turns", "asked", "input", "output", "cost", "seconds"]
ORDERS: tuple[Order, ...] = get_args(Order)

ReadLine = Callable[[EpisodeOutline], bytes]
"""Returns the line of `episodes.jsonl` that holds an episode."""

_PLACES = {name: place for place, name in enumerate(SCENARIOS)}


@dataclass(frozen=True)
class Selection:
    """A choice of episodes; by default all."""

    scenarios: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    """Any of `wrong`, `correct`, `error`; empty means all."""
    group: str | None = None
    """The name of a failure group."""
    search: str = ""
    """A query as described in `views.search`."""
    sample: tuple[str, str] | None = None
    """Scenario and id."""
    repeat: int | None = None
    """The repetition of a sample, from 1."""
    limit: int | None = None
    with_changes: bool = False
    """Whether two runs are compared, so that the query may name changes."""

    def check(self) -> None:
        """Raises UserError if the failure group is unknown or the query is faulty."""
        if self.group is not None and not is_group_name(self.group):
            names = [*(one.name for one in GROUPS), "error:KIND"]
            raise UserError(
                f"unknown failure group {self.group!r}; {known_names(self.group, names)}"
            )
        _ = self._search

    @property
    def query(self) -> str:
        """The scenarios, outcomes, failure group and search as one query."""
        words = ("|".join(self.scenarios), "|".join(self.outcomes), self.group or "", self.search)
        return " ".join(word for word in words if word)

    def apply(
        self, episodes: Iterable[EpisodeOutline], read_line: ReadLine
    ) -> Iterator[EpisodeOutline]:
        """Yields the chosen episodes in the given order."""
        return islice((e for e in episodes if self._wants(e, read_line)), self.limit)

    def wants_pair(self, pair: EpisodePair) -> bool:
        """Whether a pair of episodes has one of the chosen changes."""
        return pair.change in self._search.changes

    def of_sample(self, episode: EpisodeOutline) -> bool:
        """Whether the episode is of the chosen sample, if one is chosen."""
        return self.sample in (None, (episode.scenario, str(episode.sample_id)))

    def _wants(self, episode: EpisodeOutline, read_line: ReadLine) -> bool:
        if not self.of_sample(episode):
            return False
        if self.repeat is not None and episode.repeat + 1 != self.repeat:
            return False
        return self._search.matches(episode, partial(read_line, episode))

    @cached_property
    def _search(self) -> Search:
        return Search(self.query, with_changes=self.with_changes)


def in_order(episodes: Iterable[EpisodeOutline], order: Order = "sample") -> list[EpisodeOutline]:
    """Sorts by sample, by time of ending (the order of the file), or by a number, largest first."""
    if order == "ended":
        return sorted(episodes, key=lambda e: e.offset)
    by_sample = sorted(episodes, key=_by_sample)
    if order == "sample":
        return by_sample
    number = NUMBERS[order]
    return sorted(by_sample, key=lambda e: number(e) or 0, reverse=True)


def _by_sample(episode: EpisodeOutline) -> tuple[int, str, bool, int | str, int]:
    place = _PLACES.get(episode.scenario, len(_PLACES))
    sample_id = episode.sample_id
    return place, episode.scenario, isinstance(sample_id, str), sample_id, episode.repeat
