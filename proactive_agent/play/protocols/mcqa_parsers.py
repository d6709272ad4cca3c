"""Parsers of a multiple-choice reply.

See `docs/protocol.md`, section "Reading a multiple-choice reply". `official` reproduces the
published parser exactly. It is strict, and its numbers are comparable with the paper's. `lenient`
is this project's own. It also understands a missing full stop, `A) …`, bold type, upper case and
"The answer is …". The record of a turn holds the verdicts of both.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from proactive_agent.scenarios import Verdict, Verdicts
from proactive_agent.scenarios.wording import letter


class Choices(NamedTuple):
    """One list of the multiple choice: its options, and those accepted in this state."""

    options: Sequence[str]
    accepted: Sequence[str]


class Parsed(NamedTuple):
    """The option that a reply names in each of the two lists."""

    verdicts: Verdicts
    suggestion: str | None
    """The suggestion or abstention named."""
    category: str | None


def parse_official(reply: str, suggestions: Choices, categories: Choices) -> Parsed:
    """Parses a reply as published; the two lists are judged separately."""
    suggestion = _official(reply, suggestions, shift=0)
    category = _official(reply, categories, shift=len(suggestions.options))
    return Parsed(Verdicts(suggestion[0], category[0]), suggestion[1], category[1])


def parse_lenient(reply: str, suggestions: Choices, categories: Choices) -> Parsed:
    """Parses a reply as a person would; an ambiguous reply names no option."""
    official = parse_official(reply, suggestions, categories)
    if official.verdicts != Verdicts("mismatch", "mismatch"):
        return official
    options = [*suggestions.options, *categories.options]
    index = _lenient(reply, options)
    if index is None:
        return official
    if index < len(suggestions.options):
        chosen = suggestions.options[index]
        return Parsed(Verdicts(_verdict(chosen, suggestions), "mismatch"), chosen, None)
    chosen = options[index]
    return Parsed(Verdicts("mismatch", _verdict(chosen, categories)), None, chosen)


def _verdict(chosen: str, choices: Choices) -> Verdict:
    return "correct" if chosen in choices.accepted else "wrong"


def _official(reply: str, choices: Choices, shift: int) -> tuple[Verdict, str | None]:
    options, accepted = choices
    by_text = _find(
        _standard_text(reply),
        [_standard_text(option) for option in options],
        [_standard_text(option) for option in accepted],
    )
    if by_text is not None:
        return by_text[0], options[by_text[1]]
    by_letter = _find(
        _standard_letter(reply),
        [_standard_letter(letter(shift + i)) for i in range(len(options))],
        [_standard_letter(letter(shift + options.index(option))) for option in accepted],
    )
    if by_letter is not None:
        return by_letter[0], options[by_letter[1]]
    return "mismatch", None


def _find(said: str, all_: list[str], accepted: list[str]) -> tuple[Verdict, int] | None:
    if said in accepted:
        return "correct", all_.index(said)
    if said in all_:
        return "wrong", all_.index(said)
    return None


def _standard_text(text: str) -> str:
    """Removes everything up to the last "capital letter, full stop" on the first line."""
    return re.sub(r"^.*[A-Z]\.\s*", "", text).lower().strip().replace(" ", "")


def _standard_letter(text: str) -> str:
    """Returns the text before the first full stop if it is at most one character long."""
    before = text.split(".")[0].lower().strip()
    return before if len(before) <= 1 else "#"


_LEAD = re.compile(
    r"^(?:(?:so|thus|therefore|hence)[, ]+)?(?:(?:the|my) )?(?:(?:final|correct|best|right) )?"
    r"(?:answer|option|choice|response)(?: would be| should be| is|:|=)+:? *|"
    r"^(?:i(?:'d| would| will|'ll)? (?:choose|pick|select|go with)|option|choice)(?: option)?:? +",
    re.IGNORECASE,
)
_LETTERED = re.compile(r"^[(\[]?([A-Za-z])(?:[)\].:,]+|\s*[-–—]\s|$)\s*(.*)$", re.DOTALL)
_MARKUP = str.maketrans("", "", '*_`#"“”')


def _lenient(reply: str, options: Sequence[str]) -> int | None:
    """Returns the index of the one option that the reply names."""
    said = reply.translate(_MARKUP).strip()
    said = _LEAD.sub("", said, count=1).strip()
    plain = [_plain(option) for option in options]
    if _plain(said) in plain:
        return plain.index(_plain(said))
    if match := _LETTERED.match(said):
        index = ord(match[1].upper()) - ord("A")
        rest = _plain(match[2])
        if index < len(options) and (not rest or _contained(rest, plain) in (None, index)):
            return index
        return None
    return _contained(_plain(said), plain)


def _contained(text: str, plain: list[str]) -> int | None:
    """Returns the index of the only option that the text contains as whole words."""
    found = []
    for option in sorted((o for o in plain if o), key=len, reverse=True):
        text, count = re.subn(rf"(?<!\w){re.escape(option)}(?!\w)", "\0", text)
        if count:
            found.append(option)
    return plain.index(found[0]) if len(found) == 1 else None


def _plain(text: str) -> str:
    return " ".join(text.casefold().strip().strip(".!,;:").split())
