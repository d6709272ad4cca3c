"""The pack: rendered things, rooms, covers and sketches, from which fresh scenes are composed.

A pack is a folder with three files. `index.json` describes everything, `pictures.zip` holds the
pictures as WebP files, and `CREDITS.md` names the authors of the models. `load_pack` reads the pack
that ships with the program; `scenarios/suite_build/fresh` makes it.

The index is read at once, and each picture at its first use. Nothing is decoded on import.
"""

import hashlib
import io
import threading
import zipfile
from collections import OrderedDict
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec
from PIL import Image

from proactive_agent.disk.regular_file import read_regular

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels: TypeAlias = NDArray[np.uint8]

from proactive_agent.tools import UserError

SHIPPED = Path(__file__).parent / "pack"

FORMAT = 1
"""Version of the pack's format. A pack of another format is refused."""

SHADOW_REACH = 1.6
"""Side of a shadow picture, measured in sides of its cut-out. Both have the same centre."""

STROKE_UNIT = 100
"""Coordinates of a stroke are in hundredths of a unit. A sketch is 24 units wide and high."""

SKETCH_SIDE = 24 * STROKE_UNIT
"""Width and height of a sketch, in the coordinates of its strokes."""

CACHE_BYTES = 128 * 2**20

ViewKind = Literal["three-quarter", "other-three-quarter", "front"]
Light = Literal["day"]

Box: TypeAlias = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels; right and bottom are outside."""


class PackError(UserError):
    """A pack cannot be read. The message names the file."""


class _Record(msgspec.Struct, frozen=True):
    """A part of the index."""


class View(_Record, frozen=True):
    """A cut-out: a model in one pose on transparency, lit from the left."""

    kind: ViewKind
    light: Light
    """The same for all views. Scenes vary the light when they are composed."""
    file: str
    """A square RGBA picture."""
    box: Box
    """The smallest box with all pixels that are not transparent."""
    shadow: str | None = None
    """The shadow on the floor: a square grey picture, 255 where it is darkest. Values up to 4 mean
    no shadow, because WebP is lossy."""


class ThingModel(_Record, frozen=True):
    """A 3D model of a thing."""

    key: str
    """Library and name, for example `Scopia/cat`."""
    title: str
    creator: str
    licence: str
    views: tuple[View, ...]
    """The first view shows the model from its best side."""


class Thing(_Record, frozen=True):
    """A category and the models that show it. The first model is the main one."""

    name: str
    natural: bool
    """Whether another hue would look wrong, as for animals, plants, food and wood."""
    models: tuple[ThingModel, ...]


class ThingGroup(_Record, frozen=True):
    """Four similar things, which are the categories of the same samples."""

    name: str
    """The kind of the things, for example `pet`."""
    held_out: bool
    """Whether the group never appears in a train share."""
    things: tuple[Thing, Thing, Thing, Thing]


class Plate(_Record, frozen=True):
    """An empty room behind a table: a square RGB picture."""

    file: str
    stage: Literal["high", "low"]
    """Height of the camera: `high` looks down by 18 degrees, `low` by 8."""
    edge: float
    """Share of the height at which the table begins."""
    sun: Literal[-1, 1]
    """Side from which the light comes: -1 is left, 1 is right."""
    shows: tuple[str, ...] = ()
    """Names of things that stand in the room."""


class Cover(_Record, frozen=True):
    """Something that hides a thing by passing or by standing in front of it."""

    name: str
    kind: Literal["wall", "passer"]
    file: str
    """An RGBA picture."""
    box: Box
    """The smallest box with all pixels that are not transparent."""
    opaque: Box
    """The largest box in which every pixel is opaque."""
    model: str | None
    """Key of the model; none if the cover is built from blocks."""


class Sketch(_Record, frozen=True):
    """A line drawing."""

    name: str
    icon: str
    strokes: tuple[tuple[int, ...], ...]
    """Each stroke is x, y, x, y, …; the first strokes are the shortest."""


class SketchGroup(_Record, frozen=True):
    """Four similar sketches, which are the categories of the same samples."""

    name: str
    held_out: bool
    """Whether the group never appears in a train share."""
    sketches: tuple[Sketch, Sketch, Sketch, Sketch]


class Attribution(_Record, frozen=True):
    """A model that is in a plate or a cover, named for its credits."""

    key: str
    title: str
    creator: str
    licence: str


class Index(_Record, frozen=True):
    """The content of `index.json`."""

    format: int
    version: int
    """Raised with every change of the pictures or the strokes."""
    groups: tuple[ThingGroup, ...]
    plates: tuple[Plate, ...]
    covers: tuple[Cover, ...]
    sketches: tuple[SketchGroup, ...]
    sources: tuple[Attribution, ...]


class Pack:
    """Reads a pack. Thread-safe.

    A pickled pack is its folder. All packs of a folder that a process unpickles are one pack, so
    that they share the cache.
    """

    def __init__(self, folder: Path = SHIPPED, cache_bytes: int = CACHE_BYTES) -> None:
        self.folder = folder
        self.cache_bytes = cache_bytes
        try:
            found = msgspec.json.decode(read_regular(folder / "index.json"), type=Index)
        except OSError as error:
            raise PackError(f"{folder / 'index.json'}: {error.strerror}") from None
        except msgspec.DecodeError as error:
            raise PackError(f"{folder / 'index.json'}: {error}") from None
        if found.format != FORMAT:
            raise PackError(
                f"{folder / 'index.json'}: format {found.format}, expected {FORMAT}; "
                "use the version of the program that made it"
            )
        self.index = found
        self._cache: OrderedDict[str, Pixels] = OrderedDict()
        self._cached_bytes = 0
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return load_pack, (self.folder,)

    @property
    def version(self) -> int:
        """Number of the pack. The same number means the same pixels."""
        return self.index.version

    @property
    def groups(self) -> tuple[ThingGroup, ...]:
        """The groups of things."""
        return self.index.groups

    @property
    def plates(self) -> tuple[Plate, ...]:
        """The rooms."""
        return self.index.plates

    @property
    def covers(self) -> tuple[Cover, ...]:
        """The walls and the passers."""
        return self.index.covers

    @property
    def sketches(self) -> tuple[SketchGroup, ...]:
        """The groups of sketches."""
        return self.index.sketches

    @cached_property
    def things(self) -> dict[str, Thing]:
        """All things by name."""
        return {thing.name: thing for group in self.groups for thing in group.things}

    @cached_property
    def sha256(self) -> str:
        """Hash of the index and the pictures."""
        digest = hashlib.sha256(read_regular(self.folder / "index.json"))
        digest.update(self._content)
        return digest.hexdigest()

    def files(self) -> tuple[str, ...]:
        """Returns the names of all pictures, sorted."""
        return tuple(sorted(self._archive.namelist()))

    def pixels(self, file: str) -> "Pixels":
        """Returns a picture: (height, width, 4) for RGBA, (height, width, 3) for RGB, or
        (height, width) for a shadow. The array is shared and read-only.

        Raises PackError if the pack has no such picture.
        """
        with self._lock:
            found = self._cache.get(file)
            if found is not None:
                self._cache.move_to_end(file)
                return found
        pixels = self._decode(file)
        with self._lock:
            if file not in self._cache:
                self._cache[file] = pixels
                self._cached_bytes += pixels.nbytes
            while self._cached_bytes > self.cache_bytes and len(self._cache) > 1:
                _, oldest = self._cache.popitem(last=False)
                self._cached_bytes -= oldest.nbytes
        return pixels

    @cached_property
    def _content(self) -> bytes:
        # In memory: processes that fork share no position in an open file.
        try:
            return read_regular(self.folder / "pictures.zip")
        except OSError as error:
            raise PackError(f"{self.folder / 'pictures.zip'}: {error.strerror}") from None

    @cached_property
    def _archive(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(io.BytesIO(self._content))
        except zipfile.BadZipFile as error:
            raise PackError(f"{self.folder / 'pictures.zip'}: {error}") from None

    def _decode(self, file: str) -> "Pixels":
        import numpy as np

        with self._lock:
            try:
                content = self._archive.read(file)
            except KeyError:
                raise PackError(f"{self.folder / 'pictures.zip'}: no picture {file!r}") from None
        try:
            with Image.open(io.BytesIO(content), formats=("WEBP",)) as picture:
                # WebP has no grey pictures. The folder says which ones are shadows.
                grey = file.startswith("shadows/")
                pixels = np.asarray(picture.getchannel(0) if grey else picture)
        except OSError:
            raise PackError(
                f"{self.folder / 'pictures.zip'}: {file} is no WebP picture; "
                "install Pillow with WebP"
            ) from None
        pixels.flags.writeable = False
        return pixels


@cache
def load_pack(folder: Path = SHIPPED) -> Pack:
    """Returns the pack of a folder, by default the one that ships with the program.

    Raises PackError.
    """
    return Pack(folder)
