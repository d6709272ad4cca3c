"""The pictures of a data folder, decoded and scaled once.

A picture whose file may be shown as it is (`disk/plain_picture.py`) is decoded only if asked for.

Paths cannot lead out of the folder, and only regular files are opened. As in the published code,
EXIF orientation is ignored and every picture is converted to RGB.
"""

import hashlib
import io
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, cast

from PIL import Image, UnidentifiedImageError

from proactive_agent.disk.plain_picture import (
    JPEG_END,
    PlainPicture,
    is_plain_png,
    jpeg_head,
)
from proactive_agent.disk.regular_file import read_regular
from proactive_agent.scenarios.environment import ImageRef
from proactive_agent.scenarios.sample import check_relative

MAX_PIXELS = 89_478_485
"""Larger pictures are refused. This is Pillow's own limit, 256 MiB of RGB values."""

MAX_FILE_BYTES = 512 * 2**20
"""Larger files are refused. An uncompressed picture of `MAX_PIXELS` has half of it."""

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
"""Formats that are opened, for any file name. Pillow knows about forty. Its decoder of EPS starts
Ghostscript, and most of the others are rarely tested."""

CACHE_BYTES = 256 * 2**20


class ImageError(Exception):
    """A picture cannot be shown. The message names its path inside the data folder."""


class Picture(NamedTuple):
    """A picture as the model sees it."""

    image: Image.Image
    """RGB, cropped and scaled."""
    sha256: str
    """Hash of the whole file."""


class SeenPicture(NamedTuple):
    """Facts about a picture. A request may wait for long, so its pixels are not kept."""

    size: tuple[int, int]
    """Width and height as the model sees it, in pixels."""
    sha256: str
    """Hash of the whole file."""


class Kept(NamedTuple):
    """A picture in the cache of a store."""

    image: Image.Image | None
    """None until it is decoded, which only a plain file can wait for."""
    sha256: str
    plain: PlainPicture | None
    """The file, if it is shown whole and may be shown as it is."""

    @property
    def bytes(self) -> int:
        pixels = self.image.width * self.image.height if self.image else 0
        return pixels * 3 + (len(self.plain.content) if self.plain else 0)


class ImageStore:
    """Opens the pictures of one data folder and caches the most recent ones. Thread-safe.

    A pickled store is its folder and the size of its cache. All stores of a folder that a process
    unpickles are one store, so that they share the cache.
    """

    def __init__(self, root: Path, cache_bytes: int = CACHE_BYTES) -> None:
        self.root = root.resolve()
        self.cache_bytes = cache_bytes
        self.decodes = 0
        """Number of files decoded so far."""
        self._cache: OrderedDict[ImageRef, Kept] = OrderedDict()
        self._cached_bytes = 0
        self._lock = threading.Lock()

    def open(self, ref: ImageRef) -> Picture:
        """Returns the picture of a reference. Raises ImageError."""
        if ref.crop is None or _is_scaled(ref):
            return self._decoded(ref)
        # Cropping is faster than a cache lookup.
        picture = self._decoded(ImageRef(ref.path))
        return Picture(picture.image.crop(crop_box(ref.path, ref.crop)), picture.sha256)

    def look(self, ref: ImageRef) -> SeenPicture:
        """Returns the facts about a picture. Raises ImageError if `open` would."""
        if file := self.plain_file(ref):
            return SeenPicture(file.size, file.sha256)
        picture = self.open(ref)
        return SeenPicture(picture.image.size, picture.sha256)

    def plain_file(self, ref: ImageRef) -> PlainPicture | None:
        """Returns the file of a picture, or None if it cannot be shown as it is.

        Raises ImageError if it cannot be shown at all.
        """
        return self._found(ref).plain if ref == ImageRef(ref.path) else None

    def kept_file(self, ref: ImageRef) -> PlainPicture | None:
        """Returns `plain_file` if it is in the cache, else None. Reads no file."""
        with self._lock:
            kept = self._cache.get(ref)
        return kept.plain if kept else None

    def __reduce__(self) -> tuple[Callable[[Path, int], "ImageStore"], tuple[Path, int]]:
        return _unpickled_store, (self.root, self.cache_bytes)

    def resolve(self, path: str) -> Path:
        """Returns the file of a path. Raises ImageError if it is outside the data folder."""
        if problem := check_relative(path):
            raise ImageError(problem)
        try:
            file = (self.root / path).resolve()
        except (OSError, ValueError, RuntimeError) as error:
            raise ImageError(f"{path}: {error}") from None
        if not file.is_relative_to(self.root):
            raise ImageError(f"path {path!r} leads outside the data folder")
        return file

    def _decoded(self, ref: ImageRef) -> Picture:
        """Returns a whole or scaled picture, from the cache if possible."""
        kept = self._found(ref)
        if kept.image is not None:
            return Picture(kept.image, kept.sha256)
        file = cast("PlainPicture", kept.plain)  # Only a plain file waits to be decoded.
        image = decode(file.content, ref.path)
        with self._lock:
            self.decodes += 1
            self._keep(ref, kept._replace(image=image))
        return Picture(image, kept.sha256)

    def _found(self, ref: ImageRef) -> Kept:
        with self._lock:
            if kept := self._cache.get(ref):
                self._cache.move_to_end(ref)
                return kept
        scaled = _is_scaled(ref)
        kept = self._scale(ref) if scaled else self._read(ref.path)
        with self._lock:
            self.decodes += not scaled and kept.image is not None
            self._keep(ref, kept)
        return kept

    def _keep(self, ref: ImageRef, kept: Kept) -> None:
        """Puts a picture into the cache. The caller holds the lock."""
        if replaced := self._cache.pop(ref, None):
            self._cached_bytes -= replaced.bytes
        self._cache[ref] = kept
        self._cached_bytes += kept.bytes
        while self._cached_bytes > self.cache_bytes and len(self._cache) > 1:
            _, oldest = self._cache.popitem(last=False)
            self._cached_bytes -= oldest.bytes

    def _scale(self, ref: ImageRef) -> Kept:
        picture = self.open(ref._replace(short_edge=None, like=None))
        size = picture.image.size
        if ref.like is not None:
            size = self.open(ref.like).image.size
        if ref.short_edge is not None:
            size = scaled_size(ref.path, size, ref.short_edge)
        return Kept(picture.image.resize(size), picture.sha256, None)

    def _read(self, path: str) -> Kept:
        file = self.resolve(path)
        try:
            content = read_regular(file, MAX_FILE_BYTES)
        except OSError as error:
            raise ImageError(f"{path}: {error.strerror}") from None
        sha256 = hashlib.sha256(content).hexdigest()
        if size := _plain_jpeg_size(content):
            return Kept(None, sha256, PlainPicture(content, "image/jpeg", size, sha256))
        image = decode(content, path)
        plain = is_plain_png(content)
        kept_file = PlainPicture(content, "image/png", image.size, sha256) if plain else None
        return Kept(image, sha256, kept_file)


@lru_cache(maxsize=4)
def _unpickled_store(root: Path, cache_bytes: int) -> ImageStore:
    return ImageStore(root, cache_bytes)


@dataclass(frozen=True, slots=True)
class StoredImage:
    """Opens one picture of a store. As data it is the data folder and the reference, so that a
    request can travel to another process without its pixels."""

    store: ImageStore
    ref: ImageRef

    def __call__(self) -> Image.Image:
        """Returns the picture in RGB. Raises ImageError."""
        return self.store.open(self.ref).image

    def location(self) -> tuple[Path, Path]:
        """Returns the data folder and the picture's file. Raises ImageError if it is outside."""
        return self.store.root, self.store.resolve(self.ref.path)

    def plain_file(self) -> PlainPicture | None:
        """Returns the picture's file if it can be shown as it is. Raises ImageError."""
        return self.store.plain_file(self.ref)

    def kept_file(self) -> PlainPicture | None:
        """Returns `plain_file` if it is in memory, else None. Reads no file."""
        return self.store.kept_file(self.ref)


def _is_scaled(ref: ImageRef) -> bool:
    return ref.short_edge is not None or ref.like is not None


def crop_box(path: str, crop: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
    """Returns the pixel box of a crop. Raises ImageError, naming `path`, if it is empty or too
    large."""
    left, upper, right, lower = (round(edge) for edge in crop)
    if right <= left or lower <= upper:
        raise ImageError(f"{path}: the crop {list(crop)} contains no pixel")
    if (right - left) * (lower - upper) > MAX_PIXELS:
        raise ImageError(f"{path}: the crop {list(crop)} is too large")
    return left, upper, right, lower


def scaled_size(path: str, size: tuple[int, int], short_edge: int) -> tuple[int, int]:
    """Returns width and height for a short edge. Raises ImageError if they are too large."""
    # As published, fractions of a pixel are cut off, even for the shorter edge.
    scale = short_edge / min(size)
    width, height = (max(1, int(side * scale)) for side in size)
    if width * height > MAX_PIXELS:
        raise ImageError(f"{path}: {width} x {height} pixels exceed the limit of {MAX_PIXELS:,}")
    return width, height


def _plain_jpeg_size(content: bytes) -> tuple[int, int] | None:
    """Returns width and height of a plain JPEG file that `decode` would accept; None for others.

    libjpeg accepts any compressed pixels, and refuses wrong tables. All tables are in the head, so
    only the head is decoded, at an eighth of the size.
    """
    head = jpeg_head(content)
    if head is None:
        return None
    try:
        image = check_format(head + JPEG_END, "")
        size = image.size
        image.draft("L", (1, 1))
        image.load()
    except Exception:  # as in `loaded`; `decode` finds the same fault and names the file
        return None
    return size


def decode(content: bytes, path: str) -> Image.Image:
    """Decodes the bytes of a file to an RGB picture. Raises ImageError, naming `path`."""
    image = loaded(content, path).convert("RGB")
    image.info.clear()  # Pillow would write a comment or a profile into a copy of the picture.
    return image


def loaded(content: bytes, path: str) -> Image.Image:
    """Decodes the bytes of a file in its own mode. Raises ImageError, naming `path`."""
    image = check_format(content, path)
    try:
        image.load()
    except Exception as error:  # Pillow's decoders raise many types for broken files
        raise _unreadable(path, error) from None
    return image


def check_format(content: bytes, path: str) -> Image.Image:
    """Reads the head of a picture. Raises ImageError for other formats and for too many pixels."""
    try:
        image: Image.Image = Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError:
        known = ", ".join(FORMATS)
        raise ImageError(f"{path}: not a picture in one of the formats {known}") from None
    except Exception as error:  # as in `loaded`
        raise _unreadable(path, error) from None
    if image.width * image.height > MAX_PIXELS:
        raise ImageError(
            f"{path}: {image.width} x {image.height} pixels exceed the limit of {MAX_PIXELS:,}"
        )
    return image


def _unreadable(path: str, error: Exception) -> ImageError:
    return ImageError(f"{path}: not a readable picture ({type(error).__name__}: {error})")
