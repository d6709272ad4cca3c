import asyncio
import base64
import hashlib
import io
import os
import tempfile
import threading
from pathlib import Path
from typing import IO, Any

import pytest
from PIL import Image

from proactive_agent.providers import ImagePart, Request, RequestKey, UserMessage
from proactive_agent.providers.api.encoding import Encoder
from proactive_agent.scenarios import ImageRef, ImageStore, StoredImage
from tests.providers.api_asking import picture


def request(*parts: ImagePart) -> Request:
    return Request(RequestKey("rod", 0, 0), (UserMessage(parts),))


def counted(part: ImagePart) -> tuple[ImagePart, list[int]]:
    """A picture, and a list that grows whenever the picture is loaded."""
    loads: list[int] = []

    def load() -> Image.Image:
        loads.append(1)
        return part.load()

    return ImagePart(part.key, load), loads


@pytest.mark.parametrize(
    ("size", "sent"),
    [((2000, 500), (1000, 250)), ((500, 2000), (250, 1000)), ((64, 48), (64, 48))],
)
def test_pictures_are_scaled_down_and_never_up(
    size: tuple[int, int], sent: tuple[int, int]
) -> None:
    encoded = Encoder(1000, 90, "jpeg").encode(picture(size=size))
    assert encoded.sent.size == sent
    assert Image.open(io.BytesIO(base64.b64decode(encoded.base64))).size == sent


@pytest.mark.parametrize("image_format", ["jpeg", "webp"])
def test_what_is_recorded_is_what_is_sent(image_format: str) -> None:
    encoded = Encoder(1000, 90, image_format).encode(picture())  # type: ignore[arg-type]
    content = base64.b64decode(encoded.base64)
    assert encoded.sent.sha256 == hashlib.sha256(content).hexdigest()
    assert encoded.sent.bytes == len(content)
    assert encoded.sent.media_type == f"image/{image_format}"
    assert Image.open(io.BytesIO(content)).format == image_format.upper()


def test_the_picture_in_the_cache_of_decoded_ones_is_left_alone() -> None:
    part = picture(size=(2000, 500))
    Encoder(100, 90, "jpeg").encode(part)
    assert part.load().size == (2000, 500)


def test_quality_matters() -> None:
    noise = Image.effect_noise((200, 200), 60).convert("RGB")
    part = ImagePart("noise", lambda: noise)
    sizes = [Encoder(1000, q, "jpeg").encode(part).sent.bytes for q in (30, 95)]
    assert sizes[0] < sizes[1]


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs files in memory")
def test_pictures_are_encoded_into_a_file_so_that_other_threads_run_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Pillow holds Python's lock while it writes to a stream without a file descriptor."""
    descriptors: list[int] = []
    save = Image.Image.save

    def watched(image: Image.Image, stream: IO[bytes], *args: Any, **kwargs: Any) -> None:
        descriptors.append(stream.fileno())
        save(image, stream, *args, **kwargs)

    monkeypatch.setattr(Image.Image, "save", watched)
    Encoder(1000, 90, "jpeg").encode(picture())
    assert len(descriptors) == 1


def test_encoding_needs_no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/does/not/exist")
    assert Encoder(1000, 90, "jpeg").encode(picture()).sent.bytes > 0


def test_a_picture_is_encoded_once_also_when_asked_for_at_once() -> None:
    part, loads = counted(picture())
    encoder = Encoder(1000, 90, "jpeg")

    async def ask() -> None:
        await asyncio.gather(*(encoder.pictures(request(part)) for _ in range(20)))
        await encoder.pictures(request(part, part))

    asyncio.run(ask())
    assert len(loads) == 1


def test_the_oldest_pictures_are_forgotten() -> None:
    first, loads = counted(picture("red"))
    encoder = Encoder(1000, 90, "jpeg", cache_bytes=2000)

    async def ask() -> None:
        await encoder.pictures(request(first))
        for colour in ("blue", "green", "black"):
            await encoder.pictures(request(picture(colour)))
        await encoder.pictures(request(first))

    asyncio.run(ask())
    assert len(loads) == 2


def test_one_who_gives_up_does_not_spoil_it_for_another() -> None:
    go = threading.Event()

    def load() -> Image.Image:
        go.wait(10)
        return picture().load()

    part = ImagePart("slow", load)
    encoder = Encoder(1000, 90, "jpeg")

    async def ask() -> int:
        impatient = asyncio.create_task(encoder.pictures(request(part)))
        patient = asyncio.create_task(encoder.pictures(request(part)))
        await asyncio.sleep(0)
        impatient.cancel()
        go.set()
        return len(await patient)

    assert asyncio.run(ask()) == 1


def test_a_picture_that_cannot_be_loaded_is_tried_anew_the_next_time() -> None:
    faults = [OSError("gone")]

    def load() -> Image.Image:
        if faults:
            raise faults.pop()
        return picture().load()

    encoder = Encoder(1000, 90, "jpeg")
    part = ImagePart("shy", load)

    async def ask() -> int:
        with pytest.raises(OSError, match="gone"):
            await encoder.pictures(request(part))
        return len(await encoder.pictures(request(part)))

    assert asyncio.run(ask()) == 1


WHOLE = ImageRef("a")


def stored(folder: Path, ref: ImageRef = WHOLE, **how: Any) -> ImagePart:
    """A picture in a file of 60 x 40 pixels, by default a JPEG file."""
    Image.effect_noise((60, 40), 60).convert(how.pop("mode", "RGB")).save(
        folder / "a", **{"format": "JPEG", **how}
    )
    return ImagePart("a", StoredImage(ImageStore(folder), ref))


def content_of(part: ImagePart, longest_edge: int = 1000, image_format: str = "original") -> bytes:
    """The bytes that are sent of a picture."""
    encoded = Encoder(longest_edge, 90, image_format).encode(part)  # type: ignore[arg-type]
    content = base64.b64decode(encoded.base64)
    with Image.open(io.BytesIO(content)) as image:
        assert (image.size, image.get_format_mimetype()) == (
            encoded.sent.size, encoded.sent.media_type,
        )  # fmt: skip
    assert encoded.sent.sha256 == hashlib.sha256(content).hexdigest()
    assert encoded.sent.bytes == len(content)
    return content


@pytest.mark.parametrize("file_format", ["JPEG", "PNG"])
def test_a_plain_file_is_sent_as_it_is(tmp_path: Path, file_format: str) -> None:
    part = stored(tmp_path, format=file_format)
    assert content_of(part) == (tmp_path / "a").read_bytes()


@pytest.mark.parametrize(
    "part",
    [
        lambda folder: stored(folder, comment=b"an owl"),
        lambda folder: stored(folder, mode="CMYK"),
        lambda folder: stored(folder, mode="RGBA", format="PNG"),
        lambda folder: stored(folder, mode="P", format="PNG"),
        lambda folder: stored(folder, format="WEBP"),
        lambda folder: stored(folder, progressive=True),
        lambda folder: stored(folder, ImageRef("a", (0, 0, 60, 40))),
        lambda folder: stored(folder, ImageRef("a", short_edge=20)),
        lambda folder: picture(),
    ],
    ids=["comment", "CMYK", "RGBA", "palette", "WebP", "progressive", "crop", "scaled", "no file"],
)
def test_other_pictures_are_encoded_as_jpeg_without_anything_else(
    tmp_path: Path, part: Any
) -> None:
    made = part(tmp_path)
    content = content_of(made)
    assert content == content_of(ImagePart("pixels", made.load().copy), image_format="jpeg")
    with Image.open(io.BytesIO(content)) as image:
        assert (image.format, image.mode) == ("JPEG", "RGB")
        assert not {"comment", "exif", "icc_profile"} & set(image.info)


def test_a_plain_file_that_is_too_large_is_scaled(tmp_path: Path) -> None:
    part = stored(tmp_path)
    assert content_of(part, 60) == (tmp_path / "a").read_bytes()
    with Image.open(io.BytesIO(content_of(part, 59))) as image:
        assert image.size == (59, 39)


@pytest.mark.parametrize("image_format", ["jpeg", "webp"])
def test_a_format_that_the_user_chose_holds_for_plain_files(
    tmp_path: Path, image_format: str
) -> None:
    part = stored(tmp_path)
    assert content_of(part, image_format=image_format) != (tmp_path / "a").read_bytes()


@pytest.mark.parametrize("looked", [True, False])
def test_a_plain_file_that_was_looked_at_is_encoded_without_a_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, looked: bool
) -> None:
    part = stored(tmp_path)
    assert isinstance(part.load, StoredImage)
    if looked:
        part.load.store.look(WHOLE)
    threads: list[object] = []
    to_thread = asyncio.to_thread

    async def watched(function: Any, *args: Any) -> Any:
        threads.append(function)
        return await to_thread(function, *args)

    monkeypatch.setattr(asyncio, "to_thread", watched)
    encoder = Encoder(1000, 90, "original")
    pictures = asyncio.run(encoder.pictures(request(part)))
    assert base64.b64decode(pictures[part.key].base64) == (tmp_path / "a").read_bytes()
    assert len(threads) == (not looked)
