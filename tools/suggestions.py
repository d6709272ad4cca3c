"""Suggestions for misspelled names."""

from collections.abc import Iterable
from difflib import get_close_matches

LONGEST = 100
"""Characters of a name that are compared."""


def known_names(name: str, known: Iterable[str]) -> str:
    """Returns the end of an error message about an unknown name.

    For example "did you mean 'rod'? known: rod, vsod", or "known: rod, vsod" if none is similar.
    """
    names = list(known)
    near = similar_name(name, names)
    hint = f"did you mean {near!r}? " if near else ""
    return f"{hint}known: {', '.join(names)}"


def similar_name(name: str, known: Iterable[str]) -> str | None:
    """Returns the known name that a misspelled one is closest to, or None if none is similar."""
    by_case = {one.casefold(): one for one in known}
    near = get_close_matches(name[:LONGEST].casefold(), by_case, 1)
    return by_case[near[0]] if near else None
