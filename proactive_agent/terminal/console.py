"""The console, and text of unknown origin made safe for it."""

import json
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


def safe_json(line: bytes) -> str:
    """A line of JSON for a terminal: control characters are written as JSON escapes."""
    text = line.decode("utf-8", "replace").rstrip("\n")
    if text.isprintable():
        return text
    return "".join(c if plain(c) == c else json.dumps(c)[1:-1] for c in text)


def _controls(character: str) -> bool:
    # Cc are control characters, Cf format ones (direction overrides hide what a text says).
    return unicodedata.category(character) in ("Cc", "Cf")
