"""`episodes.index`: the outlines of a large `episodes.jsonl`, so that it is scanned only once.

The index is a cache. It is ignored and replaced if it does not match the episodes: if they were
rewritten, or if the index is torn, foreign or from another version. If the folder is not writable,
no index is made.

The file is a sequence of frames. A frame is the length and the CRC-32 of its content, four bytes
each, then the content in MessagePack. The first frame is a `_Head`; each other frame is a list of
outlines, in the order of the lines.
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

from proactive_agent.disk.regular_file import open_regular
from proactive_agent.disk.whole_files import written_aside
from proactive_agent.records.outline import EpisodeOutline, IndexedOutline, LineOutline
from proactive_agent.tools import NotWrittenError

WORTH = 1 << 24
"""Number of unindexed bytes that makes an index worth writing; scanning them takes about 0.1 s."""

BLOCK = 1000
"""Outlines per frame."""

ENDING = 1 << 16
"""Number of bytes at the end of the indexed part whose digest shows if the file was rewritten."""

_FRAME = Struct("<II")
_FORMAT = hashlib.sha256(json.dumps(msgspec.json.schema(LineOutline)).encode()).hexdigest()
"""Changes whenever the fields of outlines change."""


class _Head(msgspec.Struct, array_like=True):
    """Identifies the indexed file and the end of its indexed part."""

    format: str
    size: int
    """Size of `episodes.jsonl` in bytes when it was indexed."""
    modified: int
    """Modification time of `episodes.jsonl` when it was indexed, in nanoseconds."""
    end: int
    """Offset in bytes of the first line that is not indexed."""
    ending: bytes
    """Digest of the bytes before `end`."""


class EpisodeIndex:
    """Reads the index of a run, then extends it by the lines that it does not cover."""

    def __init__(self, file: Path, episodes_file: Path, *, keep: bool) -> None:
        """`keep` keeps the frames in memory, so that the index can be extended and written."""
        self._file, self._episodes_file, self._keep = file, episodes_file, keep
        self._size = self._modified = 0
        self._frames: list[bytes] = []
        self.end = 0
        """Offset in bytes of the first line that was not in the index."""

    def read(self) -> Iterator[EpisodeOutline]:
        """Yields the outlines of the index, none if it does not match the episodes."""
        # A damaged index is never an error: the episodes are then read without it.
        with suppress(OSError, ValueError, RecursionError):
            found = self._episodes_file.stat()
            self._size, self._modified = found.st_size, found.st_mtime_ns
            with open_regular(self._file) as stream:
                if not self._fits(_decode_head(_read_frame(stream))):
                    return
                while frame := _read_frame(stream):
                    block = _decode_block(frame)
                    self.end = _end_of(block, self.end)
                    if self._keep:
                        self._frames.append(frame)
                    yield from block

    def extended_by(self, lines: Iterator[EpisodeOutline]) -> Iterator[EpisodeOutline]:
        """Yields the lines that follow; writes the index after the last if that saves enough."""
        worth_it = self._size - self.end >= WORTH
        while block := list(islice(lines, BLOCK)):
            if worth_it:
                try:
                    self._frames.append(_encode(block))
                except OverflowError:  # MessagePack has integers of 64 bits only
                    worth_it = False
            yield from block
            self.end = block[-1].offset + block[-1].length
        if worth_it:
            with suppress(NotWrittenError):
                self._write()

    def _fits(self, head: _Head) -> bool:
        """Whether the file of episodes is unchanged or was only appended to."""
        changed = head.size == self._size and head.modified != self._modified
        if changed or head.format != _FORMAT or head.end > self._size:
            return False
        return head.ending == self._ending(head.end)

    def _ending(self, end: int) -> bytes:
        with open_regular(self._episodes_file) as stream:
            stream.seek(max(end - ENDING, 0))
            return hashlib.sha256(stream.read(min(end, ENDING))).digest()

    def _write(self) -> None:
        head = _Head(_FORMAT, self._size, self._modified, self.end, self._ending(self.end))
        with written_aside(self._file) as partial, partial.open("wb") as stream:
            _write_frames(stream, (_encode(head), *self._frames))


_decode_head = msgspec.msgpack.Decoder(_Head).decode
_decode_block = msgspec.msgpack.Decoder(list[IndexedOutline]).decode
_encode = msgspec.msgpack.Encoder().encode


def _read_frame(stream: IO[bytes]) -> bytes:
    """Returns the content of the next frame, empty at the end. Raises ValueError if damaged."""
    start = stream.read(_FRAME.size)
    if len(start) < _FRAME.size:
        return b""
    length, checksum = _FRAME.unpack(start)
    rest = os.fstat(stream.fileno()).st_size - stream.tell()
    if length > rest or crc32(content := stream.read(length)) != checksum:
        raise ValueError("damaged frame")
    return content


def _write_frames(stream: IO[bytes], frames: Iterable[bytes]) -> None:
    for frame in frames:
        stream.write(_FRAME.pack(len(frame), crc32(frame)))
        stream.write(frame)


def _end_of(block: Sequence[EpisodeOutline], start: int) -> int:
    """Returns the byte at which a block ends. Raises ValueError if its lines leave gaps."""
    for outline in block:
        if outline.offset != start or outline.length <= 0:
            raise ValueError("the lines of the index leave gaps")
        start += outline.length
    return start
