"""The program's consoles, and functions that make untrusted text and pictures safe for them."""

import json
import logging
import os
import unicodedata
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from PIL.Image import Image

console = Console(highlight=False, soft_wrap=False)
"""Standard output, for results."""

messages = Console(stderr=True, highlight=False)
"""Standard error, for progress and remarks."""


def plain(text: str) -> str:
    """Replaces control characters, so that a model's text cannot control the terminal."""
    return "".join(
        c if c in "\n\t" or not _controls(c) else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def safe(text: str, style: str = "") -> Text:
    """Returns untrusted text without control characters and markup."""
    return Text(plain(text), style=style)


def safe_json(line: bytes) -> str:
    """Decodes a line of JSON; control characters become JSON escapes."""
    text = line.decode("utf-8", "replace").rstrip("\n")
    if text.isprintable():
        return text
    return "".join(c if plain(c) == c else json.dumps(c)[1:-1] for c in text)


def show_picture(picture: "Image") -> bool:
    """Draws a picture if the output is a terminal and the extra `view` is installed.

    Returns whether it was drawn.
    """
    if not console.is_terminal:
        return False
    quiet_textual_image()
    try:
        from textual_image.renderable import HalfcellImage
        from textual_image.renderable import Image as Best
    except ImportError:
        return False
    Drawn = Best if announces_truly() else HalfcellImage  # noqa: N806 (a class)
    try:
        console.print(Drawn(picture, width=min(console.width, 120)))
    except Exception:  # The library divides by the terminal's size, which some report as zero.
        return False
    return True


def announces_truly() -> bool:
    """Whether the graphics that the terminal announces exist.

    tmux announces them even if its terminal has none, and then leaves blank lines.
    """
    return not os.environ.get("TMUX")


def quiet_textual_image() -> None:
    """Hides the tracebacks that `textual_image` logs if a terminal does not report its size."""
    logging.getLogger("textual_image").setLevel(logging.ERROR)


def _controls(character: str) -> bool:
    # Cc: control characters. Cf: format characters; direction overrides can disguise a text.
    # Cs: parts of a file name that are not UTF-8, which no terminal can print.
    return unicodedata.category(character) in ("Cc", "Cf", "Cs")
