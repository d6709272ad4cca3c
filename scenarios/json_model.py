"""Reads a JSON file of a data folder as a pydantic model."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from proactive_agent.disk.regular_file import read_regular
from proactive_agent.tools import UserError

Model = TypeVar("Model", bound=BaseModel)


def read_model(file: Path, model: type[Model], most: int) -> Model:
    """Reads a file of at most `most` bytes. Raises UserError, naming the file and the field."""
    try:
        return model.model_validate_json(read_regular(file, most))
    except OSError as error:
        raise UserError(f"{file}: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the file"
        reason = first["msg"].removeprefix("Value error, ")
        raise UserError(f"{file}: {field}: {reason}") from None
