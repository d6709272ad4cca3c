"""Corrects misspelled key words of requests, by one edit: swapped, missing or extra letters.

People mistype, and a user would still understand them. Only words that the rules search for are
corrected, and only if the misspelling is not a word itself.
"""

import re
from functools import cache

_KEYS = """
move moving shift slide slides remove block blocks object objects obstacle obstruction foreground
left right rewind video frame frames continue forward earlier previous later rotate rotating angle
around perspective turning bright brightness brighter contrast saturation sharpen sharper blurry
deblur noise denoise reduce increase improve adjust compression resolution artifacts camera upwards
downwards farther further zoom drawing sketch details detail stroke strokes picture image clearer
another different please could would
"""
KEY_WORDS = frozenset(_KEYS.split())

_REAL = """
alter angel anther bight burry father froward pervious rotting shaper sharer stoke tuning turing
"""
REAL_WORDS = frozenset(_REAL.split())
"""Words that are one edit away from a key word and mean something else."""

_WORD = re.compile(r"[a-z]{4,14}")
_ENDINGS = ("s", "d", "r", "n", "y", "ed", "ing")


def corrected(text: str) -> str:
    """Returns a lower-case text with its misspelled key words corrected."""
    return _WORD.sub(lambda match: _word(match[0]), text)


@cache
def _misspelled() -> dict[str, str]:
    """The misspellings by swapped and missing letters. The ends of words are seldom mistyped."""
    found: dict[str, str] = {}
    for word in sorted(KEY_WORDS):
        for place in range(len(word) - 1):
            swapped = word[:place] + word[place + 1] + word[place] + word[place + 2 :]
            found.setdefault(swapped, word)
            if place and len(word) > 5:
                found.setdefault(word[:place] + word[place + 1 :], word)
    return {wrong: word for wrong, word in found.items() if wrong not in KEY_WORDS | REAL_WORDS}


def _word(word: str) -> str:
    if word in KEY_WORDS or word in REAL_WORDS:
        return word
    if word in _misspelled():
        return _misspelled()[word]
    for place in range(1, len(word) - 1):
        shorter = word[:place] + word[place + 1 :]
        if len(shorter) > 5 and shorter in KEY_WORDS and not word.endswith(_ENDINGS):
            return shorter
    return word
