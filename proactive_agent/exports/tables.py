"""Tidy tables on disk: `episodes` and `turns`, as CSV or as Parquet."""

import csv
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from proactive_agent.exports.rows import RUN, TABLES, Table, rows
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.tools import MissingExtraError

BATCH = 2_000
"""Rows that are held in memory at once."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_csv(run: RunFolder, folder: Path) -> list[Path]:
    """`episodes.csv` and `turns.csv`; what is not known is an empty cell.

    A text that a spreadsheet would take for a formula begins with an apostrophe: models wrote it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for table in TABLES:
        file = folder / f"{table.name}.csv"
        with file.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(_names(table))
            writer.writerows(map(_cells, _rows(run, table)))
        written.append(file)
    return written


def write_parquet(run: RunFolder, folder: Path) -> list[Path]:
    """`episodes.parquet` and `turns.parquet`, in batches, so that memory does not grow."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError:
        raise MissingExtraError("export", "export --format parquet") from None
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for table in TABLES:
        file = folder / f"{table.name}.parquet"
        kinds = {"string": "string", "int64": "int64", "double": "float64", "bool": "bool_"}
        schema = pyarrow.schema(
            [(c.name, getattr(pyarrow, kinds[c.kind])()) for c in (*RUN, *table.columns)]
        )
        with pyarrow.parquet.ParquetWriter(file, schema) as writer:
            for batch in _batches(_rows(run, table)):
                writer.write_table(pyarrow.Table.from_pylist(batch, schema=schema))
        written.append(file)
    return written


def _names(table: Table) -> list[str]:
    return [column.name for column in (*RUN, *table.columns)]


def _rows(run: RunFolder, table: Table) -> Iterator[dict[str, Any]]:
    manifest = run.read_manifest()
    for episode in run.episodes():
        yield from rows(table, manifest, episode)


def _batches(every: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    waiting = iter(every)
    while batch := list(islice(waiting, BATCH)):
        yield batch


def _cells(row: dict[str, Any]) -> list[Any]:
    return [
        f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
        for value in row.values()
    ]
