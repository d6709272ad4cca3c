"""Episodes of a run as they end, until the run has ended too."""

import time
from collections.abc import Callable, Iterator

from proactive_agent.records.outline import EpisodeOutline
from proactive_agent.records.run_folder import RunFolder

PAUSE = 0.5
"""Seconds between two looks at the file."""


def follow(
    folder: RunFolder, sleep: Callable[[float], None] = time.sleep
) -> Iterator[EpisodeOutline]:
    """Every episode that has ended, then each as it ends.  Raises UserError.

    An episode that is tried again after an error comes again.
    """
    position = 0
    while True:
        # Asked before the file is read: what was written before the end is then not missed.
        going_on = folder.read_manifest().status == "running"
        for episode in folder.scan(position):
            position = episode.offset + episode.length
            yield episode
        if not going_on:
            return
        sleep(PAUSE)
