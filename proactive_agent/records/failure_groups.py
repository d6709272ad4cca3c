"""The groups into which failed episodes are sorted; `records.failures` sorts them.

This module imports nothing heavy, so that `why --help` can list the groups.
"""

from typing import NamedTuple

BY_LUCK = "right, but by luck"


class FailureGroup(NamedTuple):
    """A group of failures with the same cause."""

    name: str
    """Name for command lines; an error's name is `error:KIND`."""
    title: str
    meaning: str


GUESSED_FIRST = FailureGroup(
    "guessed-first",
    "guessed on first turn",
    "Answered in the first turn, without asking for anything.",
)
GUESSED_LATER = FailureGroup(
    "guessed-later",
    "guessed later",
    "Answered wrong; none of the requests before that applied.",
)
STOPPED_EARLY = FailureGroup(
    "stopped-early",
    "asked, but stopped early",
    "Made suggestions that applied, but answered wrong before an informative frame.",
)
MISRECOGNISED = FailureGroup(
    "misrecognised",
    "did not recognise it",
    "Answered wrong on an informative frame, or after as many suggestions as lead to one.",
)
LUCKY = FailureGroup(
    "lucky",
    BY_LUCK,
    "Gave the right category in a turn in which no category counts.",
)
AT_LIMIT = FailureGroup(
    "turn-limit",
    "asked to the turn limit",
    "Asked in every turn until the turn limit.",
)
LEFT_VIDEO = FailureGroup(
    "left-video",
    "led out of the video",
    "The random intervention after a suggestion led out of the video.",
)
OVER_ASKED = FailureGroup(
    "over-asked",
    "asked on a clear frame",
    "Asked for help on a clear frame, where none is needed.",
)
ABSTAINED_FIRST = FailureGroup(
    "abstained-first",
    "gave up on first turn",
    "Abstained in the first turn, without asking for anything.",
)
ABSTAINED_LATER = FailureGroup(
    "abstained-later",
    "gave up later",
    "Abstained after at least one request.",
)
WRONG_INTERVENTION = FailureGroup(
    "wrong-intervention",
    "wrong intervention",
    "Asked for a change that this state does not accept.",
)
NOT_APPLICABLE = FailureGroup(
    "not-applicable",
    "tool not applicable",
    "Asked for a change that makes no sense in this scenario.",
)
IRRELEVANT = FailureGroup(
    "irrelevant",
    "irrelevant question",
    "Wrote a question, or text without a tool call, that asks for nothing that helps.",
)
VAGUE = FailureGroup(
    "vague",
    "asked vaguely to the end",
    "The last request names no concrete change, such as a wish for a clearer picture.",
)
BAD_CALL = FailureGroup(
    "bad-call",
    "invalid tool call",
    "Called a tool that was not on offer, or with invalid arguments.",
)
UNREADABLE = FailureGroup(
    "unreadable",
    "unreadable reply",
    "The reply contains no action.",
)
CUT_OFF_REPLY = FailureGroup(
    "cut-off",
    "cut off",
    "The reply hit the token limit (--max-tokens, --thinking-tokens) before an answer.",
)
STRICT_ONLY = FailureGroup(
    "strict-parser",
    "lenient parser only",
    "Only the lenient parser understands the reply.",
)
ASKED_ONCE = FailureGroup(
    "asked-once",
    "asked, in its only turn",
    "Made a suggestion that applies, but the open-ended question is asked only once.",
)
UNJUDGED = FailureGroup(
    "unjudged",
    "unreadable judge",
    "The judge's reply could not be read.",
)
OTHER = FailureGroup(
    "other",
    "ended in another way",
    "The record does not say how.",
)

GROUPS = (
    GUESSED_FIRST, GUESSED_LATER, STOPPED_EARLY, MISRECOGNISED, LUCKY, AT_LIMIT, LEFT_VIDEO,
    OVER_ASKED,
    ABSTAINED_FIRST, ABSTAINED_LATER, WRONG_INTERVENTION, NOT_APPLICABLE, IRRELEVANT, VAGUE,
    BAD_CALL, UNREADABLE, CUT_OFF_REPLY, STRICT_ONLY, ASKED_ONCE, UNJUDGED, OTHER,
)  # fmt: skip
"""All groups except errors; each kind of error is one more group."""
