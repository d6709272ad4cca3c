"""Sends pictures to workers: as paths of files that the worker also sees, or as Ray objects."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from proactive_agent.disk.regular_file import read_regular
from proactive_agent.providers.messages import (
    AssistantMessage,
    FromFolder,
    ImagePart,
    Message,
    Part,
    Request,
)

Pixels = Any
"""The pixels of a picture: an array of shape (height, width, 3) and type uint8."""

KEPT_BYTES = 256 * 2**20
"""Pixels of pictures that stay in Ray's object store while no request needs them."""
MAX_FILE_BYTES = 512 * 2**20


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A file, its size in bytes and its SHA-256."""

    file: Path
    size: int
    sha256: str

    @classmethod
    def of(cls, file: Path) -> "FileFacts":
        """Reads a file. Raises OSError."""
        content = read_regular(file, MAX_FILE_BYTES)
        return cls(file, len(content), hashlib.sha256(content).hexdigest())

    def match_here(self) -> bool:
        """Returns whether this process finds the same file at the same path."""
        try:
            return FileFacts.of(self.file) == self
        except OSError:
            return False


class PixelStore:
    """Puts each picture into Ray's object store once. Thread-safe.

    The least recently used pictures are dropped when all together exceed `KEPT_BYTES`. Ray keeps
    an object as long as a request in flight refers to it.
    """

    def __init__(self, put: Callable[[Pixels], Any]) -> None:
        self._put = put
        self._kept: OrderedDict[str, tuple[Any, int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def reference(self, part: ImagePart) -> Any:
        """Returns the object reference of a picture. Decodes the picture if it is not kept."""
        with self._lock:
            if found := self._kept.get(part.key):
                self._kept.move_to_end(part.key)
                return found[0]
        pixels = np.asarray(part.load())
        with self._lock:
            if found := self._kept.get(part.key):
                return found[0]
            reference = self._put(pixels)
            self._kept[part.key] = (reference, pixels.nbytes)
            self._bytes += pixels.nbytes
            while self._bytes > KEPT_BYTES and len(self._kept) > 1:
                _, (_, size) = self._kept.popitem(last=False)
                self._bytes -= size
        return reference


@dataclass(frozen=True, slots=True)
class Sent:
    """Placeholder for a picture whose pixels are sent separately from the request."""

    def __call__(self) -> Image.Image:
        """Raises RuntimeError; the worker replaces this object."""
        raise RuntimeError("the pixels of this picture did not arrive")


@dataclass(frozen=True, slots=True)
class _Shown:
    pixels: Pixels

    def __call__(self) -> Image.Image:
        return Image.fromarray(self.pixels)


def without_pixels(request: Request, keys: Mapping[str, object]) -> Request:
    """Returns the request without the sources of the pictures of `keys`."""
    return _replaced(request, dict.fromkeys(keys, Sent()))


def with_loads(request: Request, pixels: Mapping[str, Pixels]) -> Request:
    """Returns the request with these pixels as the sources of its pictures."""
    return _replaced(request, {key: _Shown(one) for key, one in pixels.items()})


def folder_and_file(part: ImagePart) -> tuple[Path, Path] | None:
    """The folder and the file of a picture; None if the picture is not from a folder."""
    return part.load.location() if isinstance(part.load, FromFolder) else None


def _replaced(request: Request, loads: Mapping[str, Callable[[], Image.Image]]) -> Request:
    if not loads:
        return request

    def part(one: Part) -> Part:
        if isinstance(one, ImagePart) and one.key in loads:
            return ImagePart(one.key, loads[one.key])
        return one

    def message(one: Message) -> Message:
        if isinstance(one, AssistantMessage):
            return one
        return replace(one, content=tuple(map(part, one.content)))

    return replace(request, messages=tuple(map(message, request.messages)))
