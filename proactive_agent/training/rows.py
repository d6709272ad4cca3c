"""The train split: parquet files of the release's schema, read and checked field by field.

A row is one question about one frame. The columns of the release are `prompt` (chat messages),
`images`, `ground_truth`, `proactive_actions` and `options`. Our builder adds `scenario` and
`clear`. Without `scenario`, the wording of the options determines the scenario: the release holds
two scenarios whose options differ. Without `clear`, a frame is clear if no suggestion is accepted.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from proactive_agent.disk.regular_file import sha256_of
from proactive_agent.scenarios.images import ImageError, check_format
from proactive_agent.scenarios.registry import SCENARIOS
from proactive_agent.scenarios.sample import is_abstention
from proactive_agent.scenarios.wording import letter
from proactive_agent.tools import MissingExtraError, UserError

PATTERN = "train-*.parquet"
COLUMNS = ("prompt", "images", "ground_truth", "proactive_actions", "options")
OWN_COLUMNS = ("scenario", "clear")
"""Optional columns."""
CATEGORIES = 4
"""Number of categories; they are the last options of a row."""
RELEASED = ("quickdraw", "coco")
"""Scenarios of the release's train split."""
_MARK = "<image>"


class RowError(UserError):
    """A row that is not usable for training. The message names file, row and field."""


class _FieldError(Exception):
    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")


class RowPlace(NamedTuple):
    """Position of a row, for messages."""

    file: str
    number: int
    """Number within the file, from 0."""

    def __str__(self) -> str:
        return f"{self.file}, row {self.number}"


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """One question about one frame."""

    index: int
    """Position in the data set."""
    scenario: str
    """Short name of the scenario."""
    clear: bool
    """Whether the frame is clear, so that no help is needed."""
    text: str
    """Text of the multiple-choice prompt, without its picture."""
    suggestions: tuple[str, ...]
    """Suggestions and abstentions, in the order of their option letters."""
    categories: tuple[str, ...]
    accepted: tuple[str, ...]
    """Suggestions that change the picture in this state."""
    answer: str
    """The right category."""
    place: str = ""
    """File and row number, for messages."""


def check_columns(names: Sequence[str], file: str) -> None:
    """Raises RowError if a column of the release is missing."""
    if missing := [name for name in COLUMNS if name not in names]:
        raise RowError(
            f"{file} has no column {', '.join(missing)}; a train split needs the columns "
            f"{', '.join(COLUMNS)}"
        )


def read_row(fields: Mapping[str, Any], index: int, place: RowPlace) -> QuestionRow:
    """Returns a checked row. Raises RowError."""
    try:
        return _read(fields, index, str(place))
    except _FieldError as error:
        raise RowError(f"{place}: {error}") from None


def _read(fields: Mapping[str, Any], index: int, place: str) -> QuestionRow:
    options = _texts(fields, "options")
    answer = _text(fields, "ground_truth")
    accepted = _texts(fields, "proactive_actions")
    suggestions, categories = options[:-CATEGORIES], options[-CATEGORIES:]
    if not options:
        raise _FieldError("options", "the list is empty")
    if answer not in categories:
        raise _FieldError(
            "ground_truth", f"{answer!r} is not among the last {CATEGORIES} options, {categories}"
        )
    for action in accepted:
        if action not in suggestions:
            raise _FieldError("proactive_actions", f"{action!r} is not among {suggestions}")
        if is_abstention(action):
            raise _FieldError("proactive_actions", f"{action!r} is an abstention")
    _check_picture(fields)
    return QuestionRow(
        index=index,
        scenario=_scenario(fields, suggestions),
        clear=_clear(fields, accepted),
        text=_prompt(fields, options),
        suggestions=tuple(suggestions),
        categories=tuple(categories),
        accepted=tuple(accepted),
        answer=answer,
        place=place,
    )


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields[name]
    if not isinstance(value, str) or not value.strip():
        raise _FieldError(name, f"expected a text that is not empty, got {value!r}")
    return value


def _texts(fields: Mapping[str, Any], name: str) -> list[str]:
    value = fields[name]
    if not isinstance(value, list):
        raise _FieldError(name, f"expected a list of texts, got {value!r}")
    for item in value:
        if not isinstance(item, str) or not item.strip():
            raise _FieldError(name, f"expected texts that are not empty, got {item!r}")
    return value


def _check_picture(fields: Mapping[str, Any]) -> None:
    value = fields["images"]
    if not isinstance(value, list) or len(value) != 1:
        shown = len(value) if isinstance(value, list) else repr(value)
        raise _FieldError("images", f"expected one picture, got {shown}")
    picture = value[0]
    content = picture.get("bytes") if isinstance(picture, dict) else None
    # A path could name any file of this machine, or an address.
    if not isinstance(content, bytes) or not content:
        raise _FieldError("images", "the picture is empty: expected its bytes")
    try:
        check_format(content, "images")
    except ImageError as error:
        raise _FieldError(*str(error).split(": ", 1)) from None


def _prompt(fields: Mapping[str, Any], options: Sequence[str]) -> str:
    messages = fields["prompt"]
    if not isinstance(messages, list) or len(messages) != 1:
        raise _FieldError("prompt", "expected one message with the role user")
    message = messages[0]
    if not isinstance(message, dict) or message.get("role") != "user":
        raise _FieldError("prompt", f"expected a message with the role user, got {message!r}")
    text = _content(message.get("content"))
    position = 0
    for index, option in enumerate(options):
        line = f"{letter(index)}. {option}"
        found = text.find(line, position)
        if found < 0:
            raise _FieldError("prompt", f"expected the option {line!r} at its place in the text")
        position = found + len(line)
    return text


def _content(content: Any) -> str:
    """Returns the text of a message. The mark of the picture is removed."""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        content = "".join(part for part in parts if isinstance(part, str))
    if not isinstance(content, str):
        raise _FieldError("prompt", f"expected a text, got {content!r}")
    return content.replace(_MARK, "").lstrip("\n")


def _clear(fields: Mapping[str, Any], accepted: Sequence[str]) -> bool:
    value = fields.get("clear")
    if value is None:
        return not accepted
    if not isinstance(value, bool):
        raise _FieldError("clear", f"expected true or false, got {value!r}")
    return value


def _scenario(fields: Mapping[str, Any], suggestions: Sequence[str]) -> str:
    asked = [text for text in suggestions if not is_abstention(text)]
    value = fields.get("scenario")
    if value is not None:
        if value not in SCENARIOS:
            raise _FieldError("scenario", f"{value!r} is not one of {', '.join(SCENARIOS)}")
        if unknown := [text for text in asked if not _understands(value, text)]:
            raise _FieldError("options", f"{unknown[0]!r} is not a suggestion of {value}")
        return str(value)
    fitting = [name for name in RELEASED if all(_understands(name, text) for text in asked)]
    if not asked or len(fitting) != 1:
        raise _FieldError(
            "options",
            f"the suggestions {asked} do not determine the scenario "
            f"({' or '.join(RELEASED)}); add a column `scenario`",
        )
    return fitting[0]


def _understands(scenario: str, text: str) -> bool:
    try:
        return SCENARIOS[scenario].intervention(text) is not None
    except ValueError:
        return False


class Split(NamedTuple):
    """A train split that was read and checked."""

    pictures: Any
    """A `datasets.Dataset` with the column `images`, not decoded."""
    rows: list[QuestionRow]
    """Row i belongs to picture i."""
    files: dict[str, str]
    """SHA-256 by file name."""
    source: str

    def pictures_of(self, row: QuestionRow) -> Iterator[Any]:
        """Yields the one picture of a row, in RGB. Raises RowError if it is not readable."""
        (file,) = self.pictures[row.index]["images"]
        try:
            yield _library().Image(mode="RGB").decode_example(file)
        except Exception as error:  # Pillow's decoders raise many kinds of errors.
            raise RowError(
                f"{row.place}: images: the picture is not readable ({type(error).__name__})"
            ) from None


def read_split(source: str, on_row: Callable[[int], None] | None = None) -> Split:
    """Reads and checks every row. Calls `on_row(1)` after each row.

    Raises UserError; the message names file, row and field.
    """
    datasets = _library()
    files = find_files(source)
    parts, hashes = [], {}
    rows: list[QuestionRow] = []
    for file in files:
        hashes[file.name] = _sha256(file)  # Refuses a pipe, at which the libraries would wait.
        part = _table(datasets, file)
        for number, fields in enumerate(part):
            rows.append(read_row(fields, len(rows), RowPlace(file.name, number)))
            if on_row:
                on_row(1)
        parts.append(part.select_columns(["images"]))
    if not rows:
        raise UserError(f"{source} holds no rows")
    return Split(datasets.concatenate_datasets(parts), rows, hashes, source)


def encoded_pictures(files: Sequence[bytes]) -> Any:
    """Returns a data set with the column `images`: one encoded picture per row."""
    datasets = _library()
    column = [[{"bytes": file, "path": None}] for file in files]
    features = datasets.Features({"images": _undecoded(datasets)})
    return datasets.Dataset.from_dict({"images": column}, features=features)


def _undecoded(datasets: Any) -> Any:
    return datasets.List(datasets.Image(decode=False))


def find_files(source: str) -> list[Path]:
    """Returns the parquet files of a source. Raises UserError if there are none."""
    path = Path(source).expanduser()
    if path.is_file():
        return [path]
    if path.is_dir():
        for folder in (path, path / "data"):
            if files := sorted(folder.glob(PATTERN)):
                return files
        raise UserError(f"{path} holds no train split: expected {PATTERN} or data/{PATTERN}")
    if (
        source.count("/") == 1
        and not source.startswith((".", "~", "/"))
        and not path.parent.is_dir()
    ):
        return _from_hub(source)
    raise UserError(f"{source}: expected a file, a folder, or a data set on the Hub (OWNER/NAME)")


def _from_hub(repository: str) -> list[Path]:
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise MissingExtraError("train", f"{repository} from the Hub") from None
    try:
        folder = snapshot_download(
            repository, repo_type="dataset", allow_patterns=[f"data/{PATTERN}"]
        )
    except Exception as error:  # The client raises many kinds of errors without a network.
        raise UserError(
            f"{repository}: the download from the Hub failed: {_first_line(error)}"
        ) from error
    return find_files(folder)


def _library() -> Any:
    try:
        import datasets
    except ImportError as error:
        raise MissingExtraError("train", "train", error.name) from None
    datasets.disable_progress_bars()
    return datasets


def _table(datasets: Any, file: Path) -> Any:
    try:
        part = datasets.Dataset.from_parquet(str(file))
    except Exception as error:  # pyarrow and datasets raise many kinds of errors.
        raise UserError(f"{file}: not a readable parquet file: {_first_line(error)}") from None
    check_columns(part.column_names, file.name)
    try:
        return part.select_columns(
            [name for name in (*COLUMNS, *OWN_COLUMNS) if name in part.column_names]
        ).cast_column("images", _undecoded(datasets))
    except Exception as error:  # as above
        raise UserError(f"{file.name}: images: {_first_line(error)}") from None


def _sha256(file: Path) -> str:
    try:
        return sha256_of(file)
    except OSError as error:
        raise UserError(f"{file}: {error.strerror}") from None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
