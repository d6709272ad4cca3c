"""The episodes of a run as they are read and as they come; which of them a list shows."""

import threading
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import islice

from proactive_agent.records.episode import EpisodeKey, EpisodeRecord
from proactive_agent.records.outline import EpisodeOutline
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.views.divergence import CHANGES, pairs
from proactive_agent.views.search import Search
from proactive_agent.views.selection import Order, in_order

BATCH = 1000
"""Episodes read in one go."""


class RunIndex:
    """All episodes of a run, each at its last record."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.manifest = folder.read_manifest()
        self.complete = False
        """Whether everything that the file held has been read."""
        self._episodes: dict[EpisodeKey, EpisodeOutline] = {}
        self.position = 0
        """Bytes of the file that were read."""
        self._lock = threading.Lock()

    def get(self, key: EpisodeKey) -> EpisodeOutline | None:
        """The episode of a key."""
        return self._episodes.get(key)

    @property
    def by_key(self) -> Mapping[EpisodeKey, EpisodeOutline]:
        """All that were read so far."""
        return self._episodes

    def rows(self, search: Search, order: Order, other: "RunIndex | None") -> list[EpisodeOutline]:
        """What a search means, in order; `other` is the run beside."""
        with self._lock:
            episodes = list(self._episodes.values())
        found = [e for e in episodes if search.matches(e, partial(self.folder.read_line, e))]
        if other is not None and search.changes < frozenset(CHANGES):
            found = [
                pair.first for pair in pairs(found, other.by_key) if pair.change in search.changes
            ]
        return in_order(found, order)

    def read_more(self) -> Iterator[int]:
        """Reads what the file holds by now, in batches; says how many episodes there are by then.

        Raises UserError at a line that is no episode.
        """
        scan = self.folder.scan(self.position, save_index=True)
        while batch := list(islice(scan, BATCH)):
            with self._lock:
                self._episodes.update((episode.key, episode) for episode in batch)
            self.position = batch[-1].offset + batch[-1].length
            yield len(self._episodes)
        self.complete = True

    def is_going_on(self) -> bool:
        """Whether the run says that it has not ended."""
        self.manifest = self.folder.read_manifest()
        return self.manifest.status == "running"

    def record(self, episode: EpisodeOutline) -> EpisodeRecord:
        """The whole record of an episode.  Raises UserError."""
        return self.folder.read_episode(episode)
