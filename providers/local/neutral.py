"""Takes the meaning from a model's own markers where they stand in text that we send.

A question that holds `<image>` would ask for one picture more, one that holds `<|im_end|>` would
end the user's turn.  A space after the first character makes plain text of them.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

# What the text protocol itself is made of has to reach the model as it is.
_PROTOCOL = ("<tool_call>", "</tool_call>")
_IN_TEMPLATE = re.compile(r"</?\w[\w-]*>|<\|[^<>|\s]+\|>|\[/?[A-Z_]+\]")


def markers(special_tokens: Iterable[str | None], template: str) -> set[str]:
    """What must not stand in a text: the special tokens, and the marks that the template writes."""
    found = {*special_tokens, *_IN_TEMPLATE.findall(template)}
    return {m for m in found if m and _is_marker(m) and m not in _PROTOCOL}


def neutraliser(marks: Iterable[str]) -> Callable[[str], str]:
    """A function that breaks every one of the marks in a text; other text stays as it is."""
    longest_first = sorted(marks, key=len, reverse=True)
    if not longest_first:
        return str
    pattern = re.compile("|".join(map(re.escape, longest_first)))

    def neutralise(text: str) -> str:
        # Marks can overlap or nest (`<<image>image>`), so once through is not always enough.
        while pattern.search(text):
            text = pattern.sub(lambda match: f"{match[0][0]} {match[0][1:]}", text)
        return text

    return neutralise


def _is_marker(token: str) -> bool:
    # A tokenizer may call an ordinary word, a punctuation mark or white space special.
    return len(token) > 2 and not token.isalnum() and not re.search(r"\s", token)


def everywhere(value: Any, change: Callable[[str], str]) -> Any:
    """A JSON value with every text in it changed, the names of its fields excepted."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [everywhere(item, change) for item in value]
    if isinstance(value, dict):
        return {key: everywhere(item, change) for key, item in value.items()}
    return value
