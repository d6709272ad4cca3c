"""The errors that every package of the program shares.

`UserError` is what a person can mend (a wrong path, a bad field, an unknown name): the command line
prints it in one line and exits with 2.  `MissingExtraError` is the one for a library that is not
installed.
"""


class UserError(Exception):
    """Wrong input; the message says what and where."""


class MissingExtraError(UserError):
    """A library is needed that the base install leaves out."""

    def __init__(self, extra: str, needed_for: str) -> None:
        super().__init__(
            f"{needed_for} needs more libraries: pip install 'proactive-agent[{extra}]'"
        )
        self.extra = extra
