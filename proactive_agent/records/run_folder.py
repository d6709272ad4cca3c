"""The folder of a run, `results/<run-id>/`.

It holds `run.json`, `episodes.jsonl`, `summary.json` and, for a large run, `episodes.index`.
Episodes are appended and flushed one by one.  If the process is killed, the last line may be torn:
readers ignore it, and the next writer cuts it off.  If an episode was retried after an error, it
has several lines; the last one counts.  A whole line that cannot be read counts as an error of its
episode (`records.damaged`); the run remains readable.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from filelock import FileLock, Timeout
from pydantic import BaseModel, ValidationError

from proactive_agent.records.damaged import damaged_record
from proactive_agent.records.episode import EpisodeKey, EpisodeRecord
from proactive_agent.records.episode_index import EpisodeIndex
from proactive_agent.records.manifest import Manifest
from proactive_agent.records.outline import EpisodeOutline, decode, outline_of
from proactive_agent.tools import UserError

POLL_SECONDS = 0.5
"""Seconds between two checks of a run that is still being written."""

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
        self._counted = (0, 0)
        """A byte of `episodes.jsonl` and the number of lines before it."""

    @classmethod
    def find(cls, run: str, results: Path = Path("results")) -> Self:
        """Finds a run by its path or by its id below `results`.  Raises UserError."""
        for path in (Path(run), results / run):
            if (path / "run.json").is_file():
                return cls(path)
        raise UserError(f"no run {run!r}: neither {run}/run.json nor {results / run}/run.json")

    def read_manifest(self) -> Manifest:
        """Reads `run.json`.  Raises UserError if it is missing or not a manifest."""
        try:
            return Manifest.model_validate_json(self.manifest_file.read_bytes())
        except (OSError, ValidationError) as error:
            raise UserError(f"{self.manifest_file}: {_first_line(error)}") from None

    def write_manifest(self, manifest: Manifest) -> None:
        """Replaces `run.json`."""
        self.path.mkdir(parents=True, exist_ok=True)
        _replace(self.manifest_file, manifest)

    def write_summary(self, summary: BaseModel) -> None:
        """Replaces `summary.json`."""
        _replace(self.summary_file, summary)

    def episodes(self) -> Iterator[EpisodeRecord]:
        """Yields each episode's last record, in the order in which the episodes ended.

        Reads the file twice, so that memory does not grow with the texts.  Raises UserError.
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

        To continue after the last outline, start at its `offset` + `length`.  A scan from byte 0
        takes as many outlines as it can from `episodes.index`; `save_index` updates that file.
        Raises UserError.
        """
        if start:
            yield from self._lines(start)
            return
        index = EpisodeIndex(self.index_file, self.episodes_file, keep=save_index)
        yield from index.read()
        rest = self._lines(index.end)
        yield from index.extended_by(rest) if save_index else rest

    def _lines(self, start: int) -> Iterator[EpisodeOutline]:
        try:
            stream = self.episodes_file.open("rb", buffering=_BUFFER)
        except FileNotFoundError:
            return
        except OSError as error:
            raise UserError(f"{self.episodes_file}: {error.strerror}") from None
        with stream:
            stream.seek(start)
            for line in stream:
                if not line.endswith(b"\n"):
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

        An episode that is retried after an error is yielded again.  Raises UserError.
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
        """Returns the whole record of an outline.  Raises UserError."""
        return self._record(self.read_line(outline), outline.offset)

    def _read(self, offset: int, length: int) -> bytes:
        with self.episodes_file.open("rb") as stream:
            stream.seek(offset)
            return stream.read(length)

    def _record(self, line: bytes, offset: int) -> EpisodeRecord:
        """Parses a line.  Raises UserError if it does not even name its episode."""
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
    """Appends records to a file.  Holds a lock, so that only one process writes at a time."""

    def __init__(self, file: Path, shown: Path) -> None:
        """Opens and locks `file`.  Raises UserError, naming `shown`, if it cannot be locked."""
        file.parent.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(file, shown)
        try:
            self._stream = file.open("a+b")
            _cut_torn_line(self._stream)
        except BaseException:
            self._unlock()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stream.close()
        self._unlock()

    def write(self, record: BaseModel) -> None:
        """Appends one line and hands it to the operating system before returning."""
        self._stream.write(record.model_dump_json().encode() + b"\n")
        self._stream.flush()

    def _unlock(self) -> None:
        # The file is removed while it is locked, so that another writer's lock file is not removed.
        # Windows refuses this; there the library removes the file.
        with suppress(OSError):
            Path(self._lock.lock_file).unlink()
        self._lock.release()


class EpisodeWriter(LineWriter):
    """Appends episodes to a run."""

    def __init__(self, folder: RunFolder) -> None:
        super().__init__(folder.episodes_file, folder.path)


def _locked(file: Path, shown: Path) -> FileLock:
    """Takes the operating system's lock on `<file>.lock`.

    The lock ends with the process, so the lock file of a killed process does not block others.
    `file` itself is not locked, because on Windows other processes could then not read it.
    """
    lock = FileLock(f"{file}.lock", timeout=0, thread_local=False, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        raise UserError(f"{shown} is being written by another process") from None
    except OSError as error:
        raise UserError(f"{shown} cannot be locked for writing: {error.strerror}") from None
    return lock


def _cut_torn_line(stream: IO[bytes]) -> None:
    """Removes everything after the last line break."""
    end = stream.seek(0, 2)
    position = end
    while position > 0:
        start = max(0, position - 65536)
        stream.seek(start)
        if (found := stream.read(position - start).rfind(b"\n")) >= 0:
            stream.truncate(start + found + 1)
            return
        position = start
    stream.truncate(0)


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        return f"{field}: {first['msg']}" if field else first["msg"]
    return str(error).splitlines()[0]


def _replace(file: Path, content: BaseModel) -> None:
    """Writes a temporary file and renames it, so that readers never see half a file."""
    partial = file.with_suffix(".tmp")
    partial.write_text(content.model_dump_json(indent=2) + "\n", encoding="utf-8")
    partial.replace(file)
