"""`episodes.index`: the outlines of a large `episodes.jsonl`, so that it is scanned once only.

A cache: what does not fit the episodes (they were rewritten, the index is torn, foreign or another
version's) is not used, and replaced; where nothing can be written there is none.

The file is made of frames: length and CRC-32 of the content, four bytes each, then the content in
MessagePack.  The first is a `_Head`, every other one a list of outlines, in the order of the lines.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from struct import Struct
from typing import IO
from zlib import crc32

import msgspec

from proactive_agent.records.outline import EpisodeOutline, IndexedOutline, LineOutline

WORTH = 1 << 24
"""Bytes of episodes that an index must spare to be written; scanning them takes some 0.1 s."""

BLOCK = 1000
"""Outlines in a frame."""

ENDING = 1 << 16
"""So many bytes before the end of what is indexed tell whether it is still the same."""

_FRAME = Struct("<II")
_FORMAT = hashlib.sha256(json.dumps(msgspec.json.schema(LineOutline)).encode()).hexdigest()
"""Another one as soon as outlines have other fields."""


class _Head(msgspec.Struct, array_like=True):
    """What was indexed, and how far."""

    format: str
    size: int
    """Of the file of episodes when it was read, in bytes."""
    modified: int
    """When it had been changed last, in nanoseconds."""
    end: int
    """Where the first line begins that is not indexed."""
    ending: bytes
    """Digest of what stands before it."""


class EpisodeIndex:
    """What is known of a file of episodes; to be read, then lengthened by the lines that follow."""

    def __init__(self, file: Path, episodes_file: Path, *, keep: bool) -> None:
        """`keep` holds in memory what it takes to lengthen it."""
        self._file, self._episodes_file, self._keep = file, episodes_file, keep
        self._size = self._modified = 0
        self._frames: list[bytes] = []
        self.end = 0
        """Where the first line begins that was not in the index."""

    def read(self) -> Iterator[EpisodeOutline]:
        """The outlines that are there."""
        # Whatever is wrong with the file, the episodes are read without it.
        with suppress(OSError, ValueError, RecursionError):
            found = self._episodes_file.stat()
            self._size, self._modified = found.st_size, found.st_mtime_ns
            with self._file.open("rb") as stream:
                if not self._fits(_decode_head(_read_frame(stream))):
                    return
                while frame := _read_frame(stream):
                    block = _decode_block(frame)
                    self.end = _end_of(block, self.end)
                    if self._keep:
                        self._frames.append(frame)
                    yield from block

    def lengthened_by(self, lines: Iterator[EpisodeOutline]) -> Iterator[EpisodeOutline]:
        """Passes on what follows; at its end the index is written, where that is worth it."""
        worth_it = self._size - self.end >= WORTH
        while block := list(islice(lines, BLOCK)):
            if worth_it:
                try:
                    self._frames.append(_encode(block))
                except OverflowError:  # MessagePack's whole numbers have 64 bits
                    worth_it = False
            yield from block
            self.end = block[-1].offset + block[-1].length
        if worth_it:
            with suppress(OSError):
                self._write()

    def _fits(self, head: _Head) -> bool:
        """Whether the file of episodes is what it was, or that and more."""
        changed = head.size == self._size and head.modified != self._modified
        if changed or head.format != _FORMAT or head.end > self._size:
            return False
        return head.ending == self._ending(head.end)

    def _ending(self, end: int) -> bytes:
        with self._episodes_file.open("rb") as stream:
            stream.seek(max(end - ENDING, 0))
            return hashlib.sha256(stream.read(min(end, ENDING))).digest()

    def _write(self) -> None:
        head = _Head(_FORMAT, self._size, self._modified, self.end, self._ending(self.end))
        # Beside and renamed, so that nobody reads half of it; another process writes its own.
        partial = self._file.with_suffix(f".{os.getpid()}.tmp")
        stream = partial.open("xb")
        try:
            with stream:
                _write_frames(stream, (_encode(head), *self._frames))
            partial.replace(self._file)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


_decode_head = msgspec.msgpack.Decoder(_Head).decode
_decode_block = msgspec.msgpack.Decoder(list[IndexedOutline]).decode
_encode = msgspec.msgpack.Encoder().encode


def _read_frame(stream: IO[bytes]) -> bytes:
    """The content of the next frame; nothing at the end.  Raises ValueError where it is none."""
    start = stream.read(_FRAME.size)
    if len(start) < _FRAME.size:
        return b""
    length, checksum = _FRAME.unpack(start)
    rest = os.fstat(stream.fileno()).st_size - stream.tell()
    if length > rest or crc32(content := stream.read(length)) != checksum:
        raise ValueError("this is no frame")
    return content


def _write_frames(stream: IO[bytes], frames: Iterable[bytes]) -> None:
    for frame in frames:
        stream.write(_FRAME.pack(len(frame), crc32(frame)))
        stream.write(frame)


def _end_of(block: Sequence[EpisodeOutline], start: int) -> int:
    """Where a block's last line ends.  Raises ValueError unless line follows upon line."""
    for outline in block:
        if outline.offset != start or outline.length <= 0:
            raise ValueError("this is no index of lines")
        start += outline.length
    return start
