"""Converts an episode to JSON values for the page's script: one step per turn.

Control characters are made visible, because direction overrides can disguise a text.
"""

from collections.abc import Sequence
from typing import Any, Literal

from proactive_agent.records.describe import name_of, step_of
from proactive_agent.records.episode import EpisodeRecord, TurnRecord
from proactive_agent.records.failures import group
from proactive_agent.records.last_answer import luck_of
from proactive_agent.terminal.console import plain
from proactive_agent.views.describe import judgement_of, user_of
from proactive_agent.views.html.failures import RIGHT

LONGEST = 4_000
"""Most characters of a text; models sometimes write without end."""

MOST_CALLS = 10
"""Most calls of one reply."""

TurnOutcome = Literal[
    "right", "accepted", "by luck", "wrong", "not accepted", "asked vaguely", "gave up", "no action"
]


def episode_values(episode: EpisodeRecord, pictures: Sequence[int | None]) -> dict[str, Any]:
    """Returns an episode as JSON values. `pictures` has the index of each turn's picture."""
    failure = group(episode)
    error = episode.error
    return {
        "name": plain(name_of(episode)),
        "scenario": plain(episode.scenario),
        "group": plain(failure.title) if failure else RIGHT,
        "meaning": plain(failure.meaning) if failure else "",
        "state": "error" if error else "wrong" if failure else "right",
        "accepted": episode.outcome.suggestions,
        "fewest": episode.fewest,
        "target": _cut(episode.target),
        "error": _cut(f"{error.source}, {error.kind}: {error.message}") if error else None,
        "turns": [
            _turn(episode, turn, number)
            for turn, number in zip(episode.turns, pictures, strict=True)
        ],
    }


def _turn(episode: EpisodeRecord, turn: TurnRecord, picture: int | None) -> dict[str, Any]:
    reply = turn.reply
    calls = [_cut(f"{call.name}({call.arguments})") for call in reply.tool_calls[:MOST_CALLS]]
    if more := reply.tool_calls[MOST_CALLS:]:
        calls.append(f"… {len(more):,} more calls")
    notes = [*turn.notes]
    if turn.action.question is not None:
        notes.append(f"request in the reply: {turn.action.question}")
    if luck := luck_of(episode, turn):
        notes.insert(0, luck)
    if turn.judgement is not None:
        notes.append(judgement_of(turn.judgement).plain)
    if turn.user is not None:
        notes.append(user_of(turn.user).plain)
    return {
        "picture": picture,
        "path": _cut(turn.image.path),
        "prompt": _cut(turn.prompt),
        "text": _cut(reply.text),
        "calls": calls,
        "step": _cut(step_of(turn)),
        "verdict": turn_outcome(episode, turn),
        "notes": [_cut(note) for note in notes],
    }


def turn_outcome(episode: EpisodeRecord, turn: TurnRecord) -> TurnOutcome:
    """Returns the consequence of a turn; in open-ended episodes the judge decides it."""
    met = {answer.kind for answer in turn.judgement.answers if answer.met} if turn.judgement else ()
    if turn.verdict.category == "correct" or "category" in met:
        return "right"
    if turn.verdict.suggestion == "correct" or "proactive" in met:
        return "accepted"
    match turn.action.kind:
        case "intervention":
            return "not accepted"
        case "vague":
            return "asked vaguely"
        case "abstain":
            return "gave up"
        case "answer":
            return "by luck" if luck_of(episode, turn) else "wrong"
        case _:
            return "no action"


def _cut(text: str) -> str:
    """Shortens a text and says how many characters are missing."""
    shown = plain(text[:LONGEST])
    return shown if len(text) <= LONGEST else f"{shown} … {len(text) - LONGEST:,} more characters"
