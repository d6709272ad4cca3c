"""Writes the tidy tables `episodes` and `turns` as CSV or Parquet: both, or none if one fails."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from proactive_agent.disk.inner_folders import make_inner_folder
from proactive_agent.disk.whole_files import all_written_aside
from proactive_agent.exports.rows import RUN, TABLES, ExportTable, rows
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.reports.tables.text_forms import write_csv
from proactive_agent.tools import MissingExtraError

BATCH = 2_000
"""Most rows held in memory at once."""


def write_csv_tables(run: RunFolder, folder: Path) -> list[Path]:
    """Writes `episodes.csv` and `turns.csv`, whose lines end with CRLF. Returns their paths."""
    make_inner_folder(folder, within=run.path)
    files = [folder / f"{table.name}.csv" for table in TABLES]
    with all_written_aside(files) as partials:
        for table, partial in zip(TABLES, partials, strict=True):
            with partial.open("w", newline="", encoding="utf-8") as stream:
                write_csv(stream, _names(table), _rows(run, table), line_end="\r\n")
    return files


def write_parquet_tables(run: RunFolder, folder: Path) -> list[Path]:
    """Writes `episodes.parquet` and `turns.parquet` in batches. Returns their paths.

    Raises MissingExtraError without pyarrow.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError:
        raise MissingExtraError("export", "export --format parquet") from None
    make_inner_folder(folder, within=run.path)
    files = [folder / f"{table.name}.parquet" for table in TABLES]
    kinds = {"string": "string", "int64": "int64", "double": "float64", "bool": "bool_"}
    with all_written_aside(files) as partials:
        for table, partial in zip(TABLES, partials, strict=True):
            schema = pyarrow.schema(
                [(c.name, getattr(pyarrow, kinds[c.kind])()) for c in (*RUN, *table.columns)]
            )
            # pyarrow itself opens only files whose names are UTF-8.
            with (
                partial.open("wb") as stream,
                pyarrow.parquet.ParquetWriter(stream, schema) as writer,
            ):
                for batch in _batches(_rows(run, table)):
                    writer.write_table(pyarrow.Table.from_pylist(batch, schema=schema))
    return files


def _names(table: ExportTable) -> list[str]:
    return [column.name for column in (*RUN, *table.columns)]


def _rows(run: RunFolder, table: ExportTable) -> Iterator[dict[str, Any]]:
    manifest = run.read_manifest()
    for episode in run.episodes():
        yield from rows(table, manifest, episode)


def _batches(every_row: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    remaining = iter(every_row)
    while batch := list(islice(remaining, BATCH)):
        yield batch
