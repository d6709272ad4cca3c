"""Breaks a model's special marks in the text of messages.

A question that contains `<image>` would stand for another picture, and `<|im_end|>` would end the
user's turn. A space after the first character turns such a marker into plain text.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

# The marks of the text protocol for tools must reach the model unchanged.
_PROTOCOL = ("<tool_call>", "</tool_call>")
_IN_TEMPLATE = re.compile(r"</?\w[\w-]*>|<\|[^<>|\s]+\|>|\[/?[A-Z_]+\]")


def markers(special_tokens: Iterable[str | None], template: str) -> set[str]:
    """Markers that must not occur in a text: special tokens and the marks of the template."""
    found = {*special_tokens, *_IN_TEMPLATE.findall(template)}
    return {m for m in found if m and _is_marker(m) and m not in _PROTOCOL}


def neutraliser(marks: Iterable[str]) -> Callable[[str], str]:
    """Returns a function that breaks all of these marks in a text and keeps the rest unchanged."""
    longest_first = sorted(marks, key=len, reverse=True)
    if not longest_first:
        return str
    pattern = re.compile("|".join(map(re.escape, longest_first)))

    def neutralise(text: str) -> str:
        # Marks can overlap or nest (`<<image>image>`), so one pass is not always enough.
        while pattern.search(text):
            text = pattern.sub(lambda match: f"{match[0][0]} {match[0][1:]}", text)
        return text

    return neutralise


def _is_marker(token: str) -> bool:
    # Some tokenizers list ordinary words, punctuation or white space as special tokens.
    return len(token) > 2 and not token.isalnum() and not re.search(r"\s", token)


def map_strings(value: Any, change: Callable[[str], str]) -> Any:
    """Applies `change` to every string of a JSON value, except to the keys of objects."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [map_strings(item, change) for item in value]
    if isinstance(value, dict):
        return {key: map_strings(item, change) for key, item in value.items()}
    return value
