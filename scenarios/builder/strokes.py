"""Reads drawings as strokes: simplified Quick, Draw! files, or lists in our own format.

Lines of `.ndjson` are `{"word": …, "drawing": [[[x, …], [y, …]], …]}`. Drawings that the game did
not recognise (`"recognized": false`) are skipped. Lines of `.jsonl` are
`{"label": …, "strokes": [[[x, y], …], …]}`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from proactive_agent.disk.regular_file import open_regular_text
from proactive_agent.scenarios.builder.items import BuildError, Item, Stroke
from proactive_agent.scenarios.builder.sources import parse_json
from proactive_agent.tools.errors import first_problem

SUFFIXES = (".ndjson", ".jsonl")
MOST_STROKES = 100
MOST_POINTS = 10_000
"""Maximum number of points in a stroke."""

M = TypeVar("M", bound=BaseModel)

_Text = Annotated[str, Field(min_length=1)]
_Number = Annotated[float, Field(ge=-1e6, le=1e6)]
_Numbers = Annotated[list[_Number], Field(min_length=1, max_length=MOST_POINTS)]


class _Simplified(BaseModel):
    """A line of a simplified Quick, Draw! file."""

    word: _Text
    recognized: bool = True
    drawing: Annotated[list[tuple[_Numbers, _Numbers]], Field(max_length=MOST_STROKES)]


class _Listed(BaseModel):
    """A line in our own format."""

    label: _Text
    strokes: Annotated[
        list[Annotated[list[tuple[_Number, _Number]], Field(min_length=1, max_length=MOST_POINTS)]],
        Field(max_length=MOST_STROKES),
    ]


def read_drawings(source: Path) -> Iterator[Item]:
    """Yields the drawings of a file, or of all files of a folder. Raises BuildError."""
    if not source.is_dir():
        if source.suffix.lower() not in SUFFIXES:
            raise BuildError(f"{source} is not a file of strokes ({', '.join(SUFFIXES)})")
        yield from _of_file(source)
        return
    for file in sorted(source.iterdir()):
        if file.suffix.lower() in SUFFIXES:
            yield from _of_file(file)


def _of_file(file: Path) -> Iterator[Item]:
    read = _simplified if file.suffix.lower() == ".ndjson" else _listed
    try:
        with open_regular_text(file) as stream:
            for number, line in enumerate(stream, 1):
                place = f"{file}, line {number}"
                if line.strip() and (found := read(parse_json(line, place), place)):
                    label, strokes = found
                    yield Item(f"{file.name}#{number}", place, label, strokes=strokes)
    except OSError as error:
        raise BuildError(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise BuildError(f"{file}: not UTF-8 ({error.reason})") from None


def _simplified(fields: Any, place: str) -> tuple[str, tuple[Stroke, ...]] | None:
    line = _validated(_Simplified, fields, place)
    if not line.recognized:
        return None
    for number, (xs, ys) in enumerate(line.drawing):
        if len(xs) != len(ys):
            raise BuildError(f"{place}: drawing.{number}: {len(xs)} x for {len(ys)} y")
    strokes = (tuple(zip(xs, ys, strict=True)) for xs, ys in line.drawing)
    return line.word, tuple(strokes)


def _listed(fields: Any, place: str) -> tuple[str, tuple[Stroke, ...]]:
    line = _validated(_Listed, fields, place)
    return line.label, tuple(map(tuple, line.strokes))


def _validated(model: type[M], fields: Any, place: str) -> M:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise BuildError(f"{place}: {first_problem(error)}") from None
