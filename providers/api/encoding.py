"""Pictures for APIs: sent as they are or scaled down and compressed, cached by `ImagePart.key`."""

import asyncio
import base64
import hashlib
import io
import os
from collections import OrderedDict
from dataclasses import dataclass
from typing import IO, Literal

from PIL import Image

from proactive_agent.disk.plain_picture import PlainPicture
from proactive_agent.providers.messages import (
    FromFile,
    ImagePart,
    Request,
    SentImage,
)

ImageFormat = Literal["original", "jpeg", "webp"]
CACHE_BYTES = 128 * 2**20


@dataclass(frozen=True, slots=True)
class Encoded:
    """An encoded picture."""

    base64: str
    sent: SentImage

    @property
    def data_uri(self) -> str:
        """The picture as a `data:` URI."""
        return f"data:{self.sent.media_type};base64,{self.base64}"


Pictures = dict[str, Encoded]
"""Encoded pictures by `ImagePart.key`."""


class Encoder:
    """Encodes pictures in threads and caches the most recent ones.

    `longest_edge` is in pixels; smaller pictures are not enlarged. With `original`, the bytes of
    plain files are sent, and other pictures become JPEG. `cache_bytes` limits the encoded size of
    the cached pictures.
    """

    def __init__(
        self,
        longest_edge: int,
        quality: int,
        image_format: ImageFormat,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        self._longest_edge = longest_edge
        self._quality = quality
        self._keeps_files = image_format == "original"
        self._format = "jpeg" if image_format == "original" else image_format
        self._cache_bytes = cache_bytes
        self._cached: OrderedDict[str, Encoded] = OrderedDict()
        self._size = 0
        self._at_work: dict[str, asyncio.Task[Encoded]] = {}

    async def pictures(self, request: Request) -> Pictures:
        """Encodes all pictures of a request. Raises the errors of `ImagePart.load`."""
        return {part.key: await self._encoded(part) for part in request.pictures}

    async def _encoded(self, part: ImagePart) -> Encoded:
        if found := self._cached.get(part.key):
            self._cached.move_to_end(part.key)
            return found
        if encoded := self._of_kept_file(part):
            self._keep(part.key, encoded)
            return encoded
        task = self._at_work.get(part.key)
        if task is None:
            task = asyncio.create_task(asyncio.to_thread(self.encode, part))
            self._at_work[part.key] = task
            task.add_done_callback(lambda done: self._done(part.key, done))
        # Other requests may wait for the same task, so cancelling this one must not stop it.
        return await asyncio.shield(task)

    def encode(self, part: ImagePart) -> Encoded:
        """Encodes one picture, which is scaled and compressed unless its file is sent."""
        if self._keeps_files and isinstance(part.load, FromFile):
            plain = part.load.plain_file()
            if plain and self._fits(plain):
                return _as_it_is(plain)
        image = part.load()
        if image.mode != "RGB":
            image = image.convert("RGB")
        if max(image.size) > self._longest_edge:
            image = image.copy()
            image.thumbnail((self._longest_edge,) * 2, Image.Resampling.LANCZOS, reducing_gap=None)
        with _file_in_memory() as file:
            image.save(file, self._format, quality=self._quality)
            file.seek(0)
            content = file.read()
        sent = SentImage(
            hashlib.sha256(content).hexdigest(), f"image/{self._format}", image.size, len(content)
        )
        return Encoded(base64.b64encode(content).decode(), sent)

    def _of_kept_file(self, part: ImagePart) -> Encoded | None:
        """Encodes a file that is in memory, which takes less time than a thread would."""
        if not (self._keeps_files and isinstance(part.load, FromFile)):
            return None
        file = part.load.kept_file()
        return _as_it_is(file) if file and self._fits(file) else None

    def _fits(self, file: PlainPicture) -> bool:
        return max(file.size) <= self._longest_edge

    def _done(self, key: str, task: asyncio.Task[Encoded]) -> None:
        self._at_work.pop(key, None)
        if not task.cancelled() and not task.exception():
            self._keep(key, task.result())

    def _keep(self, key: str, encoded: Encoded) -> None:
        if replaced := self._cached.pop(key, None):
            self._size -= len(replaced.base64)
        self._cached[key] = encoded
        self._size += len(encoded.base64)
        while self._size > self._cache_bytes and len(self._cached) > 1:
            _, oldest = self._cached.popitem(last=False)
            self._size -= len(oldest.base64)


def _as_it_is(file: PlainPicture) -> Encoded:
    sent = SentImage(file.sha256, file.media_type, file.size, len(file.content))
    return Encoded(base64.b64encode(file.content).decode(), sent)


def _file_in_memory() -> IO[bytes]:
    """Returns an empty file in memory, on Linux with a descriptor.

    Pillow releases the GIL only while it writes a JPEG to a file with a descriptor.
    """
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("picture"), "w+b")
    return io.BytesIO()
