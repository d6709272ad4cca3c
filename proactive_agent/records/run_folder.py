"""The folder of a run, `results/<run-id>/`.

It holds `run.json`, `episodes.jsonl`, `summary.json` and, for a large run, `episodes.index`.
Episodes are appended one by one, each in one piece, and forced to the disk in batches. If the
process is killed, the last line may be torn: readers ignore it, and the next writer cuts it off.
If an episode was retried after an error, it has several lines; the last one counts. A whole line
that cannot be read counts as an error of its episode (`records.damaged`); the run remains readable.

While a process writes a run, it holds a lock on `episodes.jsonl.lock`. So readers can tell a run
that is being played from one whose process died.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from pydantic import BaseModel, ValidationError

from proactive_agent.disk.durable import force_names_to_disk, make_folder
from proactive_agent.disk.locks import is_being_written, lock_file_of, read_status, writer_lock
from proactive_agent.disk.regular_file import append_regular, open_regular, read_regular
from proactive_agent.disk.whole_files import not_written, write_whole
from proactive_agent.records.damaged import damaged_record
from proactive_agent.records.episode import EpisodeKey, EpisodeRecord
from proactive_agent.records.episode_index import EpisodeIndex
from proactive_agent.records.manifest import Manifest
from proactive_agent.records.outline import EpisodeOutline, decode, outline_of
from proactive_agent.scenarios.registry import SCENARIOS
from proactive_agent.scenarios.sample import quoted
from proactive_agent.tools import UserError
from proactive_agent.tools.errors import first_problem
from proactive_agent.tools.secrets import redacted_json

POLL_SECONDS = 0.5
"""Seconds between two checks of a run that is still being written."""

SYNC_SECONDS = 1.0
"""Time after which the next record forces all records to the disk.

A power cut costs at most the records of this time; a killed process costs none. The price is
measured by `benchmarks/fsync_cost.py`.
"""

SYNC_RECORDS = 64
"""Number of records after which all are forced to the disk earlier."""

MAX_LINE = 256 * 2**20
"""Most bytes of a record, and of `run.json`. The longest real records have some megabytes."""

_BUFFER = 1 << 20
"""Bytes that are read at a time."""


class RunFolder:
    """The records of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifest_file = path / "run.json"
        self.episodes_file = path / "episodes.jsonl"
        self.index_file = path / "episodes.index"
        self.summary_file = path / "summary.json"
        self.batches = path / "batches"
        """The folder with the ids of batches and their replies, if a batch API was used."""
        self._counted = (0, 0)
        """A byte of `episodes.jsonl` and the number of lines before it."""
        self.lock_file = lock_file_of(self.episodes_file)

    def read_manifest(self) -> Manifest:
        """Reads `run.json`. Raises UserError if it is missing or not a manifest.

        An unknown scenario in it is such an error, as in `scan`.
        The status of a run whose process died is `interrupted`, although the file says `running`.
        """
        manifest, died = read_status(
            self.episodes_file, self._manifest, lambda found: found.status == "running"
        )
        return manifest.model_copy(update={"status": "interrupted"}) if died else manifest

    def is_being_written(self) -> bool:
        """Whether a process plays this run now."""
        return is_being_written(self.episodes_file)

    def write_manifest(self, manifest: Manifest) -> None:
        """Replaces `run.json`. Raises NotWrittenError; the file is then unchanged."""
        make_folder(self.path)
        write_whole(self.manifest_file, _as_json(manifest))

    def write_summary(self, summary: BaseModel) -> None:
        """Replaces `summary.json`. Raises NotWrittenError; the file is then unchanged."""
        write_whole(self.summary_file, _as_json(summary))

    def _manifest(self) -> Manifest:
        try:
            manifest = Manifest.model_validate_json(read_regular(self.manifest_file, MAX_LINE))
        except (OSError, ValidationError) as error:
            raise UserError(f"{self.manifest_file}: {_first_line(error)}") from None
        for field, scenarios in (
            ("settings.scenarios", manifest.settings.scenarios),
            ("data.files", manifest.data.files),
        ):
            for name in scenarios:
                if name not in SCENARIOS:
                    raise UserError(f"{self.manifest_file}: {field}: {_unknown_scenario(name)}")
        if len(set(manifest.settings.scenarios)) < len(manifest.settings.scenarios):
            raise UserError(f"{self.manifest_file}: settings.scenarios: a scenario is named twice")
        return manifest

    def episodes(self) -> Iterator[EpisodeRecord]:
        """Yields each episode's last record, in the order in which the episodes ended.

        Reads the file twice, so that memory does not grow with the texts. Raises UserError.
        """
        last: dict[EpisodeKey, tuple[int, int]] = {}
        for outline in self.scan():
            last.pop(outline.key, None)
            last[outline.key] = (outline.offset, outline.length)
        for offset, length in last.values():
            yield self._record(self._read(offset, length), offset)

    def keys_done(self) -> set[EpisodeKey]:
        """Returns the keys of the episodes that ended without an error."""
        return {episode.key for episode in self.outlines() if episode.error is None}

    def outlines(self) -> list[EpisodeOutline]:
        """Returns each episode's last record without its texts, in the order of `episodes`."""
        last: dict[EpisodeKey, EpisodeOutline] = {}
        for outline in self.scan(save_index=True):
            last.pop(outline.key, None)
            last[outline.key] = outline
        return list(last.values())

    def scan(self, start: int = 0, *, save_index: bool = False) -> Iterator[EpisodeOutline]:
        """Yields the outline of every whole line from byte `start` on, superseded lines included.

        To continue after the last outline, start at its `offset` + `length`. A scan from byte 0
        takes as many outlines as it can from `episodes.index`; `save_index` updates that file.
        Raises UserError, also for an unknown scenario, so that all commands refuse it alike.
        """
        for outline in self._outlines(start, save_index=save_index):
            scenario, sample, _ = outline.key
            if scenario not in SCENARIOS:
                raise UserError(
                    f"{self.episodes_file}: the episode of sample {quoted(sample)}: "
                    f"{_unknown_scenario(scenario)}"
                )
            yield outline

    def _outlines(self, start: int, *, save_index: bool) -> Iterator[EpisodeOutline]:
        if start:
            yield from self._lines(start)
            return
        index = EpisodeIndex(self.index_file, self.episodes_file, keep=save_index)
        yield from index.read()
        rest = self._lines(index.end)
        yield from index.extended_by(rest) if save_index else rest

    def _lines(self, start: int) -> Iterator[EpisodeOutline]:
        try:
            stream = open_regular(self.episodes_file, buffering=_BUFFER)
        except FileNotFoundError:
            return
        except OSError as error:
            raise UserError(f"{self.episodes_file}: {error.strerror}") from None
        with stream:
            stream.seek(start)
            while line := stream.readline(MAX_LINE):
                if not line.endswith(b"\n"):
                    if len(line) == MAX_LINE:
                        where = f"{self.episodes_file}, line {self._line_number(start)}"
                        raise UserError(f"{where}: longer than {MAX_LINE:,} bytes")
                    return
                try:
                    outline: EpisodeOutline = decode(line)
                except (ValueError, RecursionError):
                    # The full parser decides whether the line is valid, and words the error.
                    outline = outline_of(self._record(line, start))
                outline.offset, outline.length = start, len(line)
                start += len(line)
                yield outline

    def follow(self, sleep: Callable[[float], None] = time.sleep) -> Iterator[EpisodeOutline]:
        """Yields every episode that has ended, then each as it ends, until the run has ended.

        An episode that is retried after an error is yielded again. Raises UserError.
        """
        position = 0
        while True:
            # Read the status before the episodes, so that no episode is missed at the end.
            running = self.read_manifest().status == "running"
            for episode in self.scan(position):
                position = episode.offset + episode.length
                yield episode
            if not running:
                return
            sleep(POLL_SECONDS)

    def read_line(self, outline: EpisodeOutline) -> bytes:
        """Returns the line of `episodes.jsonl` that an outline was read from."""
        return self._read(outline.offset, outline.length)

    def read_episode(self, outline: EpisodeOutline) -> EpisodeRecord:
        """Returns the whole record of an outline. Raises UserError."""
        return self._record(self.read_line(outline), outline.offset)

    def _read(self, offset: int, length: int) -> bytes:
        with open_regular(self.episodes_file) as stream:
            stream.seek(offset)
            return stream.read(length)

    def _record(self, line: bytes, offset: int) -> EpisodeRecord:
        """Parses a line. Raises UserError if it does not even name its episode."""
        try:
            return EpisodeRecord.model_validate_json(line)
        except ValidationError as error:
            line_number = f"line {self._line_number(offset)}"
            problem = _first_line(error)
            name = self.episodes_file.name
            if found := damaged_record(line, f"{name}, {line_number}, cannot be read: {problem}"):
                return found
            raise UserError(f"{self.episodes_file}, {line_number}: {problem}") from None

    def _line_number(self, offset: int) -> int:
        """Returns the number, from 1, of the line that begins at an offset."""
        start, lines = self._counted if self._counted[0] <= offset else (0, 0)
        lines += self._read(start, offset - start).count(b"\n")
        self._counted = (offset, lines)
        return lines + 1


class LineWriter:
    """Appends records to a file. Holds a lock, so that only one process writes at a time."""

    def __init__(self, file: Path, shown: Path) -> None:
        """Opens and locks `file`.

        Raises UserError, naming `shown`, if it cannot be locked, and NotWrittenError if it cannot
        be opened.
        """
        self._file = file
        self._lock = writer_lock(file, shown)
        try:
            self._stream = append_regular(file)
            self._end = _cut_torn_line(self._stream)
            force_names_to_disk(file.parent)
        except BaseException as error:
            self._lock.release()
            if isinstance(error, OSError):
                raise not_written(file, error) from error
            raise
        self._unsynced = 0
        self._synced = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if self._unsynced:
                self._sync()
        finally:
            self._stream.close()
            self._lock.release()

    def write(self, record: BaseModel) -> None:
        """Appends one line and hands it to the operating system before returning.

        Raises NotWrittenError; nothing of the line is then left in the file.
        """
        line = memoryview(redacted_json(record.model_dump_json()).encode() + b"\n")
        try:
            written = 0
            while written < len(line):
                written += self._stream.write(line[written:]) or 0
        except OSError as error:
            with suppress(OSError):
                self._stream.truncate(self._end)
            raise not_written(self._file, error) from error
        self._end += len(line)
        self._unsynced += 1
        late = time.monotonic() - self._synced >= SYNC_SECONDS
        if late or self._unsynced >= SYNC_RECORDS:
            self._sync()

    def _sync(self) -> None:
        """Waits until every record has reached the disk. Raises NotWrittenError."""
        try:
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise not_written(self._file, error) from error
        self._unsynced = 0
        self._synced = time.monotonic()


class EpisodeWriter(LineWriter):
    """Appends episodes to a run."""

    def __init__(self, folder: RunFolder) -> None:
        super().__init__(folder.episodes_file, folder.path)
        self._folder = folder

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        begun = self._end > 0 or self._folder.manifest_file.exists()
        if not begun:  # The disk was full, for example: nothing of the run is left.
            with suppress(OSError):
                self._folder.episodes_file.unlink()
        super().__exit__(kind, error, traceback)
        if not begun:
            with suppress(OSError):
                self._folder.path.rmdir()


def _cut_torn_line(stream: IO[bytes]) -> int:
    """Removes everything after the last line break. Returns the end of the file."""
    position = stream.seek(0, 2)
    while position > 0:
        start = max(0, position - 65536)
        stream.seek(start)
        if (found := stream.read(position - start).rfind(b"\n")) >= 0:
            return stream.truncate(start + found + 1)
        position = start
    return stream.truncate(0)


def _unknown_scenario(name: str) -> str:
    return f"unknown scenario {quoted(name)}; known: {', '.join(SCENARIOS)}"


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return first_problem(error)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).splitlines()[0]


def _as_json(content: BaseModel) -> str:
    """Returns the content of a file. Secrets are replaced by their names."""
    return redacted_json(content.model_dump_json(indent=2), indent=2) + "\n"
