"""Lays out lines for a terminal, a pager or a file.

If the output has no width (a pipe without COLUMNS), nothing is wrapped or cut, which suits `grep`.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from proactive_agent.records.describe import ARROW

LEAST = 8
"""Smallest number of columns that a text gets, even if the output is narrower."""


class TextLine(NamedTuple):
    """A text and its indent in columns, which also holds after wrapping."""

    text: Text
    indent: int = 0


class TextCell(NamedTuple):
    """A part of a row and its width in columns; `right` aligns numbers."""

    text: Text
    width: int
    right: bool = False


def width_of(console: Console) -> int | None:
    """Returns the columns of the output, or None if it is unlimited."""
    return console.width if console.is_terminal or "COLUMNS" in os.environ else None


def fitted(line: TextLine, console: Console, width: int | None) -> Iterator[Text]:
    """Breaks a line at its line breaks and at the width."""
    if width is None:
        parts = list(line.text.split("\n", allow_blank=True))
    else:
        parts = list(line.text.wrap(console, max(width - line.indent, LEAST)))
    for part in parts or [Text()]:
        part.rstrip()
        yield Text(" " * line.indent).append_text(part) if part else part


def write(console: Console, texts: Iterable[Text]) -> None:
    """Prints lines without wrapping them."""
    for text in texts:
        if console.color_system is None:  # far faster than rendering, for long lists
            console.file.write(f"{text.plain}\n")
        else:
            console.print(text, soft_wrap=True)


def write_wrapped(console: Console, lines: Iterable[TextLine]) -> None:
    """Prints lines, wrapped at the width of the output."""
    width = width_of(console)
    for line in lines:
        write(console, fitted(line, console, width))


def row(cells: Sequence[TextCell], rest: str, width: int | None) -> Text:
    """Joins cells with two blanks between them; `rest` fills the remaining width."""
    line = Text()
    for text, columns, right in cells:
        text.align("right" if right else "left", max(columns, text.cell_len))
        line.append_text(text).append("  ")
    rest = " ".join(rest.split())
    room = None if width is None else max(width - line.cell_len, LEAST)
    line.append(rest if room is None else cut_middle(rest, room))
    line.rstrip()
    return line


def rule(width: int | None) -> Text:
    """Returns a horizontal line."""
    return Text("─" * (width or 80), "dim")


def widest(names: Iterable[str], head: str) -> int:
    """Returns the width of a column with these names and this head."""
    return max(map(cell_len, (head, *names)))


def cut_middle(text: str, room: int) -> str:
    """Cuts the middle of a text that does not fit; its beginning and its last step are kept."""
    if cell_len(text) <= room:
        return text
    _, arrow, last = text.rpartition(ARROW)
    tail = arrow + last
    if not arrow or cell_len(tail) > room * 2 // 3:
        tail = set_cell_size(text[::-1], room // 2)[::-1].lstrip()
    head = set_cell_size(text, room - 1 - cell_len(tail)).rstrip()
    return f"{head}…{tail}"
