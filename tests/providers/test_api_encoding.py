import asyncio
import base64
import hashlib
import io
import os
import tempfile
import threading
from typing import IO, Any

import pytest
from PIL import Image

from proactive_agent.providers import ImagePart, Request, RequestKey, UserMessage
from proactive_agent.providers.api.encoding import Encoder
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
