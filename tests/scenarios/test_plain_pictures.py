"""Picture files that are shown as they are: which ones, and that checking them misses no fault."""

import hashlib
import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from proactive_agent.disk.plain_picture import MOST_BYTES
from proactive_agent.scenarios.environment import ImageRef
from proactive_agent.scenarios.images import ImageError, ImageStore

SIZE = (40, 30)
NOISE = Image.merge("RGB", [Image.effect_noise(SIZE, 80) for _ in range(3)])
WHOLE = ImageRef("a")


def encoded(name: str, image: Image.Image = NOISE, **how: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, name, **how)
    return buffer.getvalue()


def jpeg(**how: Any) -> bytes:
    return encoded("JPEG", **how)


def png(**how: Any) -> bytes:
    return encoded("PNG", **how)


def exif() -> Image.Exif:
    made = Image.Exif()
    made[0x0112] = 6  # turned
    return made


def segment(kind: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, kind, len(body) + 2) + body


def with_segment(kind: int, body: bytes) -> bytes:
    """A JPEG file with one more segment behind that of JFIF."""
    content = jpeg()
    return content[:20] + segment(kind, body) + content[20:]


def chunk(name: bytes, content: bytes) -> bytes:
    checked = name + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))


def with_chunk(name: bytes, content: bytes) -> bytes:
    """A PNG file with one more chunk before its pixels."""
    whole = png()
    return whole[:33] + chunk(name, content) + whole[33:]


def own_png(depth: int, pixels: bytes, interlaced: int = 0) -> bytes:
    """A PNG file of one pixel in RGB."""
    head = struct.pack(">IIBBBBB", 1, 1, depth, 2, 0, 0, interlaced)
    chunks = (b"IHDR", head), (b"IDAT", zlib.compress(b"\0" + pixels)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*one) for one in chunks)


def with_stream(chunks: Callable[[bytes], list[bytes]]) -> bytes:
    """A PNG file whose compressed pixels are put into other chunks."""
    whole = png()
    at, packed = 33, b""
    while whole[at + 4 : at + 8] == b"IDAT":
        length = int.from_bytes(whole[at : at + 4], "big")
        packed += whole[at + 8 : at + 8 + length]
        at += 12 + length
    return whole[:33] + b"".join(chunk(b"IDAT", one) for one in chunks(packed)) + whole[at:]


def changed(content: bytes, at: int, byte: int) -> bytes:
    return content[:at] + bytes([byte]) + content[at + 1 :]


PLAIN: dict[str, Callable[[], bytes]] = {
    "JPEG": jpeg,
    "JPEG of full quality and resolution": lambda: jpeg(quality=100, subsampling=0),
    "JPEG with half the colours in one direction": lambda: jpeg(subsampling=1),
    "JPEG with its own tables": lambda: jpeg(optimize=True),
    "PNG": png,
    "PNG of one pixel": lambda: own_png(8, b"abc"),
    "PNG in two chunks": lambda: with_stream(lambda packed: [packed[:9], b"", packed[9:]]),
}
OTHER: dict[str, Callable[[], bytes]] = {
    "JPEG with EXIF data": lambda: jpeg(exif=exif()),
    "JPEG with XMP data": lambda: jpeg(xmp=b"<x/>"),
    "JPEG with a profile": lambda: jpeg(
        icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    ),
    "JPEG with a comment": lambda: jpeg(comment=b"an owl"),
    "JPEG with Photoshop's data": lambda: with_segment(0xED, b"Photoshop 3.0\0"),
    "JPEG with Adobe's colours": lambda: with_segment(0xEE, b"Adobe\0\x64\0\0\0\0\0"),
    "JPEG with a second JFIF segment": lambda: with_segment(0xE0, b"JFXX\0\x13\1\1abc"),
    "JPEG with a thumbnail": lambda: changed(jpeg(), 18, 1),
    "progressive JPEG": lambda: jpeg(progressive=True),
    "JPEG in CMYK": lambda: encoded("JPEG", NOISE.convert("CMYK")),
    "JPEG in grey": lambda: encoded("JPEG", NOISE.convert("L")),
    "JPEG with restart markers": lambda: jpeg(restart_marker_rows=1),
    "JPEG with a stray restart marker": lambda: jpeg()[:-2] + b"\xff\xd0\xff\xd9",
    "JPEG with a restart interval but no marker": lambda: with_segment(0xDD, b"\0\4"),
    "JPEG with text in a table that no colour uses": lambda: with_segment(0xDB, b"\3" + b"a" * 64),
    "JPEG with a table twice": lambda: with_segment(0xDB, b"\0" + b"a" * 64),
    "JPEG with text in its version": lambda: jpeg()[:11] + b"yes, it" + jpeg()[18:],
    "JPEG with text as its unit": lambda: changed(jpeg(), 13, ord("y")),
    "JPEG with something behind its end": lambda: jpeg() + b"an owl",
    "JPEG with a JPEG behind its end": lambda: jpeg() + jpeg(),
    "PNG with a text": lambda: with_chunk(b"tEXt", b"Title\0an owl"),
    "PNG with a text, by Pillow": lambda: png(pnginfo=_text()),
    "PNG with EXIF data": lambda: png(exif=exif()),
    "PNG with a brightness": lambda: with_chunk(b"gAMA", struct.pack(">I", 45455)),
    "PNG with a transparent colour": lambda: png(transparency=(1, 2, 3)),
    "PNG with transparency": lambda: encoded("PNG", NOISE.convert("RGBA")),
    "PNG with a palette": lambda: encoded("PNG", NOISE.convert("P")),
    "PNG in grey": lambda: encoded("PNG", NOISE.convert("L")),
    "PNG of 16 bits": lambda: own_png(16, b"abcdef"),
    "interlaced PNG": lambda: own_png(8, b"abc", 1),
    "PNG with something behind its end": lambda: png() + b"an owl",
    "PNG with a wrong checksum of its pixels": lambda: changed(png(), len(png()) - 13, 0),
    "PNG with text behind its pixels": lambda: with_stream(lambda packed: [packed + b"an owl"]),
    "PNG with text in another chunk": lambda: with_stream(lambda packed: [packed, b"an owl"]),
    "PNG with a stream behind its pixels": lambda: with_stream(lambda packed: [packed, packed]),
    "PNG with more rows than its height": lambda: with_stream(
        lambda packed: [zlib.compress(zlib.decompress(packed) + b"an owl")]
    ),
    "PNG with a window smaller than its rows": lambda: with_stream(
        lambda packed: [b"\x08\x1d" + packed[2:]]
    ),
    "animated PNG": lambda: png(save_all=True, append_images=[NOISE.rotate(90)]),
    "WebP": lambda: encoded("WEBP"),
    "GIF": lambda: encoded("GIF"),
    "a large PNG": lambda: encoded("PNG", Image.effect_noise((1200, 900), 90).convert("RGB")),
}  # fmt: skip
BROKEN: dict[str, Callable[[], bytes]] = {
    "JPEG cut off in its pixels": lambda: jpeg()[:-50],
    "JPEG without its end": lambda: jpeg()[:-2],
    "JPEG cut off in its head": lambda: jpeg()[:300],
    "JPEG of no size": lambda: jpeg().replace(b"\0\x11\x08\0\x1e\0\x28", b"\0\x11\x08\0\0\0\x28"),
    "JPEG without Huffman tables": lambda: jpeg().replace(b"\xff\xc4", b"\xff\xdb"),
    "JPEG with a wrong Huffman table": lambda: jpeg().replace(
        b"\xff\xc4\0\x1f\0\0\1\5", b"\xff\xc4\0\x1f\0\xff\1\5"
    ),
    "JPEG without its first quantization table": lambda: jpeg().replace(
        b"\xff\xdb\0\x43\0", b"\xff\xdb\0\x43\3"
    ),
    "PNG cut off": lambda: png()[:-60],
    "PNG with damaged pixels": lambda: with_chunk(b"IDAT", b"an owl"),
}


def _text() -> PngInfo:
    info = PngInfo()
    info.add_text("Title", "an owl")
    return info


def store(folder: Path, content: bytes) -> ImageStore:
    (folder / "a").write_bytes(content)
    return ImageStore(folder)


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_file_is_shown_as_it_is(tmp_path: Path, name: str) -> None:
    content = PLAIN[name]()
    file = store(tmp_path, content).plain_file(WHOLE)
    assert file is not None
    assert file.content == content
    assert file.sha256 == hashlib.sha256(content).hexdigest()
    with Image.open(io.BytesIO(content)) as image:
        assert (file.size, file.media_type) == (image.size, image.get_format_mimetype())


@pytest.mark.parametrize("name", OTHER)
def test_another_file_is_not(tmp_path: Path, name: str) -> None:
    content = OTHER[name]()
    opened = store(tmp_path, content)
    assert opened.plain_file(WHOLE) is None
    assert opened.look(WHOLE).size == opened.open(WHOLE).image.size


def test_the_large_file_is_refused_for_its_size_alone() -> None:
    assert len(OTHER["a large PNG"]()) > MOST_BYTES


@pytest.mark.parametrize("ref", [
    WHOLE._replace(crop=(0, 0, *SIZE)), WHOLE._replace(short_edge=30), WHOLE._replace(like=WHOLE),
])  # fmt: skip
def test_a_crop_or_scaled_picture_is_not(tmp_path: Path, ref: ImageRef) -> None:
    assert store(tmp_path, jpeg()).plain_file(ref) is None


@pytest.mark.parametrize("name", BROKEN)
def test_looking_at_a_broken_file_is_the_error_of_opening_it(tmp_path: Path, name: str) -> None:
    opened = store(tmp_path, BROKEN[name]())
    with pytest.raises(ImageError) as opening:
        opened.open(WHOLE)
    with pytest.raises(ImageError) as looking:
        opened.look(WHOLE)
    assert str(looking.value) == str(opening.value)


@pytest.mark.parametrize("name", PLAIN)
def test_looking_sees_what_opening_shows(tmp_path: Path, name: str) -> None:
    opened = store(tmp_path, PLAIN[name]())
    seen, picture = opened.look(WHOLE), opened.open(WHOLE)
    assert (seen.size, seen.sha256) == (picture.image.size, picture.sha256)
    assert picture.image.mode == "RGB"


def test_looking_at_a_plain_jpeg_decodes_nothing(tmp_path: Path) -> None:
    opened = store(tmp_path, jpeg())
    opened.look(WHOLE)
    opened.plain_file(WHOLE)
    assert opened.decodes == 0


def test_a_file_is_read_once_whatever_is_shown_of_it(tmp_path: Path) -> None:
    opened = store(tmp_path, jpeg())
    opened.look(WHOLE)
    (tmp_path / "a").unlink()
    assert opened.open(WHOLE).image.size == SIZE
    assert opened.plain_file(WHOLE) is not None
    assert opened.decodes == 1


@given(
    name=st.sampled_from(sorted(PLAIN)),
    places=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_a_damaged_file_that_counts_as_plain_can_be_decoded(
    tmp_path_factory: pytest.TempPathFactory, name: str, places: list[tuple[float, int]]
) -> None:
    content = PLAIN[name]()
    for place, byte in places:
        content = changed(content, int(place * min(len(content), 900)), byte)
    opened = store(tmp_path_factory.mktemp("damaged"), content)
    try:
        file = opened.plain_file(WHOLE)
    except ImageError:
        return
    if file is not None:
        image = opened.open(WHOLE).image
        assert (image.size, image.mode) == (file.size, "RGB")
