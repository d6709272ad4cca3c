"""Hypothesis strategies that spoil good inputs: JSON values, lines and files."""

import copy
import json
from typing import Any

from hypothesis import strategies as st

from tests.hostile.records import EVIL

TEXTS = st.one_of(
    st.sampled_from(
        ["", EVIL, "\ud800", "\x00", "=1+1", "../../x", "\u202e", "a" * 3000, "[red]x[/]", "\r\n",
         "NaN", "</script>", "rod", "Cat.", "9" * 30]
    ),
    st.text(max_size=30),
)  # fmt: skip
NUMBERS = st.sampled_from(
    [0, -1, 1, 2, 10**6, 2**31, 2**63, 2**70, -(10**12), 0.5, -0.0, 1e308, 5e-324, float("nan"),
     float("inf"), float("-inf"), True, False, None]
)  # fmt: skip
LEAVES = st.one_of(NUMBERS, TEXTS)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Returns the paths to everything inside a JSON value."""
    found = []
    inner: Any = ()
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    for key, one in inner:
        found += [(*path, key), *places(one, (*path, key))]
    return found


@st.composite
def spoiled(draw: st.DrawFn, good: Any) -> Any:
    """A JSON value with up to three values replaced, removed or repeated."""
    value = copy.deepcopy(good)
    for _ in range(draw(st.integers(1, 3))):
        every = places(value)
        if not every:
            break
        *way, last = draw(st.sampled_from(every))
        holder = value
        for key in way:
            holder = holder[key]
        match draw(st.sampled_from(["replace", "replace", "replace", "remove", "repeat"])):
            case "replace":
                holder[last] = draw(VALUES)
            case "remove":
                del holder[last]
            case _ if isinstance(holder, list):
                holder.insert(last, copy.deepcopy(holder[last]))
            case _:
                holder[draw(TEXTS)] = holder[last]
    return value


@st.composite
def spoiled_bytes(draw: st.DrawFn, good: bytes) -> bytes:
    """A file that was cut, or in which some bytes were changed, removed or repeated."""
    content = bytearray(good)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.integers(0, 40)))
        match draw(st.sampled_from(["cut", "change", "remove", "repeat", "insert"])):
            case "cut":
                del content[start:]
            case "change":
                content[start:end] = draw(st.binary(min_size=end - start, max_size=end - start))
            case "remove":
                del content[start:end]
            case "repeat":
                content[start:start] = content[start:end]
            case _:
                content[start:start] = draw(
                    st.sampled_from([b"\n", b"\x00", b"[" * 3000, b'{"a":', b"\xff", b"9" * 5000])
                )
    return bytes(content)


def spoiled_json(good: Any) -> st.SearchStrategy[bytes]:
    """A line of JSON with spoiled values, or with spoiled bytes."""
    text = json.dumps(good).encode()
    return st.one_of(spoiled(good).map(_dumped), spoiled_bytes(text))


def _dumped(value: Any) -> bytes:
    return json.dumps(value).encode()
