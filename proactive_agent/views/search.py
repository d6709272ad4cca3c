"""Search queries for episodes: `wrong rod|coco ask_clarification turns>3 -abstain "red block"`.

An episode matches if it satisfies every word. A word is an outcome, a scenario, a failure group,
or a comparison with a number. Any other word is searched for in the fields that lists show:
sample, actions, answers, and the end of the episode. A quoted text is searched for in the whole
record: prompts, replies, arguments, messages. `-` before a word negates it; `|` separates
alternatives.
"""

import json
import operator
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from proactive_agent.records.describe import name_of, steps_of
from proactive_agent.records.failures import Episode, group, is_group_name
from proactive_agent.scenarios import SCENARIOS
from proactive_agent.tools import UserError
from proactive_agent.tools.suggestions import known_names
from proactive_agent.views.divergence import CHANGES

Test = Callable[[Episode], bool]
ReadLine = Callable[[], bytes]
"""Returns the line of `episodes.jsonl` that holds the episode."""

_WORD = re.compile(r'-?"[^"]*"?|\S+')
_COMPARISON = re.compile(r"(\w+)(<=|>=|!=|=|<|>)(-?\d+(?:\.\d+)?)")
_SIGN = re.compile(r"[<>=]")
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "=": operator.eq, "!=": operator.ne,
}  # fmt: skip
NUMBERS: dict[str, Callable[[Episode], float | None]] = {
    "turns": lambda e: e.outcome.turns,
    "asked": lambda e: e.outcome.suggestions,
    "fewest": lambda e: e.fewest,
    "repeat": lambda e: e.repeat + 1,
    "input": lambda e: e.usage.input_tokens,
    "output": lambda e: e.usage.output_tokens,
    "cost": lambda e: e.usage.cost_usd,
    "seconds": lambda e: e.usage.seconds,
}
"""The numbers of an episode that queries compare and lists sort by."""
OUTCOMES: dict[str, Test] = {
    "wrong": lambda e: e.error is None and not e.outcome.correct,
    "correct": lambda e: e.outcome.correct,
    "error": lambda e: e.error is not None,
    "errors": lambda e: e.error is not None,
}


class _Word(NamedTuple):
    holds: Callable[[Episode, ReadLine], bool]
    whole_record: bool
    """Whether `holds` reads the line."""


class Search:
    """A parsed query. Raises UserError for a comparison that cannot be read."""

    def __init__(self, query: str, *, with_changes: bool = False) -> None:
        """`with_changes`: two runs are compared, so that words such as `gained` name changes."""
        self.changes = frozenset(CHANGES)
        """The wanted changes; `matches` ignores them."""
        words = []
        for written in _WORD.findall(query):
            named = _changes(written) if with_changes else None
            if named is None:
                words.append(_word(written))
            else:
                self.changes &= named
        # Reading whole records is slow, so these words come last.
        self._words = sorted(words, key=lambda word: word.whole_record)

    @property
    def reads_records(self) -> bool:
        """Whether any word of the query needs whole records."""
        return any(word.whole_record for word in self._words)

    def matches(self, episode: Episode, read_line: ReadLine) -> bool:
        """Whether an episode matches every word."""
        return all(word.holds(episode, read_line) for word in self._words)


def haystack(episode: Episode) -> str:
    """Returns the fields of an episode that lists show, in lower case."""
    failure = group(episode)
    parts: Iterable[str | None] = (
        name_of(episode), episode.outcome.stop, failure and failure.name, failure and failure.title,
        steps_of(episode), episode.answer, episode.target,
    )  # fmt: skip
    return "\n".join(part for part in parts if part).casefold()


def _changes(word: str) -> frozenset[str] | None:
    """Returns the changes that a word names, or None if it names none."""
    negated = word.startswith("-")
    named = frozenset(word.removeprefix("-").casefold().split("|"))
    if not named <= frozenset(CHANGES):
        return None
    return frozenset(CHANGES) - named if negated else named


def _word(word: str) -> _Word:
    if word.startswith("-") and len(word) > 1:
        inner = _word(word[1:])
        return _Word(lambda e, line: not inner.holds(e, line), inner.whole_record)
    if word.startswith('"'):
        return _whole_record(word.strip('"'))
    alternatives = [_test(part) for part in word.casefold().split("|") if part]
    return _Word(lambda e, line: any(test(e) for test in alternatives), False)


def _test(word: str) -> Test:
    """Returns the test that an unquoted word stands for."""
    if word in OUTCOMES:
        return OUTCOMES[word]
    if word in SCENARIOS:
        return lambda e: e.scenario == word
    if is_group_name(word):
        return lambda e: (failure := group(e)) is not None and failure.name == word
    if compared := _COMPARISON.fullmatch(word):
        return _comparison(*compared.groups())
    begun = word[: match.start()] if (match := _SIGN.search(word)) else word
    if match and (not begun or begun in NUMBERS):
        raise UserError(
            f"{word!r} in the query cannot be read: a comparison is a number of the episode, a "
            "sign and a value without spaces, for example turns>3 or cost<=0.01; quote a text that "
            'contains such signs: "a > b"'
        )
    return lambda e: word in haystack(e)


def _whole_record(text: str) -> _Word:
    # Records are JSON, so the text is searched for in its JSON form, ignoring case.
    needle = json.dumps(text, ensure_ascii=False)[1:-1].casefold()
    return _Word(lambda e, line: needle in line().decode("utf-8", "replace").casefold(), True)


def _comparison(name: str, sign: str, number: str) -> Test:
    if name not in NUMBERS:
        raise UserError(f"unknown number {name!r} in the query; {known_names(name, NUMBERS)}")
    value_of, compare, wanted = NUMBERS[name], _OPERATORS[sign], float(number)

    def holds(episode: Episode) -> bool:
        value = value_of(episode)
        return value is not None and compare(value, wanted)

    return holds
