"""Pictures from someone else: their format is checked, and only regular files are opened."""

import io
import os
import socket
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import EpsImagePlugin, Image

from proactive_agent.cli.app import cli
from proactive_agent.disk.regular_file import open_regular
from proactive_agent.scenarios.environment import ImageRef
from proactive_agent.scenarios.images import FORMATS, MAX_FILE_BYTES, ImageError, ImageStore
from tests.hostile.attacking import named, no_stall, refusal
from tests.hostile.test_data_folders import ordinary
from tests.scenarios.builder.material import photo_folder
from tests.scenarios.official_layout import write_samples

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n"


def stored(name: str) -> bytes:
    """A small picture in one of Pillow's formats."""
    buffer = io.BytesIO()
    Image.new("RGB", (9, 9), "red").save(buffer, name)
    return buffer.getvalue()


def chunk(name: bytes, content: bytes) -> bytes:
    checked = name + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))


def png(width: int, height: int, *chunks: bytes) -> bytes:
    """A PNG that declares a size, whatever its chunks hold."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks)


CUT = chunk(b"IDAT", b"x")

CONTENTS: list[tuple[str, Callable[[], bytes], str]] = [
    # name, content, message
    ("EPS, which starts Ghostscript", lambda: EPS, "not a picture in one of the formats JPEG"),
    ("TIFF", lambda: stored("TIFF"), "not a picture in one of"),
    ("ICNS", lambda: stored("ICNS"), "not a picture in one of"),
    ("PPM", lambda: stored("PPM"), "not a picture in one of"),
    ("SGI", lambda: stored("SGI"), "not a picture in one of"),
    ("nothing", lambda: b"", "not a picture in one of"),
    ("SVG", lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture in one of"),
    ("a bomb", lambda: png(60_000, 60_000, CUT), "DecompressionBombError"),
    ("just too many pixels", lambda: png(10_000, 9_000, CUT), "10000 x 9000 pixels exceed"),
    ("no pixels", lambda: png(0, 0, CUT), "not a "),
    ("pixels cut off", lambda: png(9, 9, CUT), "not a readable picture"),
    (
        "a text bomb",
        lambda: png(9, 9, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(10**7))), CUT),
        "not a ",
    ),
    ("half a WebP", lambda: stored("WEBP")[:30], "not a"),
    ("half a GIF", lambda: stored("GIF")[:-9], "not a readable picture"),
]


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(("content", "told"), named(CONTENTS))
def test_a_content_that_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: Callable[[], bytes],
    told: str,
) -> None:
    def never(*_: object, **__: object) -> None:
        pytest.fail("Ghostscript would have been started")

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", never)
    (tmp_path / "x.webp").write_bytes(content())
    with no_stall(), pytest.raises(ImageError, match=told):
        ImageStore(tmp_path).open(ImageRef("x.webp"))


@pytest.mark.parametrize("name", FORMATS)
def test_the_formats_are_read_whatever_the_file_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "x.bin").write_bytes(stored(name))
    assert ImageStore(tmp_path).open(ImageRef("x.bin")).image.size == (9, 9)


def bound_socket(file: Path) -> None:
    # A socket's path is short, so it is bound from inside its folder.
    here = Path.cwd()
    os.chdir(file.parent)
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(file.name)
    finally:
        os.chdir(here)


FILES: list[tuple[str, Callable[[Path], object], str]] = [
    ("pipe", os.mkfifo, "not a regular file"),
    ("socket", bound_socket, "No such device or address|not a regular file"),
    ("folder", Path.mkdir, "not a regular file|directory"),
    ("link to a device", lambda file: file.symlink_to("/dev/zero"), "leads outside"),
    ("link to itself", lambda file: file.symlink_to(file.name), "x.png"),
    ("link to nothing", lambda file: file.symlink_to("none.png"), "No such file"),
]


@pytest.mark.skipif(sys.platform == "win32", reason="no such files")
@pytest.mark.parametrize(("make", "told"), named(FILES))
def test_a_file_that_is_none_is_refused_at_once(
    tmp_path: Path, make: Callable[[Path], object], told: str
) -> None:
    make(tmp_path / "x.png")
    with no_stall(), pytest.raises(ImageError, match=told):
        ImageStore(tmp_path).open(ImageRef("x.png"))


def test_a_device_is_refused() -> None:
    with no_stall(), pytest.raises(OSError, match="not a regular file"):
        open_regular(Path(os.devnull))


def test_a_file_of_a_terabyte_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "x.png").open("wb") as stream:
        stream.truncate(10**12)  # a hole: it takes no space
    with no_stall(), pytest.raises(ImageError, match=f"larger than {MAX_FILE_BYTES:,} bytes"):
        ImageStore(tmp_path).open(ImageRef("x.png"))


@pytest.mark.skipif(sys.platform == "win32", reason="no such files")
def test_build_leaves_out_files_that_are_no_pictures_in_its_processes(tmp_path: Path) -> None:
    photos = photo_folder(tmp_path / "photos")
    os.mkfifo(photos / "kettle" / "pipe.png")
    (photos / "kettle" / "eps.png").write_bytes(EPS)
    (photos / "kettle" / "endless.png").symlink_to("/dev/zero")
    command = ["build", photos, "--scenario", "rod", "--out", tmp_path / "out", "--workers", 2]
    with no_stall(120):
        done = CliRunner().invoke(cli, [str(word) for word in command])
    assert done.exit_code == 0, done.output
    left_out = [line for line in done.stderr.splitlines() if "left out" in line]
    assert len(left_out) == 3, left_out
    for name, reason in (
        ("pipe.png", "not a regular file"),
        ("eps.png", "not a picture in one of the formats"),
        ("endless.png", "leads outside"),
    ):
        assert any(name in line and reason in line for line in left_out)


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes")
def test_verify_reports_a_pipe(tmp_path: Path) -> None:
    write_samples(tmp_path, "coco", [ordinary("coco", image_template="x.png")])
    os.mkfifo(tmp_path / "x.png")
    assert "x.png: not a regular file" in refusal("data", "verify", tmp_path, exit_code=1)
