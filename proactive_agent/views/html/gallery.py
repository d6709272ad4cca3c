"""Chooses the episodes of the gallery and collects the pictures of their turns."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, zip_longest
from typing import Any, NamedTuple

from proactive_agent.records.episode import ImageRecord
from proactive_agent.records.failures import group
from proactive_agent.records.outline import EpisodeOutline
from proactive_agent.records.pictures import Pictures
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.views.html.steps import episode_values

THUMBNAIL = 224
"""Length of a picture's longer edge, in pixels."""


class Gallery(NamedTuple):
    """Episodes as JSON values, for the page's script."""

    episodes: list[dict[str, Any]]
    pictures: list[str]
    """Data URIs; turns refer to them by index."""
    left_out: dict[str, int]
    """Number of episodes that are not shown, by run."""


def gallery_of(runs: Sequence[tuple[str, RunFolder]], most: int) -> Gallery:
    """Chooses at most `most` episodes of each run, starting with failures of every group."""
    gallery = Gallery([], [], {})
    store = _PictureStore(gallery.pictures)
    for name, folder in runs:
        outlines = folder.outlines()
        chosen = list(islice(_failures_first(outlines), most))
        gallery.left_out[name] = len(outlines) - len(chosen)
        manifest = folder.read_manifest()
        pictures = Pictures(manifest)
        for outline in chosen:
            episode = folder.read_episode(outline)
            numbers = [
                store.number(turn.image, manifest.settings.data, pictures) for turn in episode.turns
            ]
            gallery.episodes.append({"run": name} | episode_values(episode, numbers))
    return gallery


class _PictureStore:
    """Stores each picture once, however many runs show it."""

    def __init__(self, uris: list[str]) -> None:
        self._uris = uris
        self._numbers: dict[tuple[Any, ...], int | None] = {}

    def number(self, shown: ImageRecord, data: str | None, pictures: Pictures) -> int | None:
        """Returns the index of a picture, or None if it cannot be opened."""
        key = (data, shown.path, shown.sha256, shown.crop, shown.size)
        if key not in self._numbers:
            uri = pictures.data_uri(shown, longest=THUMBNAIL)
            self._numbers[key] = len(self._uris) if uri else None
            if uri:
                self._uris.append(uri)
        return self._numbers[key]


def _failures_first(outlines: Iterable[EpisodeOutline]) -> Iterator[EpisodeOutline]:
    """Yields failures, taking one of each group in turn, then the episodes that ended right."""
    groups: dict[str, list[EpisodeOutline]] = {}
    right = []
    for outline in outlines:
        failure = group(outline)
        if failure is None:
            right.append(outline)
        else:
            groups.setdefault(failure.name, []).append(outline)
    for row in zip_longest(*groups.values()):
        yield from (outline for outline in row if outline is not None)
    yield from right
