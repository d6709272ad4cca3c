"""Recognises picture files without metadata, whose bytes can be sent in place of their pixels.

A comment, a colour profile or EXIF data could tell the model more than the pixels, or turn them.
Files that decoders read differently are not plain either. Not checked: the compressed pixels of a
JPEG file may end early, or hold bytes behind the last block, which decoders do not show.
"""

import re
import zlib
from typing import NamedTuple

MOST_BYTES = 512 * 2**10
"""Larger files are not plain. A conversation can hold many, and APIs limit a request's size."""
_MOST_PIXELS = 2**24
"""Larger PNG files are not plain, because the check unpacks them."""


class PlainPicture(NamedTuple):
    """A plain picture file."""

    content: bytes
    media_type: str
    size: tuple[int, int]
    """Width and height in pixels."""
    sha256: str


JPEG_END = b"\xff\xd9"
_JFIF = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01"
_MOST_UNITS = 2
"""Highest code of a unit of the resolution."""
_NO_THUMBNAIL = b"\x00\x00"
_HEAD_BYTES = 20
_QUANTIZATION, _HUFFMAN = 0xDB, 0xC4
_QUANTIZATION_TABLES, _HUFFMAN_TABLES = b"\x00\x01", b"\x00\x01\x10\x11"
"""Numbers of the tables that three colours can use; those of quantization have eight bits."""
_BASELINE = 0xC0
_SCAN = 0xDA
# Eight bits, then height and width, then three components: the luminance in one of the usual
# resolutions, and two colours.
_FRAME = re.compile(rb"\x08.{4}\x03\x01[\x11\x21\x22].\x02\x11.\x03\x11.", re.DOTALL)
_WHOLE_SCAN = re.compile(rb"\x03\x01.\x02.\x03.\x00\x3f\x00", re.DOTALL)
# In compressed pixels, 0xff is followed by zero. Decoders differ in what they do with restart
# markers that are wrong, so files with restart markers are not plain.
_MARKER = re.compile(rb"\xff[^\x00]", re.DOTALL)

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
    if content[_HEAD_BYTES - 2 : _HEAD_BYTES] != _NO_THUMBNAIL or content[13] > _MOST_UNITS:
        return None
    at, frames, kind = _HEAD_BYTES, 0, 0
    tables: list[tuple[int, int]] = []
    while kind != _SCAN:
        marker, body = content[at : at + 2], content[at + 4 : at + 2 + _number(content, at + 2)]
        if len(marker) < 2 or marker[0] != 0xFF:
            return None
        kind = marker[1]
        at += 4 + len(body)
        if kind == _BASELINE:
            frames += 1
        if expected := {_BASELINE: _FRAME, _SCAN: _WHOLE_SCAN}.get(kind):
            usual = expected.fullmatch(body) is not None
        else:
            numbers = _tables_in(kind, body)
            tables += [(kind, number) for number in numbers]
            usual = bool(numbers)
        if not usual:
            return None
    found = _MARKER.search(content, at)
    ends = found is not None and content[found.start() :] == JPEG_END
    once = len({*tables}) == len(tables)
    return content[:at] if ends and frames == 1 and once else None


def _tables_in(kind: int, body: bytes) -> list[int]:
    """Returns the numbers of the tables in a segment of a JPEG file; [] if one is not usual."""
    found, at = [], 0
    while at < len(body):
        number = body[at]
        if kind == _QUANTIZATION and number in _QUANTIZATION_TABLES:
            length = 64
            usual = 0 not in body[at + 1 : at + 1 + length]
        elif kind == _HUFFMAN and number in _HUFFMAN_TABLES:
            length = 16 + sum(body[at + 1 : at + 17])
            usual = length <= 16 + 256
        else:
            return []
        found.append(number)
        at += 1 + length
        if not usual or at > len(body):
            return []
    return found


def is_plain_png(content: bytes) -> bool:
    """Returns whether a PNG file has three colours of eight bits and contains only pixels."""
    if len(content) > MOST_BYTES or not content.startswith(_PNG) or content[24:29] != _RGB8:
        return False
    if not _chunk_is_whole(content, 8):
        return False
    at, chunks = 33, []
    while content[at + 4 : at + 8] == b"IDAT":
        if not _chunk_is_whole(content, at):
            return False
        length = _number(content, at, 4)
        chunks.append(content[at + 8 : at + 8 + length])
        at += 12 + length
    size = _number(content, 16, 4), _number(content, 20, 4)
    return content[at:] == _PNG_END and _are_pixels(b"".join(chunks), *size)


def _are_pixels(packed: bytes, width: int, height: int) -> bool:
    """Returns whether the content of IDAT chunks is one stream that holds the rows and no more."""
    if not packed or width * height > _MOST_PIXELS:
        return False
    rows = height * (1 + 3 * width)
    unpacking = zlib.decompressobj()
    try:
        unpacked = unpacking.decompress(packed, rows + 1)
    except zlib.error:
        return False
    # Some decoders refuse a stream whose window is smaller than the picture.
    window = 256 << (packed[0] >> 4)
    whole = len(unpacked) == rows and unpacking.eof and not unpacking.unused_data
    return whole and window >= min(rows, 2**15)


def _chunk_is_whole(content: bytes, at: int) -> bool:
    """Returns whether the checksum of a chunk is right. Some decoders do not read it, others do."""
    end = at + 8 + _number(content, at, 4)
    return zlib.crc32(content[at + 4 : end]) == _number(content, end, 4) and len(content) > end


def _number(content: bytes, at: int, length: int = 2) -> int:
    return int.from_bytes(content[at : at + length], "big")
