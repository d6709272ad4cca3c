"""`results/<run-id>/`: `run.json`, `episodes.jsonl`, `summary.json`.

Episodes are appended and flushed one by one.  A torn last line (the process was killed) is
tolerated when reading and cut off before more is written.  Where an episode stands twice (an error
that was tried again) the later line counts.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from pydantic import BaseModel, ValidationError

from proactive_agent.manifest import Manifest
from proactive_agent.records import EpisodeKey, EpisodeRecord
from tools import UserError


class RunFolder:
    """The records of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifest_file = path / "run.json"
        self.episodes_file = path / "episodes.jsonl"
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

        Reads twice, so that memory does not grow with the pictures and texts of a run.
        """
        last: dict[EpisodeKey, int] = {}
        for number, line in self._lines():
            last[_key(line, self.episodes_file, number)] = number
        wanted = set(last.values())
        for number, line in self._lines():
            if number in wanted:
                yield _episode(line, self.episodes_file, number)

    def keys_done(self) -> set[EpisodeKey]:
        """The key of every episode that ended without an error."""
        return {episode.key for episode in self.episodes() if episode.error is None}

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        """Whole lines with their numbers; a torn last one is left out."""
        try:
            with self.episodes_file.open("rb") as stream:
                for number, line in enumerate(stream, 1):
                    if line.endswith(b"\n"):
                        yield number, line
        except FileNotFoundError:
            return


class EpisodeWriter:
    """Appends episodes; holds the run's lock, so that two processes never write one run."""

    def __init__(self, folder: RunFolder) -> None:
        folder.path.mkdir(parents=True, exist_ok=True)
        self._stream = folder.episodes_file.open("a+b")
        _lock(self._stream, folder.path)
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

    def write(self, episode: EpisodeRecord) -> None:
        """One line, handed to the operating system before this returns."""
        self._stream.write(episode.model_dump_json().encode() + b"\n")
        self._stream.flush()


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


def _key(line: bytes, file: Path, number: int) -> EpisodeKey:
    try:
        fields = json.loads(line)
        return EpisodeKey(fields["scenario"], fields["sample_id"], fields.get("repeat", 0))
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{file}, line {number}: no episode ({error!r})") from None


def _episode(line: bytes, file: Path, number: int) -> EpisodeRecord:
    try:
        return EpisodeRecord.model_validate_json(line)
    except ValidationError as error:
        raise UserError(f"{file}, line {number}: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}"
    return str(error).splitlines()[0]


def _replace(file: Path, content: BaseModel) -> None:
    """Writes beside and renames, so that no reader and no crash sees half a file."""
    partial = file.with_suffix(".tmp")
    partial.write_text(content.model_dump_json(indent=2) + "\n", encoding="utf-8")
    partial.replace(file)
