"""A long reply costs time in proportion to its length, and the rules read only so much of it.

A new case is a line of `REPEATED`. The tests count the characters that regular expressions are
given, because times vary.
"""

import json
import re
from types import ModuleType
from typing import Any

import pytest

from proactive_agent.play.judges import naming
from proactive_agent.play.protocols import mcqa_parsers
from proactive_agent.play.protocols.mcqa_parsers import Choices, parse_lenient
from proactive_agent.tools import (
    Answer,
    Question,
    ToolCall,
    phrases,
    read_reply,
    reading,
    request_words,
)
from proactive_agent.tools.catalogue import ASK_CLARIFICATION
from proactive_agent.tools.phrases import LONGEST_READ
from proactive_agent.tools.toolsets import Toolset
from tests.hostile.attacking import no_stall

CATEGORIES = ("Cow.", "Goat.", "Deer.", "Red fox.")
SUGGESTIONS = Choices(["Move the camera left.", "I do not know."], ["Move the camera left."])

REPEATED = (
    "without moving it ", "move it ", "not move it ", "another angle ", "a cow, ", "not a cow or ",
    "is it a cow ", "cow ", "if it's a goat ", "a-", "move-", "it'", "'", "a", "A) ", "A. ",
    "the block is not moved ", "I would say it could be ", "more pixels less noise ", "<tool_call>",
    '{"name":', '{"name":"a"} ', "{ ", "_", "(", "a cow. ", "just ", "isn't a cow? ",
)  # fmt: skip
"""Texts that are repeated until a reply is long."""

COUNTED = (phrases, naming, request_words, reading, mcqa_parsers)
METHODS = ("search", "match", "fullmatch", "findall", "finditer", "sub")


class Counting:
    """A compiled pattern that counts the characters that it is given."""

    def __init__(self, pattern: re.Pattern[str], steps: list[int]) -> None:
        self.pattern = pattern
        self.steps = steps

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.pattern, name)
        if name not in METHODS:
            return found

        def counted(*given: Any, **more: Any) -> Any:
            text, start, end = (*given[int(name == "sub") :], 0, None)[:3]
            outcome = found(*given, **more)
            if isinstance(outcome, re.Match):
                end = outcome.end()
            self.steps.append((len(text) if end is None else end) - start)
            return outcome

        return counted


def with_counters(value: Any, steps: list[int]) -> Any:
    """Returns a value of a module with counters in place of its patterns."""
    if isinstance(value, re.Pattern):
        return Counting(value, steps)
    if isinstance(value, request_words.Words):
        return request_words.Words(*(Counting(pattern, steps) for pattern in value))  # type: ignore[arg-type]
    if isinstance(value, dict):
        return {key: with_counters(inner, steps) for key, inner in value.items()}
    return value


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    counted: list[int] = []
    for module in COUNTED:
        count_in(module, counted, monkeypatch)
    return counted


def count_in(module: ModuleType, counted: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in list(vars(module).items()):
        if not name.startswith("__") and isinstance(value, re.Pattern | request_words.Words | dict):
            monkeypatch.setattr(module, name, with_counters(value, counted))


def read_all(text: str) -> None:
    """Reads a text by every rule that reads what models write."""
    phrases.gives_up(text)
    phrases.requests_in(text)
    phrases.first_request(text)
    naming.settled_category(text, CATEGORIES)
    reading.categories_named(text, CATEGORIES)
    reading.calls_in_text(text)
    parse_lenient(text, SUGGESTIONS, Choices(CATEGORIES, ["Cow."]))


@pytest.mark.parametrize("repeated", REPEATED)
def test_twice_the_text_takes_at_most_twice_the_steps(repeated: str, steps: list[int]) -> None:
    counts = []
    for length in (4_000, 8_000):
        steps.clear()
        read_all(repeated * (length // len(repeated)))
        counts.append(sum(steps))
    assert counts[0] > 4_000
    assert counts[1] < 2.3 * counts[0]


@pytest.mark.parametrize("repeated", REPEATED)
def test_a_megabyte_is_read_in_part(repeated: str, steps: list[int]) -> None:
    text = repeated * (LONGEST_READ // len(repeated) + 1)
    read = (
        phrases.first_request,
        phrases.requests_in,
        lambda text: naming.settled_category(text, CATEGORIES),
    )
    counts = []
    for longer in (text, text * 50):
        steps.clear()
        for rule in read:
            rule(longer)
        counts.append(sum(steps))
    assert counts[0] == counts[1]


def test_the_record_says_how_much_was_read() -> None:
    long = "Please show me another angle. " * 2_000
    note = f"the rules read the first {LONGEST_READ:,} of {len(long.strip()):,} characters"
    toolset = Toolset((ASK_CLARIFICATION,))
    said = read_reply(long, (), toolset, CATEGORIES)
    assert isinstance(said.action, Question)
    assert said.notes == (note,)
    assert read_reply(f"A cow. {long}", (), toolset, CATEGORIES).action == Answer("Cow.")
    assert read_reply(f"{long} A cow.", (), toolset, CATEGORIES).action != Answer("Cow.")
    asked = ToolCall("ask_clarification", json.dumps({"question": long.strip()}))
    assert read_reply("", (asked,), toolset, CATEGORIES).notes == (note,)
    assert read_reply("Another angle, please.", (), toolset, CATEGORIES).notes == ()


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_deep_nesting_is_an_invalid_call(opening: str, depth: int) -> None:
    deep = opening * depth
    toolset = Toolset((ASK_CLARIFICATION,))
    with no_stall(10):
        for arguments in (deep, deep + "1" + deep[::-1].translate(str.maketrans("[{", "]}"))):
            call = ToolCall("ask_clarification", arguments)
            assert read_reply("", (call,), toolset, CATEGORIES).action.why == "bad_json"  # type: ignore[union-attr]
        (found,) = reading.calls_in_text(f'{{"name": "a", "arguments": {deep}').calls
        assert found.name == ""
