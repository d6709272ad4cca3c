"""The search field below the list."""

from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

TYPING = 0.25
"""Seconds without a key before the list is filtered."""

FAILURES = "wrong|error"
"""The word of a query that selects failures."""


class SearchBox(Input):
    """A query. It is hidden while it is empty and does not have the focus."""

    DEFAULT_CSS = """
    SearchBox { height: 1; border: none; padding: 0; display: none; }
    SearchBox.-open { display: block; }
    """

    class Edited(Message):
        """The query was changed and the user has paused."""

    def __init__(self) -> None:
        super().__init__(placeholder="search; press ? for help", id="search")
        self._typing: Timer | None = None

    def watch_value(self, value: str) -> None:
        """Waits for a pause in typing, or for Enter if a quoted text needs whole records."""
        if self._typing:
            self._typing.stop()
        if '"' not in value and self.is_mounted:
            self._typing = self.set_timer(TYPING, lambda: self.post_message(self.Edited()))

    def update_visibility(self) -> None:
        """Shows the field while it is used."""
        self.set_class(bool(self.value) or self.has_focus, "-open")

    def open(self) -> None:
        """Shows the field and focuses it."""
        self.add_class("-open")
        self.focus()

    def toggle_failures(self) -> None:
        """Adds the word that selects failures, or removes it."""
        words = self.value.split()
        others = [word for word in words if word != FAILURES]
        self.value = " ".join(others if FAILURES in words else [FAILURES, *others])
        self.update_visibility()
