"""Tables in the terminal: intervals are printed below their numbers."""

import re
from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from proactive_agent.reports.tables.grid import Cell, Grid, Line
from proactive_agent.terminal.console import plain

_NARROWEST_NAME = 12
_GAP = 2


class TerminalTable:
    """A grid that rich can print. Names are folded if the terminal is too narrow."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._lines = [line for group in grid.groups for line in group.lines]
        self._widths = [
            max(len(part) for text in self._column(index) for part in text.split("\n"))
            for index in range(len(grid.columns))
        ]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        grid = self._grid
        longest = max((len(plain(line.name)) for line in self._lines), default=0)
        numbers = sum(width + _GAP for width in self._widths)
        left = max(_NARROWEST_NAME, min(longest, options.max_width - numbers - 1))
        only_heading = grid.groups[0].heading if len(grid.groups) == 1 else ""
        yield Text(plain(": ".join(filter(None, (grid.title, only_heading)))), style="italic")
        if grid.meaning:
            yield Text(plain(grid.meaning), style="dim")
        yield Text()
        yield self._table(left, [Line("", [Cell(heading) for heading in grid.columns])])
        for group in grid.groups:
            yield Text(" " + "─" * min(left + numbers, options.max_width - 1))
            if group.heading and not only_heading:
                yield Text(plain(f" {group.heading}"), style="bold")
            yield self._table(left, group.lines)
        if grid.caption:
            yield Text(plain(grid.caption), style="bold")
        yield Text()

    def _column(self, index: int) -> list[str]:
        """The heading and all texts of a column."""
        cells = [line.cells[index] for line in self._lines]
        return [self._grid.columns[index], *(text for cell in cells for text in cell)]

    def _table(self, left: int, lines: Sequence[Line]) -> Table:
        table = Table.grid()
        table.add_column(width=left + 1, overflow="fold")
        for width in self._widths:
            table.add_column(width=width + _GAP, justify="right")
        for line in lines:
            style = "bold" if line.strong else ""
            name = Text("\n".join(f" {part}" for part in _folded(plain(line.name), left)))
            table.add_row(name, *map(_cell, line.cells), style=style)
        return table


def _folded(name: str, width: int) -> list[str]:
    """Splits a name into lines, after a separator if possible."""
    lines = [""]
    for part in re.split(r"(?<=[ :/_-])", name):
        while len(lines[-1]) + len(part) > width:
            if lines[-1]:
                lines.append("")
            else:
                lines[-1:] = [part[:width], ""]
                part = part[width:]
        lines[-1] += part
    return lines


def _cell(cell: Cell) -> Text:
    text = Text(cell.text)
    return text.append(f"\n{cell.interval}", style="dim") if cell.interval else text
