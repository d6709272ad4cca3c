"""Rules that find the interventions that a text asks for, and whether the text gives up.

Used by the simulated user behind `ask_clarification`, for replies without a tool call, and by the
rule-based judge of open-ended answers. An intervention without an argument means that the text
does not specify one ("move the block"). The words are in `request_words`.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from proactive_agent.tools import request_words as words
from proactive_agent.tools.actions import Intervention
from proactive_agent.tools.request_words import Words
from proactive_agent.tools.typos import corrected

LONGEST_READ = 20_000
"""Characters of a text that the rules read. A message of some thousand tokens is shorter."""

_SENTENCE = re.compile(r"[^.;!?\n]+\??")
_SIDEWAYS = ("left", "right")
_FEW_WORDS = 3
_NEAR = 300
"""Number of characters around a phrase that the rules read."""

_WANTS = re.compile(
    r"\?|\b(?:please|kindly|could|can (?:you|we|i|someone|somebody)|may (?:i|we)|might|would|"
    r"should|need\w*|want\w*|wish\w*|like to|must|have to|has to|let|if|unless|until|help\w*|"
    r"requir\w*|necessary|after|perhaps|try|suggest\w*|recommend\w*|prefer\w*|request\w*|"
    r"allow\w*|enable\w*|better|(?:able|possible|good|nice|love|useful|easier) to see|"
    r"without)\b|'d\b"
    r"|(?:^|\b(?:and|then|or|just|so)\b|,) ?"
    r"(?:show|give|provide|present|take|get|send|share|bring|try|use|see|look|go|have)\b"
)
"""Words of a sentence that asks for something instead of describing the picture."""
_SUPPOSES = re.compile(
    r"\b(?:could|can|might|may|must|should|would) (?:\w+ly |also |well )?"
    r"be (?!\w+ed\b|taken|turned|spun|shown|put|slid|able|good|nice|great|fine|ideal|perfect|"
    r"helpful|useful|needed|possible)"
    r"|\bif (?:i|you|one) (?:\w+ ){0,2}?(?:guess|choose|pick)\b"
    r"|\bi(?:'d| would) (?:say|guess|bet)\b"
)
"""Phrases of a sentence that guesses what the picture shows."""
_FILLER = re.compile(r"(?:an?|some|maybe|perhaps|just) ")
"""A word that may precede a wish that is a whole sentence ("Another angle.")."""

_NEGATION = re.compile(
    r"(?:\bnot|n't|\bcannot|\bnever|\binstead of|\brather than|\bunnecessary to|\bstop|"
    r"\bdo without) (?:\w+ ){0,2}$"
    r"|\bno (?:need|reason|point|use|sense) (?:\w+ )?(?:to|for|in) (?:\w+ ){0,5}$"
    r"|\bno (?:\w+ )?$"
)
_WITHOUT = re.compile(r"\bwithout (?:\w+ ){0,2}$")
_INABILITY = re.compile(r"\b(?:impossible|can't|cannot|can not|unable|no way|hard|difficult)\b")
_GOING_ON = re.compile(r"(?:\b(?:is|are|was|were|am)|'s|'re|'m) (?:\w+ )?$")
_DONE_BEFORE = re.compile(r"(?:'ve|\bhave|\bhas|\bhad|\bbeen|\bwas|\balready) (?:\w+ )?$")
_DONE_TO = re.compile(r"\b(?:been|was|were) \w+ed to $")
_TO_COME = re.compile(r"\b(?:after|once|until|when|unless|if)\b")
_NO_USE = re.compile(
    r"^ (?:[\w'-]+ ){0,5}?(?:not|\w+n't|no) (?:\w+ )?"
    r"(?:help|need|necessary|required|useful|use\b|change|matter|bring|add|reveal|difference)"
)

_GIVES_UP = re.compile(
    r"\b(?:can't|cannot|can not|could not|couldn't|unable to|not able to|impossible to) "
    r"(?:\w+ ){0,3}?(?:tell|determine|identify|say|see|answer|know|recogni[sz]e|make out|discern)\b"
    r"|\b(?:do not|don't) know\b|\bno idea\b|\bnot sure\b"
    r"|\b(?:not enough|insufficient) (?:\w+ )?(?:information|detail|context)\b"
)


def gives_up(text: str) -> bool:
    """Whether a text says that no answer is possible and asks for nothing."""
    return "?" not in text and bool(_GIVES_UP.search(plain(text))) and not requests_in(text)


class AskedFor(NamedTuple):
    """The first change that a text asks for."""

    interventions: tuple[Intervention, ...]
    """All changes that the words can mean: "continue" can ask for the next frame of a video or for
    more strokes of a drawing. Empty if the text asks for no change."""
    is_vague: bool
    """Whether it can also be a vague request for help or a better picture ("more details")."""


def first_request(text: str) -> AskedFor:
    """Returns the first change that a text asks for.

    The time is linear in the length of the text.
    """
    sentences = list(map(_RequestSentence, _sentences(corrected(plain(text)))))
    for before, sentence in zip([_RequestSentence(""), *sentences], sentences, strict=False):
        if hits := _hits(sentence) or _mended(sentence, before):
            start, end = hits[0].start, hits[0].end
            readings: dict[str, Intervention] = {}
            for hit in hits:
                # A longer phrase names a second change: "more details angle video".
                if (hit.start, hit.end) == (start, end):
                    # Of one rule only the first counts: "left or right" means left.
                    readings.setdefault(hit.rule, hit.intervention)
            general = any(
                match.start() <= start < match.end() for match in words.HELP.finditer(sentence.text)
            )
            return AskedFor(tuple(dict.fromkeys(readings.values())), general)
    return AskedFor((), any(_wished(words.HELP, one) for one in sentences))


def requests_in(text: str) -> list[Intervention]:
    """The interventions that a text asks for, in order and without duplicates.

    The time is linear in the length of the text.
    """
    sentences = map(_RequestSentence, _sentences(plain(text)))
    return list(dict.fromkeys(hit.intervention for s in sentences for hit in _hits(s)))


def _sentences(text: str) -> dict[str, None]:
    # Models repeat themselves; a repeated sentence asks for nothing new.
    return dict.fromkeys(" ".join(s.split()) for s in _SENTENCE.findall(text))


def length_notes(text: str) -> tuple[str, ...]:
    """Returns a note for the record of a text that the rules do not read to its end."""
    if len(text) <= LONGEST_READ:
        return ()
    return (f"the rules read the first {LONGEST_READ:,} of {len(text):,} characters",)


def plain(text: str) -> str:
    """Normalises a text for the rules: lower case, straight quotes, spaces for underscores.

    Cuts it after `LONGEST_READ` characters.
    """
    text = text[:LONGEST_READ]
    return text.casefold().replace("_", " ").replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")


class _RequestSentence:
    """A sentence whose words are separated by single spaces.

    Rules can match at every word, so whatever concerns the whole sentence is found only once.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def wants(self) -> bool:
        """Whether it asks for something."""
        return bool(_WANTS.search(_SUPPOSES.sub("", self.text)))

    @cached_property
    def is_unable(self) -> bool:
        """Whether it says that something is not possible."""
        return bool(_INABILITY.search(self.text))

    def consists_of(self, match: re.Match[str]) -> bool:
        """Whether it consists of the match and at most a few more words."""
        return match.start() in self._starts and match.end() >= self._last_words

    @cached_property
    def _starts(self) -> set[int]:
        """The places that only fillers precede."""
        start, starts = 0, {0}
        while filler := _FILLER.match(self.text, start):
            start = filler.end()
            starts.add(start)
        return starts

    @cached_property
    def _last_words(self) -> int:
        """The place after which there are at most `_FEW_WORDS` words."""
        before, *words = self.text.rsplit(" ", _FEW_WORDS)
        return len(before) if len(words) == _FEW_WORDS else 0


class _Hit(NamedTuple):
    """A part of a sentence that asks for an intervention."""

    start: int
    """Position of the request's first character."""
    end: int
    """Position after the phrase that names the intervention."""
    detail: int
    """Position of the direction or of the picture's fault. Orders several that one verb governs."""
    rule: str
    """Name of the rule that found it. At one position, each rule adds at most one meaning."""
    intervention: Intervention


def _hits(sentence: _RequestSentence) -> list[_Hit]:
    """Returns everything that a sentence asks for, in the order of the text."""
    found = [*_moves(sentence), *_simple(sentence), *_enhancements(sentence)]
    return sorted(found, key=lambda hit: (hit.start, hit.end, hit.detail))


def _moves(sentence: _RequestSentence) -> Iterator[_Hit]:
    directions = _directions(sentence)
    sideways = {name: place for name, place in directions.items() if name in _SIDEWAYS}
    if place := _done(words.MOVE_PILE, sentence):
        yield from _towards("move_object", place, sideways)
    if place := _asked(words.FARTHER, sentence):
        yield _hit(place, "move", Intervention("move_camera", "farther"))
    elif (place := _asked(words.MOVE_CAMERA, sentence)) or (
        directions and (place := _done(words.LOOK, sentence))
    ):
        yield from _towards("move_camera", place, directions)
    elif place := _done(words.LOOK_ELSEWHERE, sentence):
        yield _hit(place, "move", Intervention("move_camera"))
    elif place := _asked(words.MOVE_OBJECT, sentence):
        yield from _towards("move_object", place, sideways)


def _directions(sentence: _RequestSentence) -> dict[str, int]:
    """Returns the directions that a sentence names, each with its first position.

    "The block on the right" names a location. It counts only if no other direction is named.
    """
    found = {name: list(rule.finditer(sentence.text)) for name, rule in words.DIRECTIONS.items()}
    aims = {
        name: [m for m in matches if not words.LOCATION.search(_before(m))]
        for name, matches in found.items()
    }
    chosen = aims if any(aims.values()) else found
    return {name: matches[0].start() for name, matches in chosen.items() if matches}


def _simple(sentence: _RequestSentence) -> Iterator[_Hit]:
    for intervention, rule in words.SIMPLE.items():
        if place := _asked(rule, sentence):
            yield _hit(place, str(intervention), intervention)
    if place := _asked(words.OTHER_VIEW, sentence):
        for tool in ("rotate_object", "move_camera"):
            yield _hit(place, f"view by {tool}", Intervention(tool))


def _enhancements(sentence: _RequestSentence) -> Iterator[_Hit]:
    verb = _done(words.IMPROVE, sentence) or _wished(words.GIVE_BETTER, sentence)
    for operation, fault in words.ENHANCEMENTS.items():
        place = _done(fault, sentence) if verb else None
        if place := place or _wanted_without(fault, sentence):
            start, end = place.span()
            begin = min(verb.start(), start) if verb else start
            yield _Hit(begin, end, start, "enhance", Intervention("enhance_image", operation))


def _mended(sentence: _RequestSentence, before: _RequestSentence) -> list[_Hit]:
    """Returns the faults that the previous sentence names, if this one asks to repair them."""
    place = _done(words.FAULT_BEFORE, sentence)
    if place is None:
        return []
    places = (
        (match.start(), operation)
        for operation, fault in words.ENHANCEMENTS.items()
        if (match := fault.search(before.text))
    )
    return [
        _Hit(*place.span(), named, "enhance", Intervention("enhance_image", operation))
        for named, operation in sorted(places)
    ]


def _asked(rule: Words, sentence: _RequestSentence) -> re.Match[str] | None:
    """Returns the first match of the rule's verb or noun that is a request, or None."""
    places = (_done(rule.deed, sentence), _wished(rule.wish, sentence))
    return min((place for place in places if place), key=re.Match.start, default=None)


def _done(rule: re.Pattern[str], sentence: _RequestSentence) -> re.Match[str] | None:
    """Returns the first match of a verb that is neither negated nor already done, or None."""
    return next((m for m in rule.finditer(sentence.text) if not _is_refused(m, sentence)), None)


def _wished(rule: re.Pattern[str], sentence: _RequestSentence) -> re.Match[str] | None:
    """Returns the first match of a noun that the sentence asks for or consists of, or None."""
    return next(
        (
            match
            for match in rule.finditer(sentence.text)
            if (sentence.wants or sentence.consists_of(match)) and not _is_refused(match, sentence)
        ),
        None,
    )


def _wanted_without(fault: re.Pattern[str], sentence: _RequestSentence) -> re.Match[str] | None:
    """Returns the first match in "a picture without this fault", or None."""
    if not sentence.wants:
        return None
    matches = fault.finditer(sentence.text)
    return next((m for m in matches if words.WITHOUT_FAULT.search(_before(m))), None)


def _before(match: re.Match[str]) -> str:
    """The text before a match, at most `_NEAR` characters."""
    return match.string[max(0, match.start() - _NEAR) : match.start()]


def _is_refused(match: re.Match[str], sentence: _RequestSentence) -> bool:
    before = _before(match)
    after = match.string[match.end() : match.end() + _NEAR]
    if _WITHOUT.search(before):
        # "Without moving it I cannot tell" is a request.
        return not sentence.is_unable
    verb = match[0].split()[0]
    happens = (verb.endswith("ed") and _DONE_BEFORE.search(before)) or (
        verb.endswith("ing") and _GOING_ON.search(before)
    )
    happens = happens or _DONE_TO.search(before)
    is_fact = happens and not _TO_COME.search(before)
    return bool(is_fact or _NEGATION.search(before) or _NO_USE.search(after))


def _towards(tool: str, place: re.Match[str], directions: Mapping[str, int]) -> Iterator[_Hit]:
    if not directions:
        yield _hit(place, "move", Intervention(tool))
    for direction, named in directions.items():
        yield _Hit(*place.span(), named, "move", Intervention(tool, direction))


def _hit(place: re.Match[str], rule: str, intervention: Intervention) -> _Hit:
    return _Hit(*place.span(), place.start(), rule, intervention)
