"""Where a person sits who plays a model: what is shown to them, and what they write.

The command line has one for its terminal; who plays with people in another way brings their own.
"""

from typing import Protocol

from PIL.Image import Image


class Desk(Protocol):
    """Shows one thing after another and asks for a line."""

    def show_text(self, text: str) -> None:
        """Shows text, which may hold whatever a data file does."""

    def show_picture(self, picture: Image) -> None:
        """Shows a picture."""

    async def ask(self, prompt: str) -> str | None:
        """A line that the person writes; None where they have left."""

    def close(self) -> None:
        """Tidies up."""
