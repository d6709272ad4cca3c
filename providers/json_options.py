"""Options of the command line whose value is a JSON object."""

import json
import math
from typing import Any

from proactive_agent.tools import UserError


def parse_json_object(option: str, text: str | None, example: str) -> dict[str, Any]:
    """Parses the value of an option; None is an empty object. Raises UserError.

    Refuses NaN and infinite numbers, which are not JSON and which run.json could not hold.
    """
    if text is None:
        return {}
    try:
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{option} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise UserError(f"{option}: expected a JSON object, for example '{example}'")
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON value")


def _finite(written: str) -> float:
    number = float(written)
    if not math.isfinite(number):
        raise ValueError(f"{written} is too large")
    return number
