"""Reads labelled pictures and folders of frames from a folder, or from a CSV or JSONL list.

A folder contains `class_name/picture.jpg`, or for frames `class_name/object_name/frame.png`. A
list has the columns `path` (of a picture or a folder of frames, relative to the list's folder) and
`label`. Optional columns are `x`, `y`, `width`, `height` (the object's box in pixels; in JSONL
also `box: [x, y, width, height]`), `informative` and `first` (a frame's file name, or its number
from 0). Items are read one by one, so that memory does not grow with the source.
"""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

from proactive_agent.disk.regular_file import open_regular_text
from proactive_agent.scenarios.builder.items import BuildError, Item, Region
from proactive_agent.scenarios.sample import check_relative
from proactive_agent.tools.errors import first_problem

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
LISTS = (".csv", ".jsonl")
BOX_FIELDS = ("x", "y", "width", "height")

FrameName = int | str
"""The number of a frame from 0, or its file name."""


class Accepts(NamedTuple):
    """The kinds of source that a recipe accepts."""

    pictures: bool = False
    folders: bool = False
    """Folders of frames."""


class SourceRow(BaseModel):
    """One line of a list."""

    model_config = ConfigDict(extra="ignore")

    path: str = Field(min_length=1)
    label: str = Field(min_length=1)
    x: FiniteFloat | None = None
    y: FiniteFloat | None = None
    width: FiniteFloat | None = Field(default=None, gt=0)
    height: FiniteFloat | None = Field(default=None, gt=0)
    informative: FrameName | None = None
    first: FrameName | None = None

    @model_validator(mode="before")
    @classmethod
    def _box_in_one_field(cls, fields: Any) -> Any:
        if not isinstance(fields, dict) or fields.get("box") is None:
            return fields
        box = fields["box"]
        if not isinstance(box, list) or len(box) != len(BOX_FIELDS):
            raise ValueError(f"box: {box!r} is not [x, y, width, height]")
        return fields | dict(zip(BOX_FIELDS, box, strict=True))

    @model_validator(mode="after")
    def _whole_box(self) -> "SourceRow":
        given = [name for name in BOX_FIELDS if getattr(self, name) is not None]
        if given and len(given) < len(BOX_FIELDS):
            missing = ", ".join(name for name in BOX_FIELDS if name not in given)
            raise ValueError(f"{missing}: missing; a box needs {', '.join(BOX_FIELDS)}")
        if problem := check_relative(self.path):
            raise ValueError(problem.replace("data folder", "source's folder"))
        return self

    @property
    def box(self) -> Region | None:
        """The object's box."""
        if self.x is None or self.y is None or self.width is None or self.height is None:
            return None
        return Region(self.x, self.y, self.width, self.height)


def root_of(source: Path) -> Path:
    """Returns the folder to which a source's paths are relative. No path may leave it."""
    return source if source.is_dir() else source.parent


def read_labelled(source: Path, accepts: Accepts) -> Iterator[Item]:
    """Yields the items of a folder or list, in a fixed order. Raises BuildError at a fault."""
    if source.is_dir():
        return _of_folder(source, accepts)
    if source.suffix.lower() not in LISTS:
        raise BuildError(f"{source} is neither a folder nor a list ({', '.join(LISTS)})")
    return _of_list(source, accepts)


def _of_folder(source: Path, accepts: Accepts) -> Iterator[Item]:
    for class_folder in _visible(source):
        if not class_folder.is_dir():
            continue
        for entry in _visible(class_folder):
            key = f"{class_folder.name}/{entry.name}"
            if entry.is_dir():
                if accepts.folders and (frames := _frames(source, key)):
                    yield Item(key, str(entry), class_folder.name, frames)
            elif accepts.pictures and _is_picture(entry):
                yield Item(key, str(entry), class_folder.name, (key,))


def _of_list(source: Path, accepts: Accepts) -> Iterator[Item]:
    read = _csv_rows if source.suffix.lower() == ".csv" else _jsonl_rows
    try:
        for number, fields in read(source):
            yield _item(source, f"{source}, line {number}", fields, accepts)
    except OSError as error:
        raise BuildError(f"{source}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise BuildError(f"{source}: not UTF-8 ({error.reason})") from None
    except csv.Error as error:
        raise BuildError(f"{source}: not valid CSV ({error})") from None


def _csv_rows(source: Path) -> Iterator[tuple[int, Any]]:
    with open_regular_text(source, "utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream, strict=True)
        for column in ("path", "label"):
            if column not in (reader.fieldnames or ()):
                raise BuildError(f"{source}, line 1: the column {column!r} is missing")
        for fields in reader:
            if None in fields:
                raise BuildError(f"{source}, line {reader.line_num}: more cells than columns")
            yield reader.line_num, {key: value for key, value in fields.items() if value}


def _jsonl_rows(source: Path) -> Iterator[tuple[int, Any]]:
    with open_regular_text(source) as stream:
        for number, line in enumerate(stream, 1):
            if line.strip():
                yield number, parse_json(line, f"{source}, line {number}")


def parse_json(line: str, place: str) -> Any:
    """Parses a line of JSON. Raises BuildError, naming `place`."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BuildError(f"{place}: not valid JSON ({error})") from None


def _item(source: Path, place: str, fields: Any, accepts: Accepts) -> Item:
    try:
        row = SourceRow.model_validate(fields)
    except ValidationError as error:
        raise BuildError(f"{place}: {first_problem(error)}") from None
    key = Path(row.path.replace("\\", "/")).as_posix()
    is_folder = (source.parent / key).is_dir()
    if is_folder and not accepts.folders:
        raise BuildError(f"{place}: path: {row.path!r} is a folder; a picture is needed")
    if not is_folder and not accepts.pictures:
        raise BuildError(f"{place}: path: {row.path!r} is not a folder of frames")
    frames = _frames(source.parent, key) if is_folder else (key,)
    return Item(
        key=key,
        place=place,
        label=row.label,
        frames=frames,
        box=row.box,
        informative=_index(frames, row.informative, f"{place}: informative"),
        first=_index(frames, row.first, f"{place}: first"),
    )


def _index(frames: tuple[str, ...], frame: FrameName | None, place: str) -> int | None:
    if frame is None:
        return None
    names = [Path(path).name for path in frames]
    if isinstance(frame, str) and not frame.strip().isdecimal():
        if frame in names:
            return names.index(frame)
        raise BuildError(f"{place}: there is no frame {frame!r}")
    number = int(frame)
    if not 0 <= number < len(frames):
        raise BuildError(f"{place}: there is no frame {number}; {len(frames)} count from 0")
    return number


def _frames(root: Path, folder: str) -> tuple[str, ...]:
    """Returns the pictures of a folder relative to `root`, `frame2` before `frame10`."""
    return tuple(f"{folder}/{p.name}" for p in _visible(root / folder) if _is_picture(p))


def _visible(folder: Path) -> list[Path]:
    try:
        return sorted((p for p in folder.iterdir() if p.name[0] != "."), key=_natural)
    except OSError as error:
        raise BuildError(f"{folder}: {error.strerror}") from None


def _natural(path: Path) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", path.name)
    # Digits are at odd indices. The name itself decides between 1.png and 01.png.
    return [
        *((int(part) if i % 2 else -1, part * (1 - i % 2)) for i, part in enumerate(parts)),
        (-1, path.name),
    ]


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES
