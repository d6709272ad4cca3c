"""Tables as Markdown and LaTeX, and rows as CSV. In Markdown, a table's caption is its last row."""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TextIO

from proactive_agent.reports.tables.grid import Cell, Grid, Line
from proactive_agent.terminal.console import plain

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~&])")
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
    "%": r"\%", "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    "±": r"$\pm$", "–": "--", "′": "$'$",
}  # fmt: skip
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
"""The beginning of a text that a spreadsheet takes for a formula, or skips before one."""


def markdown(grid: Grid) -> str:
    """Returns the title and a pipe table."""
    blanks = [""] * len(grid.columns)
    rows = [["", *map(_markdown, grid.columns)], ["---", *["---:"] * len(blanks)]]
    for group in grid.groups:
        if group.heading:
            rows.append([f"*{_markdown(group.heading)}*", *blanks])
        rows += [[_markdown(text) for text in _texts(line)] for line in group.lines]
    if grid.caption:
        rows.append([f"**{_markdown(grid.caption)}**", *blanks])
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    return f"**{_markdown(grid.title)}**\n\n{table}"


def latex(grid: Grid, notes: Sequence[str] = ()) -> str:
    """Returns a `table*`, which fits an article with one or two columns.

    Intervals are on a second line. The caption holds title, definitions and warnings, and the
    `notes` of the whole comparison.
    """
    width = 1 + len(grid.columns)
    caption = " ".join(_sentence(one) for one in (grid.title, grid.meaning, *notes) if one)
    if grid.caption:
        caption += rf" \textbf{{{_sentence(grid.caption)}}}"
    lines = [
        r"% Needs \usepackage{booktabs}. For an article with one column, table is enough.",
        r"\begin{table*}[t]",
        r"\centering\footnotesize\setlength{\tabcolsep}{4pt}",
        rf"\caption{{{caption}}}",
        rf"\begin{{tabular}}{{l{'r' * (width - 1)}}}",
        r"\toprule",
        _latex_row(["", *map(_latex, grid.columns)]),
    ]
    for group in grid.groups:
        lines.append(r"\midrule")
        if group.heading:
            lines.append(rf"\multicolumn{{{width}}}{{l}}{{\emph{{{_latex(group.heading)}}}}} \\")
        lines += [row for line in group.lines for row in _latex_lines(line)]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table*}", ""])


def write_csv(
    stream: TextIO,
    columns: Sequence[str],
    rows: Iterable[Mapping[str, object]],
    line_end: str = "\n",
) -> None:
    """Writes a header and the rows. Unknown values (None or missing) become empty cells.

    Models and users write some of the cells. So a text that starts like a spreadsheet formula is
    prefixed with an apostrophe, and control characters are replaced, except line feeds and tabs.
    """
    writer = csv.DictWriter(stream, columns, lineterminator=line_end)
    writer.writeheader()
    writer.writerows({name: _safe(value) for name, value in row.items()} for row in rows)


def _texts(line: Line) -> list[str]:
    return [line.name, *map(_joined, line.cells)]


def _joined(cell: Cell) -> str:
    """Joins a number and its interval; bounds are put in brackets."""
    bounds = cell.interval and cell.interval[0].isdigit()
    return f"{cell.text} ({cell.interval})" if bounds else f"{cell.text} {cell.interval}".strip()


def _latex_lines(line: Line) -> list[str]:
    """Returns the row of a line, and the row of its intervals if it has any."""
    rows = [_latex_row([_latex(line.name), *(_latex(cell.text) for cell in line.cells)])]
    if any(cell.interval for cell in line.cells):
        small = (
            rf"\scriptsize {_latex(cell.interval)}" if cell.interval else "" for cell in line.cells
        )
        rows.append(_latex_row(["", *small]))
    return rows


def _latex_row(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"


def _sentence(text: str) -> str:
    """Returns a text for LaTeX that ends with a full stop."""
    return _latex(text).rstrip(".") + "."


def _markdown(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", _one_line(text))


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in _one_line(text))


def _one_line(text: str) -> str:
    return " ".join(plain(text).split())


def _safe(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = plain(value)
    return f"'{text}" if _FORMULA.match(text) else text
