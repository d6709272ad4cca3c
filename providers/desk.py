"""The interface to a human player: output of texts and pictures, input of one line.

The command line implements it for a terminal. Other interfaces implement `Desk` themselves.
"""

from typing import Protocol

from PIL.Image import Image


class Desk(Protocol):
    """Shows texts and pictures in order, and reads lines."""

    def show_text(self, text: str) -> None:
        """Shows text. It comes from data files and may contain control characters."""

    def show_picture(self, picture: Image) -> None:
        """Shows a picture."""

    async def ask(self, prompt: str) -> str | None:
        """Returns the line that the person enters, or None if they have left."""

    def close(self) -> None:
        """Releases the interface."""
