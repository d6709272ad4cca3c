"""`results/<run-id>/`: `run.json`, `episodes.jsonl`, `summary.json`; if large, `episodes.index`.

Episodes are appended and flushed one by one.  A torn last line (the process was killed) is
tolerated when reading and cut off before more is written.  Where an episode stands twice (an error
that was tried again) the later line counts.
"""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from pydantic import BaseModel, ValidationError

from proactive_agent.records.episode import EpisodeKey, EpisodeRecord
from proactive_agent.records.index import EpisodeIndex
from proactive_agent.records.manifest import Manifest
from proactive_agent.records.outline import EpisodeOutline, decode, outline_of
from proactive_agent.tools import UserError

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

    @classmethod
    def find(cls, run: str, results: Path = Path("results")) -> Self:
        """The run of a path or of an id below `results`.  Raises UserError."""
        for path in (Path(run), results / run):
            if (path / "run.json").is_file():
                return cls(path)
        raise UserError(f"no run {run!r}: neither {run}/run.json nor {results / run}/run.json")

    def read_manifest(self) -> Manifest:
        """`run.json`.  Raises UserError where it is none."""
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
        """The episodes in the order in which they ended, each at its last record.

        Reads twice, so that memory does not grow with the texts of a run.  Raises UserError.
        """
        last: dict[EpisodeKey, tuple[int, int]] = {}
        for outline in self.scan():
            last.pop(outline.key, None)
            last[outline.key] = (outline.offset, outline.length)
        for offset, length in last.values():
            yield self._record(self._read(offset, length), offset)

    def keys_done(self) -> set[EpisodeKey]:
        """The key of every episode that ended without an error."""
        return {episode.key for episode in self.outlines() if episode.error is None}

    def outlines(self) -> list[EpisodeOutline]:
        """Every episode without its texts, each at its last record, in the order of `episodes`."""
        last: dict[EpisodeKey, EpisodeOutline] = {}
        for outline in self.scan(save_index=True):
            last.pop(outline.key, None)
            last[outline.key] = outline
        return list(last.values())

    def scan(self, start: int = 0, *, save_index: bool = False) -> Iterator[EpisodeOutline]:
        """The outline of every whole line from byte `start` on, also of those that do not count.

        What follows the last one begins at its `offset` + `length`.  From the beginning on, as many
        as possible come from the index; `save_index` brings that up to date.  Raises UserError.
        """
        if start:
            yield from self._lines(start)
            return
        index = EpisodeIndex(self.index_file, self.episodes_file, keep=save_index)
        yield from index.read()
        rest = self._lines(index.end)
        yield from index.lengthened_by(rest) if save_index else rest

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
                    # What makes a record, and how it is said that a line is none, has one place.
                    outline = outline_of(self._record(line, start))
                outline.offset, outline.length = start, len(line)
                start += len(line)
                yield outline

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
        try:
            return EpisodeRecord.model_validate_json(line)
        except ValidationError as error:
            where = f"{self.episodes_file}, line {self._line_number(offset)}"
            raise UserError(f"{where}: {_first_line(error)}") from None

    def _line_number(self, offset: int) -> int:
        """Which line begins there, from 1."""
        with self.episodes_file.open("rb") as stream:
            return stream.read(offset).count(b"\n") + 1


class LineWriter:
    """Appends records to a file; holds its lock, so that two processes never write one file."""

    def __init__(self, file: Path, shown: Path) -> None:
        """`shown` is what the message names that says so."""
        file.parent.mkdir(parents=True, exist_ok=True)
        self._stream = file.open("a+b")
        _lock(self._stream, shown)
        _cut_torn_line(self._stream)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stream.close()

    def write(self, record: BaseModel) -> None:
        """One line, handed to the operating system before this returns."""
        self._stream.write(record.model_dump_json().encode() + b"\n")
        self._stream.flush()


class EpisodeWriter(LineWriter):
    """Appends episodes to a run."""

    def __init__(self, folder: RunFolder) -> None:
        super().__init__(folder.episodes_file, folder.path)


def _lock(stream: IO[bytes], path: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows has no fcntl; there a second writer is not noticed
        return
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        stream.close()
        raise UserError(f"{path} is being written by another process") from None


def _cut_torn_line(stream: IO[bytes]) -> None:
    """Cuts off what stands after the last line break."""
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
    """Writes beside and renames, so that no reader and no crash sees half a file."""
    partial = file.with_suffix(".tmp")
    partial.write_text(content.model_dump_json(indent=2) + "\n", encoding="utf-8")
    partial.replace(file)
