"""Labels as people write them, made into categories that every parser can read."""

import re

from proactive_agent.scenarios.builder.errors import BuildError

_INITIAL = re.compile(r"[A-Z]\.")
"""A capital letter and a full stop.  The published parser takes it for an option's letter and drops
the text up to there, so a reply that repeats the category would no longer be recognised."""


def category(label: str, place: str) -> str:
    """The category of a label: `coffee_cup` becomes `Coffee cup.`.

    Raises BuildError, naming `place`, where no parser could read it.
    """
    words = " ".join(label.replace("_", " ").split()).rstrip(". ")
    if not words:
        raise BuildError(f"{place}: label: {label!r} is empty")
    if not words.isprintable():
        raise BuildError(f"{place}: label: {label!r} holds control characters")
    capital = words[0].upper()
    text = (capital if len(capital) == 1 else words[0]) + words[1:] + "."
    if found := _INITIAL.search(text):
        raise BuildError(
            f"{place}: label: {label!r} would hold {found.group()!r}, and the published parser "
            "drops everything up to a capital letter and a full stop; write it differently"
        )
    return text


def parser_key(text: str) -> str:
    """What the published parser compares of an option: no spaces, no capitals."""
    return text.lower().replace(" ", "").strip()


class Labels:
    """The categories met so far.  Two labels that a parser cannot tell apart are refused."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[str, str]] = {}

    def add(self, label: str, place: str) -> str:
        """The category of a label.  Raises BuildError where it clashes with another label."""
        text = category(label, place)
        known, first = self._seen.setdefault(parser_key(text), (label, place))
        if known != label:
            raise BuildError(
                f"{place}: label: {label!r} reads like {known!r} ({first}), so no reply could tell "
                "them apart"
            )
        return text

    def categories(self) -> list[str]:
        """Every category, sorted."""
        return sorted(category(label, place) for label, place in self._seen.values())
