"""Downloads the official data from the Hugging Face Hub and unpacks it.

Every step can be interrupted and resumed. Files are fetched in parts that are kept, and notes in
the data folder record which files are fetched and unpacked.
"""

import hashlib
import json
import lzma
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from proactive_agent.disk.regular_file import append_regular, read_regular_text, replace_regular
from proactive_agent.disk.whole_files import write_whole
from proactive_agent.scenarios.hub import REPOSITORY, Hub, HubFile
from proactive_agent.scenarios.protocol_pack import read_wheel, write_pack
from proactive_agent.scenarios.registry import SCENARIOS
from proactive_agent.scenarios.sample import SHOWN, check_relative, quoted
from proactive_agent.tools import UserError

FOLDER = "test"
"""Folder of the data files and archives, on the Hub and on disk."""

NOTES = ".download"
"""Subfolder for partial files and for notes on finished ones."""

PART_BYTES = 64 * 2**20
"""Size of one request. An interruption loses at most this much."""

COPY_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """Progress of one file."""

    step: Literal["fetch", "unpack", "skip"]
    """skip: the file is already complete."""
    path: str
    done: int
    total: int
    """Size in bytes."""


def download(
    folder: Path,
    hub: Hub,
    *,
    scenarios: Sequence[str] | None = None,
    wheel: Path | None = None,
    keep_archives: bool = False,
) -> Iterator[DownloadProgress]:
    """Downloads the data of the named scenarios, or of all, then the protocol pack.

    Raises UserError with a message that says how to resume. Files fetched so far are kept.
    """
    if wheel:
        read_wheel(wheel)  # The pack is written last, but a wrong file is reported first.
    listed = hub.files()
    wanted = _data_files(listed, scenarios or _published()) + _archives(listed, scenarios)
    try:
        (folder / FOLDER / NOTES).mkdir(parents=True, exist_ok=True)
        files = [_Local(folder, file) for file in wanted]
        _check_space(folder, sum(file.missing_bytes() for file in files), "the files")
        for file in files:
            yield from file.complete(hub, keep_archive=keep_archives)
    except OSError as error:
        raise UserError(f"{error.filename or folder}: {error.strerror or error}") from None
    try:
        write_pack(folder, wheel)
    except UserError as error:
        raise UserError(
            f"the data are complete, but the protocol pack is missing: {error}; "
            f"continue with: proactive-agent data protocol {folder}"
        ) from None


class _Local:
    """A file of the Hub that becomes a local file or an unpacked archive."""

    def __init__(self, folder: Path, file: HubFile) -> None:
        self.file = file
        self.target = folder / file.path
        self.is_archive = self.target.suffix == ".zip"
        notes = self.target.parent / NOTES
        version = hashlib.sha256(file.etag.encode()).hexdigest()[:16]
        self.part = notes / f"{self.target.name}.{version}.part"
        self.note = notes / f"{self.target.name}.json"

    def complete(self, hub: Hub, *, keep_archive: bool) -> Iterator[DownloadProgress]:
        """Fetches and unpacks the file as far as necessary."""
        size = self.file.size
        if self._is("unpacked") or (not self.is_archive and self._is_fetched()):
            yield DownloadProgress("skip", self.file.path, size, size)
            return
        if not self._is_fetched():
            yield from self._fetch(hub)
        if self.is_archive:
            for done, total in unpack(self.target, self.target.parent):
                yield DownloadProgress("unpack", self.file.path, done, total)
            self._mark("unpacked")
            if not keep_archive:
                self.target.unlink()

    def missing_bytes(self) -> int:
        """Returns the number of bytes that are still to be fetched."""
        if self._is("unpacked") or self._is_fetched():
            return 0
        return self.file.size - (self.part.stat().st_size if self.part.is_file() else 0)

    def _fetch(self, hub: Hub) -> Iterator[DownloadProgress]:
        for old in self.note.parent.glob(f"{self.target.name}.*.part"):
            if old != self.part:  # from an earlier version
                old.unlink()
        path, size = self.file.path, self.file.size
        hashed = self.file.hasher()
        with append_regular(self.part) as sink:
            sink.seek(0)
            while block := sink.read(COPY_BYTES):
                hashed.update(block)
            done = sink.tell()
            yield DownloadProgress("fetch", path, done, size)
            while done < size:
                wanted = min(PART_BYTES, size - done)
                content = hub.read(self.file, done, wanted)
                if len(content) != wanted:
                    raise UserError(f"{path}: received {len(content)} bytes instead of {wanted}")
                sink.write(content)
                hashed.update(content)
                done += wanted
                yield DownloadProgress("fetch", path, done, size)
        if hashed.hexdigest() != self.file.etag:
            self.part.unlink()
            raise UserError(
                f"{path}: the downloaded file has the hash {hashed.hexdigest()}; the Hub gives "
                f"{self.file.etag}. It was deleted; run again"
            )
        self.part.replace(self.target)
        self._mark("fetched")

    def _is_fetched(self) -> bool:
        return self.target.is_file() and self._is("fetched")

    def _is(self, state: str) -> bool:
        return self.note.is_file() and read_regular_text(self.note) == self._text(state)

    def _mark(self, state: str) -> None:
        write_whole(self.note, self._text(state))

    def _text(self, state: str) -> str:
        return json.dumps({"etag": self.file.etag, "size": self.file.size, "state": state})


_DAMAGE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, ValueError,
    struct.error, OverflowError, IndexError,
)  # fmt: skip
"""Errors of zipfile and of its decoders for damaged content."""


def unpack(archive: Path, folder: Path) -> Iterator[tuple[int, int]]:
    """Unpacks a zip archive; yields (bytes written, bytes in all) after each file.

    Before anything is written, raises UserError if an entry leads out of the folder, is a link or
    is encrypted, or if the content is larger than the free space.
    """
    try:
        with zipfile.ZipFile(archive) as content:
            entries = content.infolist()
            for entry in entries:
                _check_entry(archive, entry, folder)
            total = sum(entry.file_size for entry in entries)
            _check_space(folder, total, archive.name)
            done = 0
            for entry in entries:
                _unpack_entry(content, entry, folder / entry.filename)
                done += entry.file_size
                yield done, total
    except OSError as error:
        if error.errno is not None:  # bz2 reports damaged content without a number
            raise
        raise UserError(f"{archive} is damaged ({error}); delete it and run again") from None
    except _DAMAGE as error:
        reason = str(error)[:SHOWN]
        raise UserError(f"{archive} is damaged ({reason}); delete it and run again") from None


def _check_entry(archive: Path, entry: zipfile.ZipInfo, folder: Path) -> None:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    name = quoted(entry.filename)
    if not PurePosixPath(entry.filename).parts:
        raise UserError(f"{archive}: the entry {name} has no name")
    if problem := check_relative(entry.filename):
        raise UserError(f"{archive}: {problem}")
    # An existing link inside the folder could lead out, too.
    if not (folder / entry.filename).resolve().is_relative_to(folder.resolve()):
        raise UserError(f"{archive}: path {name} leads outside the data folder")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise UserError(f"{archive}: {name} is not a regular file")
    if entry.flag_bits & 1:
        raise UserError(f"{archive}: {name} is encrypted")


def _unpack_entry(content: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    if entry.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    # zipfile reads no more than the declared size, which was checked against the free space.
    with content.open(entry) as source, replace_regular(target) as sink:
        shutil.copyfileobj(source, sink, COPY_BYTES)


def _check_space(folder: Path, needed: int, what: str) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise UserError(
            f"{folder}: {what} need {needed / 1e9:.1f} GB, only {free / 1e9:.1f} GB are free"
        )


def _published() -> list[str]:
    return [name for name, scenario in SCENARIOS.items() if any(scenario.published_counts)]


def _data_files(listed: list[HubFile], scenarios: Sequence[str]) -> list[HubFile]:
    by_path = {file.path: file for file in listed}
    paths = [f"{FOLDER}/{SCENARIOS[name].stem}_preprocessed.jsonl" for name in scenarios]
    if missing := [path for path in paths if path not in by_path]:
        raise UserError(f"{REPOSITORY} lacks {', '.join(missing)}")
    return [by_path[path] for path in paths]


def _archives(listed: list[HubFile], scenarios: Sequence[str] | None) -> list[HubFile]:
    """Returns the archives of the named scenarios by name, or all archives for None."""
    paths = ((file, PurePosixPath(file.path)) for file in listed)
    every = [file for file, path in paths if str(path.parent) == FOLDER and path.suffix == ".zip"]
    if scenarios is None:
        return every
    chosen: dict[HubFile, None] = {}
    for name in scenarios:
        stem = _letters(SCENARIOS[name].stem)
        own = [file for file in every if _letters(Path(file.path).name).startswith(stem)]
        if not own:
            there = ", ".join(Path(file.path).name for file in every) or "none"
            raise UserError(
                f"{REPOSITORY} has no archive whose name begins with {SCENARIOS[name].stem}; there "
                f"are: {there}. Without --scenario all of them are fetched"
            )
        chosen |= dict.fromkeys(own)
    return list(chosen)


def _letters(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())
