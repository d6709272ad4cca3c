"""Pictures for APIs: scaled down, compressed, and cached by `ImagePart.key`."""

import asyncio
import base64
import hashlib
import io
import os
from collections import OrderedDict
from dataclasses import dataclass
from typing import IO, Literal

from PIL import Image

from proactive_agent.providers.messages import (
    ImagePart,
    Request,
    SentImage,
)

ImageFormat = Literal["jpeg", "webp"]
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

    `longest_edge` is in pixels; smaller pictures are not enlarged. `cache_bytes` limits the
    encoded size of the cached pictures.
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
        self._format = image_format
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
        task = self._at_work.get(part.key)
        if task is None:
            task = asyncio.create_task(asyncio.to_thread(self.encode, part))
            self._at_work[part.key] = task
            task.add_done_callback(lambda done: self._keep(part.key, done))
        # Other requests may wait for the same task, so cancelling this one must not stop it.
        return await asyncio.shield(task)

    def encode(self, part: ImagePart) -> Encoded:
        """Scales and compresses one picture."""
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

    def _keep(self, key: str, task: asyncio.Task[Encoded]) -> None:
        self._at_work.pop(key, None)
        if task.cancelled() or task.exception():
            return
        self._cached[key] = task.result()
        self._size += len(task.result().base64)
        while self._size > self._cache_bytes and len(self._cached) > 1:
            _, oldest = self._cached.popitem(last=False)
            self._size -= len(oldest.base64)


def _file_in_memory() -> IO[bytes]:
    """Returns an empty file in memory, on Linux with a descriptor.

    Pillow releases the GIL only while it writes a JPEG to a file with a descriptor.
    """
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("picture"), "w+b")
    return io.BytesIO()
