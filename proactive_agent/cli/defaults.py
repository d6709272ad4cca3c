"""The user's own defaults of `run`, from a file in the current folder.

    # proactive-agent.toml; in a pyproject.toml, the table is [tool.proactive_agent.run]
    [run]
    provider = ["openai:gpt-4.1"]
    limit = 50
    cache = "replies"

The keys are the options of `run`, with `_` for `-`. Options on the command line take precedence.
A setting that has no effect on a run is not used in it. The file cannot give consent: it sets no
`trust-…` option, no server, and nothing that is sent to a server (`header`, `extra-body`).
"""

import tomllib
from pathlib import Path
from typing import Any

import click

from proactive_agent.tools.errors import UserError

OWN_FILE = Path("proactive-agent.toml")
PROJECT_FILE = Path("pyproject.toml")
_TABLE = "tool.proactive_agent"

REFUSED = frozenset(
    (
        "--trust-remote-code", "--trust-host", "--header", "--extra-body", "--engine-arg", "--ray",
        "--resume", "--plan", "--dry-run", "--help", "--help-all",
    )
)  # fmt: skip
"""Options that only the command line sets. A downloaded folder could contain the file."""

MODELS = frozenset(("--provider", "--judge", "--user"))


def read_defaults(command: click.Command) -> tuple[Path | None, dict[str, Any]]:
    """Returns the file with the defaults (or None) and their values by parameter name.

    Raises UserError.
    """
    for file in (OWN_FILE, PROJECT_FILE):
        if not file.is_file():
            continue
        table = _table(file)
        if table is not None or file == OWN_FILE:
            return file, _values(file, table or {}, command)
    return None, {}


def _table(file: Path) -> Any:
    from proactive_agent.disk.regular_file import read_regular

    try:
        content = tomllib.loads(read_regular(file).decode())
    except (OSError, ValueError, RecursionError) as error:
        # A pyproject.toml that cannot be read may belong to another program.
        if file == PROJECT_FILE:
            return None
        raise UserError(f"{file} cannot be read as TOML: {error}") from None
    if file == OWN_FILE:
        return content
    tools = content.get("tool")
    return tools.get("proactive_agent") if isinstance(tools, dict) else None


def _values(file: Path, table: Any, command: click.Command) -> dict[str, Any]:
    start = "" if file == OWN_FILE else f"{_TABLE}."
    run = table.get("run", {}) if isinstance(table, dict) else table
    if not isinstance(table, dict) or set(table) - {"run"} or not isinstance(run, dict):
        raise UserError(f"{file}: the only table is [{start}run], with options of `run`")
    options = {name: one for one in command.params for name in one.opts if name not in REFUSED}
    values = {}
    for key, value in run.items():
        name = f"--{key.replace('_', '-')}"
        if name in REFUSED:
            raise UserError(f"{file}: {name} can be given only on the command line")
        if name not in options:
            from proactive_agent.tools.suggestions import known_names

            names = [one.removeprefix("--") for one in options]
            raise UserError(f"{file}: unknown option {key!r}; {known_names(key, names)}")
        values[options[name].name or ""] = _checked(f"{file}, {key}", name, options[name], value)
    return values


def _checked(place: str, name: str, option: click.Parameter, value: Any) -> Any:
    """Returns a value as click takes it. Raises UserError if it does not fit the option."""
    given = value if isinstance(value, list) else [value]
    if not all(isinstance(one, str | int | float | bool) for one in given):
        raise UserError(f"{place}: expected a text, a number, true or false")
    if name in MODELS and any("@" in str(one) for one in given):
        raise UserError(f"{place}: a server (@URL) can be named only on the command line")
    is_flag = isinstance(option, click.Option) and option.is_flag
    if is_flag != isinstance(value, bool):
        raise UserError(f"{place}: expected {'true or false' if is_flag else 'a value'}")
    if isinstance(value, list) != option.multiple:
        if isinstance(value, list):
            raise UserError(f"{place}: expected one value, not a list")
        value = given
    try:
        option.type_cast_value(click.Context(click.Command("run")), value)
    except click.BadParameter as error:
        raise UserError(f"{place}: {error.message}") from None
    return value
