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
    by_case = {one.casefold(): one for one in names}
    near = get_close_matches(name[:LONGEST].casefold(), by_case, 1)
    hint = f"did you mean {by_case[near[0]]!r}? " if near else ""
    return f"{hint}known: {', '.join(names)}"
