"""Rows as CSV, for programs and spreadsheets."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from typing import TextIO

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_csv(
    stream: TextIO,
    columns: Sequence[str],
    rows: Iterable[Mapping[str, object]],
    line_end: str = "\n",
) -> None:
    """Writes a header and the rows.  Unknown values (None or missing) become empty cells.

    Text that starts like a spreadsheet formula is prefixed with an apostrophe, because models and
    users write some of the cells.
    """
    writer = csv.DictWriter(stream, columns, lineterminator=line_end)
    writer.writeheader()
    writer.writerows({name: _safe(value) for name, value in row.items()} for row in rows)


def _safe(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
