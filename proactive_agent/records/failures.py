"""Sorts failed episodes into groups; every failure belongs to exactly one group.

`group` looks at how the episode ended, not at what the model may have meant. It takes whole
records and outlines.
"""

from typing import NamedTuple

from proactive_agent.records.episode import CUT_OFF, EpisodeRecord, TurnRecord
from proactive_agent.records.last_answer import BY_LUCK, CLEAR_FRAMES, luck_of
from proactive_agent.records.outline import EpisodeOutline, TurnOutline
from proactive_agent.scenarios import SCENARIOS
from proactive_agent.settings.condition_label import parts_of
from proactive_agent.tools.actions import UNRELATED_REQUEST

Episode = EpisodeRecord | EpisodeOutline


class FailureGroup(NamedTuple):
    """A group of failures with the same cause."""

    name: str
    """Name for command lines; an error's name is `error:KIND`."""
    title: str
    meaning: str


GUESSED_FIRST = FailureGroup(
    "guessed-first",
    "guessed on first turn",
    "Answered at once, without asking for anything.",
)
GUESSED_LATER = FailureGroup(
    "guessed-later",
    "guessed later",
    "Answered wrong; none of the requests before that applied.",
)
STOPPED_EARLY = FailureGroup(
    "stopped-early",
    "asked, but stopped early",
    "Made suggestions that applied, but answered wrong before the frame that shows enough.",
)
MISRECOGNISED = FailureGroup(
    "misrecognised",
    "saw enough, yet wrong",
    "Answered wrong on the frame that shows enough, or after as many suggestions as lead to it.",
)
LUCKY = FailureGroup(
    "lucky",
    BY_LUCK,
    "Gave the right category, but no category counts in the first turn (or in this turn).",
)
AT_LIMIT = FailureGroup(
    "turn-limit",
    "asked to the turn limit",
    "Never stopped asking.",
)
LEFT_VIDEO = FailureGroup(
    "left-video",
    "led out of the video",
    "The random intervention after a suggestion led out of the video.",
)
OVER_ASKED = FailureGroup(
    "over-asked",
    "asked on a clear frame",
    "Asked for help although the frame shows enough.",
)
ABSTAINED_FIRST = FailureGroup(
    "abstained-first",
    "gave up on first turn",
    "Abstained at once, without asking for anything.",
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
    "Asked in words for something that does not help.",
)
VAGUE = FailureGroup(
    "vague",
    "asked vaguely to the end",
    "Ended with a wish that names no change, such as a clearer picture.",
)
BAD_CALL = FailureGroup(
    "bad-call",
    "call that no tool takes",
    "Called a tool that was not on offer, or with arguments that it does not take.",
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

_NAMES = frozenset(one.name for one in GROUPS)


def group(episode: Episode) -> FailureGroup | None:
    """Returns the group of a failed episode, or None if the episode ended right."""
    if episode.error is not None:
        return _error(episode.error.source, episode.error.kind)
    if episode.outcome.correct:
        return None
    if not episode.turns:
        return OTHER
    last = episode.turns[-1]
    if last.judgement is not None and last.judgement.problem is not None:
        return UNJUDGED
    if _is_cut_off(last):
        return CUT_OFF_REPLY
    action = last.action
    if action.kind == "intervention":
        return _request(episode, action.tool)
    if action.kind == "vague":
        return OVER_ASKED if "clear" in parts_of(episode.condition) else VAGUE
    if action.kind == "answer":
        return _answer(episode)
    if action.kind == "abstain":
        return ABSTAINED_FIRST if len(episode.turns) == 1 else ABSTAINED_LATER
    return _invalid(episode, action.why)


def is_group_name(text: str) -> bool:
    """Whether a text names a group; `error:` may be followed by any kind."""
    return text.startswith("error:") or text in _NAMES


def _is_cut_off(turn: TurnRecord | TurnOutline) -> bool:
    """Whether the token limit ended a reply before it said anything that counts."""
    action = turn.action
    if turn.lenient_verdict is not None:
        return False
    if action.why == "cut_off":
        return True
    if turn.reply.finish_reason != CUT_OFF:
        return False
    said_nothing = action.tool == UNRELATED_REQUEST.tool and turn.via == "text"
    return said_nothing or action.why in ("empty", "unreadable", "bad_json")


def _error(source: str, kind: str) -> FailureGroup:
    return FailureGroup(
        f"error:{kind}", f"error: {kind}", f"Ended early by an error of the {source}."
    )


def _request(episode: Episode, tool: str | None) -> FailureGroup:
    if "clear" in parts_of(episode.condition):
        return OVER_ASKED
    if episode.outcome.stop == "left_video":
        return LEFT_VIDEO
    if episode.outcome.stop == "turn_limit" and episode.outcome.suggestions:
        only = episode.protocol == "oeg" and len(episode.turns) == 1
        return ASKED_ONCE if only else AT_LIMIT
    if tool == UNRELATED_REQUEST.tool:
        return IRRELEVANT
    scenario = SCENARIOS.get(episode.scenario)
    if scenario and tool not in {own.tool for own in scenario.keywords.values()}:
        return NOT_APPLICABLE
    return WRONG_INTERVENTION


def _answer(episode: Episode) -> FailureGroup:
    if luck_of(episode, episode.turns[-1]):
        return LUCKY
    made, fewest = episode.outcome.suggestions, episode.fewest
    if CLEAR_FRAMES & set(parts_of(episode.condition)) or (
        made and fewest is not None and made >= fewest
    ):
        return MISRECOGNISED
    if made:
        return STOPPED_EARLY
    return GUESSED_FIRST if len(episode.turns) == 1 else GUESSED_LATER


def _invalid(episode: Episode, why: str | None) -> FailureGroup:
    if episode.turns[-1].lenient_verdict is not None:
        return STRICT_ONLY
    return BAD_CALL if why in ("unknown_tool", "bad_arguments") else UNREADABLE
