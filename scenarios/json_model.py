"""Reads a JSON file of a data folder as a pydantic model."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from proactive_agent.disk.regular_file import read_regular
from proactive_agent.tools import UserError
from proactive_agent.tools.errors import first_problem

Model = TypeVar("Model", bound=BaseModel)


def read_model(file: Path, model: type[Model], most: int) -> Model:
    """Reads a file of at most `most` bytes. Raises UserError, naming the file and the field."""
    try:
        return model.model_validate_json(read_regular(file, most))
    except OSError as error:
        raise UserError(f"{file}: {error.strerror}") from None
    except ValidationError as error:
        raise UserError(f"{file}: {first_problem(error, 'the file')}") from None
