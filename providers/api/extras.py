"""Fields and headers that a user adds to every request: `--extra-body` and `--header`."""

import re
from collections.abc import Sequence
from typing import Any

from proactive_agent.providers.api.keys import environment
from proactive_agent.providers.json_options import parse_json_object
from proactive_agent.tools import UserError
from proactive_agent.tools.secrets import register_secret

_OWN = {
    "model": "--provider",
    "max_tokens": "--max-tokens",
    "max_completion_tokens": "--max-tokens",
    "max_output_tokens": "--max-tokens",
    "temperature": "--temperature",
    "top_p": "--top-p",
    "top_k": "--top-k",
    "seed": "--api-seed",
    "reasoning_effort": "--reasoning",
}
"""Fields that have an option, which records can tell."""
_WRITTEN = (
    "messages", "input", "system", "instructions", "tools", "tool_choice", "parallel_tool_calls",
    "stream", "n", "store",
)  # fmt: skip
"""Fields that the program writes itself."""
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_SENSITIVE = re.compile(r"auth|key|token|secret|password|cookie|credential", re.IGNORECASE)


def parse_extra_body(text: str | None) -> dict[str, Any]:
    """Reads the value of `--extra-body`. Raises UserError."""
    fields = parse_json_object("--extra-body", text, '{"top_a": 0.5}')
    for field in fields:
        if field in _OWN:
            raise UserError(f"--extra-body cannot set {field!r}; use {_OWN[field]}")
        if field in _WRITTEN:
            raise UserError(f"--extra-body cannot set {field!r}: the program writes this field")
    return fields


def parse_headers(given: Sequence[str]) -> dict[str, str]:
    """Reads the values of `--header`. Raises UserError.

    `$NAME` and `${NAME}` stand for environment variables. Their values are secrets.
    """
    headers: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not _HEADER_NAME.fullmatch(name):
            # The text may hold a secret, so it is not repeated.
            raise UserError("--header: expected NAME=VALUE, for example X-Title=study")
        if _SENSITIVE.search(name) and not _VARIABLE.search(value):
            raise UserError(
                f"--header {name}: its value would be recorded in run.json; put it into an "
                f"environment variable and pass '{name}=$VARIABLE' (in single quotes)"
            )
        value = _VARIABLE.sub(_from_environment, value)
        if not value.isprintable():
            raise UserError(f"--header {name}: the value has a line break or control character")
        headers[name] = value
    return headers


def _from_environment(found: re.Match[str]) -> str:
    name = found[1] or found[2]
    value = environment().get(name)
    if not value:
        raise UserError(f"--header: the environment variable {name} is not set")
    register_secret(value, name)
    return value
