"""The label of a condition, such as `zero-shot` or `hint+icl:3`.

A label joins its parts with "+". A part is a name, optionally followed by ":" and an argument: the
part `icl:3` has the name `icl`.
"""

import re
from collections.abc import Iterable

ZERO_SHOT = "zero-shot"
"""The condition that varies nothing."""

_PART = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*(?::[a-z0-9.-]+)?")


def parts_of(label: str) -> tuple[str, ...]:
    """Returns the parts of a label, in order."""
    return tuple(label.split("+"))


def name_of(part: str) -> str:
    """Returns the name of one part, without its argument."""
    return part.partition(":")[0]


def argument_of(part: str) -> str:
    """Returns the argument of one part, or an empty text if it has none."""
    return part.partition(":")[2]


def varied_parts(label: str) -> frozenset[str]:
    """Returns the parts that vary something: all but `zero-shot`."""
    return frozenset(parts_of(label)) - {ZERO_SHOT}


def joined(parts: Iterable[str]) -> str:
    """Returns the label of several parts; `zero-shot` if there are none."""
    return "+".join(parts) or ZERO_SHOT


def is_well_formed(part: str) -> bool:
    """Whether a text can be one part of a label: NAME or NAME:ARGUMENT, in lower case."""
    return _PART.fullmatch(part) is not None
