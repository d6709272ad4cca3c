"""Recognises picture files that contain pixels and nothing else.

The bytes of such a file can be shown to a model in place of the decoded pixels. A comment, a colour
profile or EXIF data could tell the model more than the pixels, or turn them. Formats that some
decoders read differently are not plain either.
"""

import re
import zlib
from typing import NamedTuple

MOST_BYTES = 512 * 2**10
"""Larger files are not plain. A conversation can hold many, and APIs limit a request's size."""


class PlainPicture(NamedTuple):
    """A plain picture file."""

    content: bytes
    media_type: str
    size: tuple[int, int]
    """Width and height in pixels."""
    sha256: str


JPEG_END = b"\xff\xd9"
_JFIF = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"
_NO_THUMBNAIL = b"\x00\x00"
_HEAD_BYTES = 20
_TABLES = (0xDB, 0xC4, 0xDD)
"""Quantization tables, Huffman tables, restart interval."""
_BASELINE = 0xC0
_SCAN = 0xDA
# Eight bits, then height and width, then three components: the luminance in one of the usual
# resolutions, and two colours.
_FRAME = re.compile(rb"\x08.{4}\x03\x01[\x11\x21\x22].\x02\x11.\x03\x11.", re.DOTALL)
_WHOLE_SCAN = re.compile(rb"\x03\x01.\x02.\x03.\x00\x3f\x00", re.DOTALL)
# In compressed pixels, 0xff is followed by zero or is a restart marker.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7]", re.DOTALL)

_PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
_RGB8 = b"\x08\x02\x00\x00\x00"
"""Eight bits, three colours, not interlaced."""
_PNG_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"


def jpeg_head(content: bytes) -> bytes | None:
    """Returns everything before the compressed pixels of a plain JPEG file; None for others.

    Plain are baseline files in the colours of JFIF with a single scan, and nothing after their end.
    """
    if len(content) > MOST_BYTES or not content.startswith(_JFIF):
        return None
    if content[_HEAD_BYTES - 2 : _HEAD_BYTES] != _NO_THUMBNAIL:
        return None
    at, frames, kind = _HEAD_BYTES, 0, 0
    while kind != _SCAN:
        marker, body = content[at : at + 2], content[at + 4 : at + 2 + _number(content, at + 2)]
        if len(marker) < 2 or marker[0] != 0xFF:
            return None
        kind = marker[1]
        at += 4 + len(body)
        if kind == _BASELINE:
            frames += 1
        expected = {_BASELINE: _FRAME, _SCAN: _WHOLE_SCAN}.get(kind)
        if not (expected.fullmatch(body) if expected else kind in _TABLES):
            return None
    found = _MARKER.search(content, at)
    ends = found is not None and content[found.start() :] == JPEG_END
    return content[:at] if ends and frames == 1 else None


def is_plain_png(content: bytes) -> bool:
    """Returns whether a PNG file has three colours of eight bits and contains only pixels."""
    if len(content) > MOST_BYTES or not content.startswith(_PNG) or content[24:29] != _RGB8:
        return False
    if not _chunk_is_whole(content, 8):
        return False
    start = at = 33
    while content[at + 4 : at + 8] == b"IDAT":
        if not _chunk_is_whole(content, at):
            return False
        at += 12 + _number(content, at, 4)
    return at > start and content[at:] == _PNG_END


def _chunk_is_whole(content: bytes, at: int) -> bool:
    """Returns whether the checksum of a chunk is right. Some decoders do not read it, others do."""
    end = at + 8 + _number(content, at, 4)
    return zlib.crc32(content[at + 4 : end]) == _number(content, end, 4) and len(content) > end


def _number(content: bytes, at: int, length: int = 2) -> int:
    return int.from_bytes(content[at : at + length], "big")
