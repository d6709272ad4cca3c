"""The content of a table, independent of its output format."""

from collections.abc import Sequence
from typing import NamedTuple


class Cell(NamedTuple):
    """A formatted number with its formatted confidence interval."""

    text: str
    interval: str = ""


class Line(NamedTuple):
    """A line of a table: a name and its cells."""

    name: str
    cells: Sequence[Cell]
    strong: bool = False


class Group(NamedTuple):
    """Lines under a common heading."""

    lines: Sequence[Line]
    heading: str = ""


class Grid(NamedTuple):
    """A table, as groups of lines."""

    title: str
    columns: Sequence[str]
    groups: Sequence[Group]
    caption: str = ""
    """Warnings that are printed with the table."""
    meaning: str = ""
    """Definitions of the numbers, printed between the title and the table."""
