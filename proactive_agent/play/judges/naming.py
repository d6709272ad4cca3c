"""Finds the category that a text settles on, by rules over words.

A category counts if the text names it without ruling it out, asking about it or leaving it in
doubt. If several count, the one in a conclusion wins.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from proactive_agent.tools.phrases import plain

_NEAR = 300
"""Characters of context on each side of a name."""
_LONGEST_RULING_OUT = 150
"""Characters before a name in which the words that rule it out begin."""
_LONGEST_OR = 40
"""Characters before a name in which a preceding "or" begins."""
_SENTENCE = re.compile(r"[^.;!?\n]+[.;!?\n]?")
_RULED_OUT = re.compile(
    r"(?:\bnot|n't|\bcannot|\bno|\bnever|\bneither|\bnor|\bwithout|\brather than|\binstead of|"
    r"\bunlike|\bhardly|\bexclud\w*|\brul\w* out|\b(?:any|every)thing (?:but|except))"
    r"(?: (?:be|been|being|seem\w*|look\w*|like|to|really|actually|just|necessarily|believe|think|"
    r"say|it|it's|this|that|there|is|are|show|contain|include|see|find|make|out|spot|detect|"
    r"recogni[sz]e|identify)){0,5} (?:an? |the |any |some )?$"
)
_RULED_OUT_AFTER = re.compile(
    r"^ (?:(?:is|are|was|were|can|could|does|do)(?:n't| not)|cannot|(?:is|can be|are) "
    r"(?:ruled out|excluded|unlikely|out of the question))\b"
)
_IN_DOUBT = re.compile(
    r"\b(?:whether|which of|one of|between|either|if|options?|choices|candidates|categories|"
    r"such as|for example|similar to|shaped like|used to be|"
    r"not (?:\w+ )?(?:sure|certain|convinced) (?:that |it|this|there))\b"
)
_IF_I_MUST = re.compile(r"\bif (?:i|you|one) (?:\w+ ){0,2}?(?:guess|choose|pick|insist|must|bet)\b")
"""Introduces a guess, so it does not express doubt."""
_SUPPOSED = re.compile(
    r"^ (?:(?:\w+ ){0,2}?if (?:it|this|that|there)|would (?:have|be|look|not|need|require|show))\b"
)
_SHOW_IT = re.compile(r"^(?:please )?(?:show|include|reveal|bring|get) (?:me |us )?(?:the |an? )?$")
_ASKED = re.compile(
    r"\b(?:is|are|was|were|does|do|can|could|might|would) (?:it|this|that|there|these|those|they)\b"
    r"|^(?:is|are|was|were|does|did|do|can|could|might|would|has|have)\b"
)
_OR_BEFORE = re.compile(r"(?:\bor|/) ?(?:maybe |perhaps |possibly |even |else )?(?:an? |the )?$")
_OR_AFTER = re.compile(r"^,? ?(?:or|/) ?(?!so\b)\w")
_LISTED = re.compile(r",? ?(?:or|and|/)? ?(?:maybe |perhaps |possibly |even )?(?:an? |the )?")
"""Separators between the members of a list: "a cow, a goat or a deer"."""
_CONCLUSION = re.compile(
    r"\b(?:so|therefore|thus|hence|answer|conclusion|conclude|actually|in fact|most likely|"
    r"probably|likely|definitely|clearly|certainly|must be|(?:i|i'd|i'll) (?:would )?"
    r"(?:say|guess|bet|pick|choose|go with|opt for)|guess|bet|final\w*|but|now)\b"
)


class _AnswerSentence:
    """A sentence, with the facts that all of its mentions share, each computed once."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def has_doubt(self) -> bool:
        """Whether it contains words that express doubt."""
        return bool(_IN_DOUBT.search(self.text))

    @cached_property
    def has_guess(self) -> bool:
        """Whether it contains words that introduce a guess."""
        return bool(_IF_I_MUST.search(self.text))


class _Mention(NamedTuple):
    """A place in a sentence that names a category."""

    category: str
    sentence: _AnswerSentence
    start: int
    end: int
    previous_end: int = 0
    """End of the previous mention in the sentence."""

    @property
    def before(self) -> str:
        """The text before the mention, at most `_NEAR` characters."""
        return self.sentence.text[max(0, self.start - _NEAR) : self.start]

    @property
    def after(self) -> str:
        """The text after the mention, at most `_NEAR` characters."""
        return self.sentence.text[self.end : self.end + _NEAR]

    @property
    def concludes(self) -> bool:
        """Whether a word between this mention and the previous one marks a conclusion."""
        return bool(_CONCLUSION.search(self.sentence.text, self.previous_end, self.start))


def settled_category(text: str, categories: Sequence[str]) -> str | None:
    """Returns the one category that a text gives as its answer, or None for none or several.

    The time is linear in the length of the text.
    """
    # A repeated sentence says nothing new.
    sentences = dict.fromkeys(_SENTENCE.findall(plain(text)))
    lists = [
        found for s in sentences for found in _lists(_mentions(_AnswerSentence(s), categories))
    ]
    mentions = [m for found in lists if not any(map(_is_left_open, found)) for m in found]
    settled = {mention.category for mention in mentions}
    if len(settled) > 1:
        settled = {mention.category for mention in mentions if mention.concludes}
    return settled.pop() if len(settled) == 1 else None


def _mentions(sentence: _AnswerSentence, categories: Sequence[str]) -> list[_Mention]:
    """Finds the categories that a sentence names, also in the plural; the longest name wins."""
    names = {category: plain(category).strip(" .") for category in categories}
    longest_first = sorted(filter(names.get, names), key=lambda c: len(names[c]), reverse=True)
    if not longest_first:
        return []
    stems = (re.escape(names[c].removesuffix("s")).replace(r"\ ", "[ -]") for c in longest_first)
    any_name = "|".join(f"({stem})" for stem in stems)
    found: list[_Mention] = []
    for match in re.finditer(rf"(?<!\w)(?:{any_name})(?:e?s)?(?!\w|-\w)", sentence.text):
        category = longest_first[(match.lastindex or 1) - 1]
        previous_end = found[-1].end if found else 0
        found.append(_Mention(category, sentence, match.start(), match.end(), previous_end))
    return found


def _lists(mentions: Sequence[_Mention]) -> Iterator[list[_Mention]]:
    """Groups the mentions of a sentence by the list that they belong to."""
    current: list[_Mention] = []
    for mention in mentions:
        between = mention.sentence.text[current[-1].end : mention.start] if current else ""
        if current and not _LISTED.fullmatch(between):
            yield current
            current = []
        current.append(mention)
    if current:
        yield current


def _is_left_open(mention: _Mention) -> bool:
    """Whether a mention rules the category out or leaves it undecided."""
    before, after = mention.before, mention.after
    if mention.sentence.has_guess:
        before = _IF_I_MUST.sub("", before)
    return bool(
        (after.endswith("?") and _ASKED.search(before))
        or _SUPPOSED.match(after)
        or _SHOW_IT.match(before)
        or _RULED_OUT.search(before, max(0, len(before) - _LONGEST_RULING_OUT))
        or _RULED_OUT_AFTER.match(after)
        or (mention.sentence.has_doubt and _IN_DOUBT.search(before))
        or _OR_BEFORE.search(before, max(0, len(before) - _LONGEST_OR))
        or _OR_AFTER.match(after)
    )
