"""The console, and text of unknown origin made safe for it."""

import unicodedata

from rich.console import Console
from rich.text import Text

console = Console(highlight=False, soft_wrap=False)
"""Results."""

messages = Console(stderr=True, highlight=False)
"""Progress and remarks."""


def plain(text: str) -> str:
    """Without control characters, so that no model's text can steer a terminal."""
    return "".join(
        c if c in "\n\t" or not _controls(c) else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def safe(text: str, style: str = "") -> Text:
    """Text of unknown origin: no control characters, no markup."""
    return Text(plain(text), style=style)


def _controls(character: str) -> bool:
    # Cc are control characters, Cf format ones (direction overrides hide what a text says).
    return unicodedata.category(character) in ("Cc", "Cf")
