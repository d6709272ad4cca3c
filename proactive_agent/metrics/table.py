"""Collects the rows of a run's episodes by scenario."""

import struct
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from proactive_agent.metrics.errors import EpisodeError
from proactive_agent.metrics.measures import COLUMNS, Episode, measure
from proactive_agent.metrics.served import Served, judges_in, served_in
from proactive_agent.scenarios import SCENARIOS
from proactive_agent.scenarios.sample import quoted
from proactive_agent.tools import UserError

_PACK = struct.Struct(f"{len(COLUMNS)}d").pack
_EPISODES = COLUMNS.index("episodes")
_INVALID = COLUMNS.index("invalid")

NOT_REPORTED = "not reported"
"""Stands for the finish reason of a reply without one."""

LONGEST_REASON = 60
"""Longest finish reason that is counted, in characters. Servers may send any text."""

SampleId = int | str
_Key = tuple[SampleId, int]
"""Sample and repeat."""


class Samples(NamedTuple):
    """The samples of a scenario that have at least one episode without error."""

    ids: list[SampleId]
    """Sample ids, in an order that does not depend on the order of playing."""
    rows: NDArray[np.float64]
    """A row per sample with the sums over its episodes, and a column per name in COLUMNS."""
    totals: dict[str, float]
    """The sum of every column over all episodes, including those with errors; NaN is unknown."""

    def column(self, name: str) -> NDArray[np.float64]:
        """Returns a column: a number per sample."""
        return self.rows[:, COLUMNS.index(name)]


class ScenarioTable:
    """The episodes of one scenario. A later record of an episode replaces the earlier one."""

    def __init__(self) -> None:
        self._rows: dict[_Key, bytes] = {}
        """The numbers of COLUMNS. They are packed so that a large run fits into memory."""
        self._reasons: dict[_Key, tuple[str, ...]] = {}
        """The reasons of invalid replies, by episode."""
        self._errors: dict[_Key, EpisodeError] = {}
        self._served: dict[_Key, tuple[Served, ...]] = {}
        self._judges: dict[_Key, tuple[str, ...]] = {}
        self._finished: dict[_Key, tuple[str, ...]] = {}
        """The finish reasons of the replies, by episode."""
        self._shared: dict[Any, Any] = {}
        """Equal errors and served models are kept once, so that a large run fits into memory."""

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, episode: Episode) -> None:
        """Adds an episode."""
        key = (episode.sample_id, episode.repeat)
        row = measure(episode)
        self._rows[key] = _PACK(*row)
        if row[_INVALID]:
            whys = (turn.action.why for turn in episode.turns)
            self._reasons[key] = tuple(why for why in whys if why is not None)
        elif self._reasons:
            self._reasons.pop(key, None)
        error = episode.error
        found = EpisodeError(error.source, error.kind, error.message) if error else None
        self._keep(self._errors, key, found)
        self._keep(self._served, key, served_in(episode))
        self._keep(self._judges, key, judges_in(episode))
        ended = (turn.reply.finish_reason or NOT_REPORTED for turn in episode.turns)
        self._keep(self._finished, key, tuple(reason[:LONGEST_REASON] for reason in ended))

    def reasons(self) -> dict[str, int]:
        """Counts invalid replies by reason."""
        counts = Counter(why for whys in self._reasons.values() for why in whys)
        return dict(sorted(counts.items()))

    def finish_reasons(self) -> dict[str, int]:
        """Counts replies by finish reason, the most frequent first."""
        counts = Counter(reason for ended in self._finished.values() for reason in ended)
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def errors(self) -> Iterable[EpisodeError]:
        """Returns the errors of the episodes that met one."""
        return self._errors.values()

    def served(self) -> Iterable[tuple[Served, ...]]:
        """Returns what answered the turns of each episode, as far as the records say."""
        return self._served.values()

    def judges(self) -> set[str]:
        """Returns the judges of the open-ended answers."""
        return {judge for judges in self._judges.values() for judge in judges}

    def _keep(self, kept: dict[_Key, Any], key: _Key, fact: Any) -> None:
        if fact:
            kept[key] = self._shared.setdefault(fact, fact)
        elif kept:
            kept.pop(key, None)

    def samples(self) -> Samples:
        """Sums the rows by sample, without episodes that ended with an error."""
        keys, matrix = self._ordered()
        played = matrix[:, _EPISODES] > 0
        ids = [sample for (sample, _), kept in zip(keys, played.tolist(), strict=True) if kept]
        rows = matrix[played]
        starts = [i for i, sample in enumerate(ids) if not i or sample != ids[i - 1]]
        if len(starts) < len(ids):
            rows = np.add.reduceat(rows, starts, axis=0)
        totals = dict(zip(COLUMNS, matrix.sum(axis=0).tolist(), strict=True))
        return Samples([ids[start] for start in starts], rows, totals)

    def _ordered(self) -> tuple[list[_Key], NDArray[np.float64]]:
        """Returns keys and rows sorted by sample and repeat, so that results are reproducible."""
        try:
            keys = sorted(self._rows)
        except TypeError:  # sample ids of both types
            keys = sorted(self._rows, key=str)
        packed = b"".join(map(self._rows.__getitem__, keys))
        return keys, np.frombuffer(packed).reshape(-1, len(COLUMNS))


Tables = Mapping[str, ScenarioTable]
"""A run's episodes by scenario."""


def gather(episodes: Iterable[Episode]) -> Tables:
    """Makes the tables of a run, in the paper's order of scenarios.

    Raises UserError if an episode has an unknown scenario.
    """
    tables = {name: ScenarioTable() for name in SCENARIOS}
    for episode in episodes:
        if episode.scenario not in tables:
            sample, scenario = quoted(episode.sample_id), quoted(episode.scenario)
            raise UserError(f"the episode of sample {sample} has the unknown scenario {scenario}")
        tables[episode.scenario].add(episode)
    return {name: table for name, table in tables.items() if len(table)}
