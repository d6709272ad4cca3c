"""The rows of a run's episodes, gathered by scenario."""

import struct
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from proactive_agent.metrics.measures import COLUMNS, Episode, measure
from proactive_agent.scenarios import SCENARIOS
from proactive_agent.tools import UserError

_PACK = struct.Struct(f"{len(COLUMNS)}d").pack
_EPISODES = COLUMNS.index("episodes")
_INVALID = COLUMNS.index("invalid")

SampleId = int | str
_Key = tuple[SampleId, int]
"""Sample and repeat."""


class Samples(NamedTuple):
    """The samples of a scenario with at least one episode that was played to its end."""

    ids: list[SampleId]
    """In an order that does not depend on when they were played."""
    rows: NDArray[np.float64]
    """A row per sample with the sums over its episodes, a column per name in COLUMNS."""
    totals: dict[str, float]
    """The sum of every column over all episodes, those with errors too; NaN is unknown."""

    def column(self, name: str) -> NDArray[np.float64]:
        """A number per sample."""
        return self.rows[:, COLUMNS.index(name)]


class ScenarioTable:
    """The episodes of one scenario; a later record of an episode replaces the earlier one."""

    def __init__(self) -> None:
        self._rows: dict[_Key, bytes] = {}
        """The numbers of COLUMNS, packed: a large run would not fit into memory otherwise."""
        self._reasons: dict[_Key, tuple[str, ...]] = {}
        """Of episodes with invalid replies: why."""

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, episode: Episode) -> None:
        """Takes an episode in."""
        key = (episode.sample_id, episode.repeat)
        row = measure(episode)
        self._rows[key] = _PACK(*row)
        if row[_INVALID]:
            whys = (turn.action.why for turn in episode.turns)
            self._reasons[key] = tuple(why for why in whys if why is not None)
        elif self._reasons:
            self._reasons.pop(key, None)

    def reasons(self) -> dict[str, int]:
        """Invalid replies by reason."""
        counts = Counter(why for whys in self._reasons.values() for why in whys)
        return dict(sorted(counts.items()))

    def samples(self) -> Samples:
        """The samples, without episodes that met an error."""
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
        """Keys and rows by sample and repeat, so that nothing depends on who came first."""
        try:
            keys = sorted(self._rows)
        except TypeError:  # numbers and names side by side
            keys = sorted(self._rows, key=str)
        packed = b"".join(map(self._rows.__getitem__, keys))
        return keys, np.frombuffer(packed).reshape(-1, len(COLUMNS))


Tables = Mapping[str, ScenarioTable]
"""A run's episodes by scenario."""


def gather(episodes: Iterable[Episode]) -> Tables:
    """The tables of a run, in the paper's order of scenarios.  Raises UserError."""
    tables = {name: ScenarioTable() for name in SCENARIOS}
    for episode in episodes:
        if episode.scenario not in tables:
            raise UserError(f"an episode is of an unknown scenario: {episode.scenario!r}")
        tables[episode.scenario].add(episode)
    return {name: table for name, table in tables.items() if len(table)}
