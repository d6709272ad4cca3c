"""A file for the requests of a wave, so that their pictures are not held in memory."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from proactive_agent.disk.whole_files import not_written


class SpoolPlace(NamedTuple):
    """The place of a request in the file."""

    start: int
    length: int


class Spool:
    """A file without a name, which disappears with the process. Raises NotWrittenError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            self._stream = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        except OSError as error:
            raise not_written(folder, error) from error
        self._end = 0

    def add(self, content: bytes) -> SpoolPlace:
        """Appends a request."""
        try:
            self._stream.seek(self._end)
            self._stream.write(content)
        except OSError as error:
            raise not_written(self._folder, error) from error
        place = SpoolPlace(self._end, len(content))
        self._end += len(content)
        return place

    def read(self, places: Iterable[SpoolPlace]) -> list[bytes]:
        """Returns requests."""
        found = []
        try:
            for place in places:
                self._stream.seek(place.start)
                found.append(self._stream.read(place.length))
        except OSError as error:
            raise not_written(self._folder, error) from error
        return found

    def close(self) -> None:
        """Removes the file."""
        self._stream.close()
