"""The episodes of a run in memory, loaded in batches while the run is played."""

import gc
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import islice

from proactive_agent.records.episode import EpisodeKey, EpisodeRecord
from proactive_agent.records.outline import EpisodeOutline
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.views.divergence import CHANGES, pairs
from proactive_agent.views.search import Search
from proactive_agent.views.selection import Order, in_order

BATCH = 1000
"""Episodes per batch."""


class LoadedRun:
    """The last record of each episode of a run, as outlines. Thread-safe."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.manifest = folder.read_manifest()
        self.complete = False
        """Whether the file was read to its end at least once."""
        self._episodes: dict[EpisodeKey, EpisodeOutline] = {}
        self.position = 0
        """Bytes of the file that were read so far."""
        self._lock = threading.Lock()

    def get(self, key: EpisodeKey) -> EpisodeOutline | None:
        """Returns the episode with a key."""
        return self._episodes.get(key)

    @property
    def by_key(self) -> Mapping[EpisodeKey, EpisodeOutline]:
        """The episodes read so far."""
        return self._episodes

    def rows(self, search: Search, order: Order, other: "LoadedRun | None") -> list[EpisodeOutline]:
        """Returns the episodes that match a search, sorted; `other` is the run compared with."""
        with self._lock:
            episodes = list(self._episodes.values())
        found = [e for e in episodes if search.matches(e, partial(self.folder.read_line, e))]
        if other is not None and search.changes < frozenset(CHANGES):
            found = [
                pair.first for pair in pairs(found, other.by_key) if pair.change in search.changes
            ]
        return in_order(found, order)

    def read_more(self) -> Iterator[int]:
        """Reads new lines in batches; yields the number of episodes after each batch.

        Raises UserError at a line that is not an episode.
        """
        scan = self.folder.scan(self.position, save_index=True)
        while batch := list(islice(scan, BATCH)):
            with self._lock:
                self._episodes.update((episode.key, episode) for episode in batch)
            self.position = batch[-1].offset + batch[-1].length
            yield len(self._episodes)
        self.complete = True

    def is_running(self) -> bool:
        """Reads the manifest again and returns whether the run is still playing."""
        self.manifest = self.folder.read_manifest()
        return self.manifest.status == "running"

    def record(self, episode: EpisodeOutline) -> EpisodeRecord:
        """Reads the whole record of an episode. Raises UserError."""
        return self.folder.read_episode(episode)


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Pauses garbage collection while a run is loaded; its pauses would freeze the interface."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
