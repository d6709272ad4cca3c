"""The errors that all packages of the program use.

`UserError` is an error that the user can correct, such as a wrong path or an unknown name. The
command line prints its message and exits with code 2. `MissingExtraError` reports a library that
is not installed, and `NotWrittenError` a file that cannot be written.
"""

from typing import TYPE_CHECKING

from proactive_agent.tools.install import install_command

if TYPE_CHECKING:
    from pydantic import ValidationError


class UserError(Exception):
    """Wrong input. The message says what is wrong, where, and what to do."""


class MissingExtraError(UserError):
    """A required library is not part of the base install. `extra` installs it."""

    def __init__(self, extra: str, needed_for: str, library: str | None = None) -> None:
        absent = f" ({library} is not installed)" if library else ""
        super().__init__(f"{needed_for} needs more libraries{absent}: {install_command(extra)}")
        self.extra = extra


class NotWrittenError(UserError):
    """A file cannot be written, as on a full disk. Its earlier content is unchanged."""


def first_problem(error: "ValidationError", whole: str = "") -> str:
    """Returns the first fault of an input as `FIELD: REASON`.

    `whole` stands for the field if the fault concerns the whole input; empty leaves it out.
    """
    first = error.errors()[0]
    field = ".".join(map(str, first["loc"])) or whole
    reason = first["msg"].removeprefix("Value error, ")
    return f"{field}: {reason}" if field else reason
