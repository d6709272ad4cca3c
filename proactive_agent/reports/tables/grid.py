"""A table before it has a form: lines with a name and cells, in groups with a heading."""

from collections.abc import Sequence
from typing import NamedTuple


class Cell(NamedTuple):
    """A number as it is shown, and its confidence interval."""

    text: str
    interval: str = ""


class Line(NamedTuple):
    """A name, and what is told of it."""

    name: str
    cells: Sequence[Cell]
    strong: bool = False


class Group(NamedTuple):
    """Lines that belong together."""

    lines: Sequence[Line]
    heading: str = ""


class Grid(NamedTuple):
    """A table."""

    title: str
    columns: Sequence[str]
    groups: Sequence[Group]
    caption: str = ""
    """What nobody may read the table without."""
