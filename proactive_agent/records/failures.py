"""Sorts failed episodes into groups; every failure belongs to exactly one group.

`group` looks at how the episode ended, not at what the model may have meant. It takes whole
records and outlines.
"""

from proactive_agent.records.episode import CUT_OFF, EpisodeRecord, TurnRecord
from proactive_agent.records.failure_groups import (
    ABSTAINED_FIRST,
    ABSTAINED_LATER,
    ASKED_ONCE,
    AT_LIMIT,
    BAD_CALL,
    CUT_OFF_REPLY,
    GROUPS,
    GUESSED_FIRST,
    GUESSED_LATER,
    IRRELEVANT,
    LEFT_VIDEO,
    LUCKY,
    MISRECOGNISED,
    NOT_APPLICABLE,
    OTHER,
    OVER_ASKED,
    STOPPED_EARLY,
    STRICT_ONLY,
    UNJUDGED,
    UNREADABLE,
    VAGUE,
    WRONG_INTERVENTION,
    FailureGroup,
)
from proactive_agent.records.last_answer import CLEAR_FRAMES, luck_of
from proactive_agent.records.outline import EpisodeOutline, TurnOutline
from proactive_agent.scenarios import SCENARIOS
from proactive_agent.settings.condition_label import parts_of
from proactive_agent.tools.actions import UNRELATED_REQUEST

Episode = EpisodeRecord | EpisodeOutline

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
