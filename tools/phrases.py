"""Rules that find the interventions that a text asks for, and whether the text gives up.

Used by the simulated user behind `ask_clarification`, for replies without a tool call, and by the
rule-based judge of open-ended answers.  An intervention without an argument means that the text
does not specify one ("move the block").  The words are in `request_words`.
"""

import re
from collections.abc import Iterator

from proactive_agent.tools import request_words as words
from proactive_agent.tools.actions import Intervention
from proactive_agent.tools.request_words import Words

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
_START = re.compile(r"^(?:an? |some |maybe |perhaps |just )*$")
"""Words that may precede a wish that is a whole sentence ("Another angle.")."""

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


def requests_in(text: str) -> list[Intervention]:
    """The interventions that a text asks for, in order and without duplicates."""
    found: dict[Intervention, None] = {}
    for sentence in _SENTENCE.findall(plain(text)):
        joined = " ".join(sentence.split())
        for intervention in (*_moves(joined), *_simple(joined), *_enhancements(joined)):
            found[intervention] = None
    return list(found)


def plain(text: str) -> str:
    """Normalises a text for the rules: lower case, straight quotes, spaces for underscores."""
    return text.casefold().replace("_", " ").replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")


def _moves(sentence: str) -> Iterator[Intervention]:
    directions = [name for name, rule in words.DIRECTIONS.items() if rule.search(sentence)]
    if _asked(words.FARTHER, sentence):
        yield Intervention("move_camera", "farther")
    elif _asked(words.MOVE_CAMERA, sentence) or (directions and _done(words.LOOK, sentence)):
        yield from _towards("move_camera", directions)
    elif _done(words.LOOK_ELSEWHERE, sentence):
        yield Intervention("move_camera")
    elif _asked(words.MOVE_OBJECT, sentence):
        yield from _towards("move_object", [d for d in directions if d in _SIDEWAYS])


def _simple(sentence: str) -> Iterator[Intervention]:
    for intervention, rule in words.SIMPLE.items():
        if _asked(rule, sentence):
            yield intervention
    if _asked(words.OTHER_VIEW, sentence):
        yield Intervention("rotate_object")
        yield Intervention("move_camera")


def _enhancements(sentence: str) -> Iterator[Intervention]:
    changes = _done(words.IMPROVE, sentence) or _wished(words.GIVE_BETTER, sentence)
    for operation, fault in words.ENHANCEMENTS.items():
        if (changes and _done(fault, sentence)) or _wanted_without(fault, sentence):
            yield Intervention("enhance_image", operation)


def _asked(rule: Words, sentence: str) -> bool:
    """Whether a sentence contains the rule's deed or wish, and means it as a request."""
    return _done(rule.deed, sentence) or _wished(rule.wish, sentence)


def _done(rule: re.Pattern[str], sentence: str) -> bool:
    """Whether the rule matches, and the match is neither negated nor already done."""
    return any(not _is_refused(match) for match in rule.finditer(sentence))


def _wished(rule: re.Pattern[str], sentence: str) -> bool:
    """Whether the sentence asks for the thing that the rule names, or consists only of its name."""
    wants = _wants(sentence)
    return any(
        not _is_refused(match) and (wants or _is_whole(match)) for match in rule.finditer(sentence)
    )


def _wants(sentence: str) -> bool:
    return bool(_WANTS.search(_SUPPOSES.sub("", sentence)))


def _is_whole(match: re.Match[str]) -> bool:
    """Whether the sentence consists of the match and at most a few more words."""
    before, after = match.string[: match.start()], match.string[match.end() :]
    return bool(_START.match(before)) and len(after.split()) <= _FEW_WORDS


def _wanted_without(fault: re.Pattern[str], sentence: str) -> bool:
    """Whether the sentence asks for a picture without this fault."""
    return _wants(sentence) and any(
        words.WITHOUT_FAULT.search(sentence[max(0, match.start() - _NEAR) : match.start()])
        for match in fault.finditer(sentence)
    )


def _is_refused(match: re.Match[str]) -> bool:
    before = match.string[max(0, match.start() - _NEAR) : match.start()]
    after = match.string[match.end() : match.end() + _NEAR]
    if _WITHOUT.search(before):
        # "Without moving it I cannot tell" is a request.
        return not _INABILITY.search(match.string)
    verb = match[0].split()[0]
    happens = (verb.endswith("ed") and _DONE_BEFORE.search(before)) or (
        verb.endswith("ing") and _GOING_ON.search(before)
    )
    happens = happens or _DONE_TO.search(before)
    is_fact = happens and not _TO_COME.search(before)
    return bool(is_fact or _NEGATION.search(before) or _NO_USE.search(after))


def _towards(tool: str, directions: list[str]) -> Iterator[Intervention]:
    if not directions:
        yield Intervention(tool)
    for direction in directions:
        yield Intervention(tool, direction)
