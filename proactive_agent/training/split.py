"""Where a train split comes from: parquet files of a folder, or of a data set on the Hub."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from proactive_agent.tools import MissingExtraError, UserError
from proactive_agent.training.rows import (
    COLUMNS,
    OWN_COLUMNS,
    Place,
    Row,
    RowError,
    check_columns,
    read_row,
)

PATTERN = "train-*.parquet"


class Split(NamedTuple):
    """A train split, read once and checked."""

    pictures: Any
    """A data set of `datasets` with the column `images`, as the files hold them."""
    rows: list[Row]
    """Row i has picture i."""
    files: dict[str, str]
    """SHA-256 by file name."""
    source: str

    def pictures_of(self, row: Row) -> Iterator[Any]:
        """Its one picture, in RGB.  Raises RowError where it cannot be read."""
        (file,) = self.pictures[row.index]["images"]
        try:
            yield _library().Image(mode="RGB").decode_example(file)
        except Exception as error:  # Pillow's decoders raise whatever a broken file provokes
            raise RowError(
                f"{row.place}: images: no readable picture ({type(error).__name__})"
            ) from None


def read_split(source: str, on_row: Callable[[int], None] | None = None) -> Split:
    """Reads and checks every row.  `on_row` hears of each.

    Raises UserError; the message names file, row and field.
    """
    datasets = _library()
    files = find_files(source)
    parts, hashes = [], {}
    rows: list[Row] = []
    for file in files:
        part = _table(datasets, file)
        hashes[file.name] = _sha256(file)
        for number, fields in enumerate(part):
            rows.append(read_row(fields, len(rows), Place(file.name, number)))
            if on_row:
                on_row(1)
        parts.append(part.select_columns(["images"]))
    if not rows:
        raise UserError(f"{source} holds no row")
    return Split(datasets.concatenate_datasets(parts), rows, hashes, source)


def find_files(source: str) -> list[Path]:
    """The parquet files of a source.  Raises UserError where there are none."""
    path = Path(source).expanduser()
    if path.is_file():
        return [path]
    if path.is_dir():
        for folder in (path, path / "data"):
            if files := sorted(folder.glob(PATTERN)):
                return files
        raise UserError(f"{path} holds no train split: neither {PATTERN} nor data/{PATTERN}")
    if (
        source.count("/") == 1
        and not source.startswith((".", "~", "/"))
        and not path.parent.is_dir()
    ):
        return _from_hub(source)
    raise UserError(f"{source} is no file, no folder and no data set on the Hub (owner/name)")


def _from_hub(repository: str) -> list[Path]:
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise MissingExtraError("train", f"{repository} from the Hub") from None
    try:
        folder = snapshot_download(
            repository, repo_type="dataset", allow_patterns=[f"data/{PATTERN}"]
        )
    except Exception as error:  # whatever a client of many layers raises without a network
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(f"{repository} did not come from the Hub: {said}") from error
    return find_files(folder)


def _library() -> Any:
    try:
        import datasets
    except ImportError as error:
        raise MissingExtraError("train", f"train ({error.name} is not installed)") from None
    datasets.disable_progress_bars()
    return datasets


def _table(datasets: Any, file: Path) -> Any:
    try:
        part = datasets.Dataset.from_parquet(str(file))
    except Exception as error:  # pyarrow and datasets have an error of their own for everything
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(f"{file} is no readable parquet file: {said}") from None
    check_columns(part.column_names, file.name)
    images = datasets.List(datasets.Image(decode=False))
    try:
        return part.select_columns(
            [name for name in (*COLUMNS, *OWN_COLUMNS) if name in part.column_names]
        ).cast_column("images", images)
    except Exception as error:  # as above
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(f"{file.name}: images: {said}") from None


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
