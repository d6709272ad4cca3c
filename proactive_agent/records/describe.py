"""Describes episodes, turns, actions and verdicts in a few words.

Every function accepts whole records and outlines.
"""

from collections.abc import Iterator
from itertools import groupby

from proactive_agent.records.episode import ActionRecord, TurnRecord, VerdictRecord
from proactive_agent.records.failures import Episode
from proactive_agent.records.last_answer import luck_of
from proactive_agent.records.outline import ActionOutline, TurnOutline, VerdictOutline
from proactive_agent.tools.actions import UNRELATED_REQUEST

AnyAction = ActionRecord | ActionOutline
AnyTurn = TurnRecord | TurnOutline
AnyVerdict = VerdictRecord | VerdictOutline

ARROW = " → "
"""Separates the steps of an episode."""

BY_REQUEST = " by request"
LENIENT = "; lenient: "
ASKED_BACK = "asked what to do"
"""Describes how the user responds to a vague question."""


def name_of(episode: Episode) -> str:
    """Names an episode as on the command line. Repetitions after the first are numbered."""
    name = f"{episode.scenario}:{episode.sample_id}"
    return f"{name} #{episode.repeat + 1}" if episode.repeat else name


def steps_of(episode: Episode) -> str:
    """Lists the actions turn by turn. Equal actions in a row are counted."""
    steps = list(_counted(map(step_of, episode.turns)))
    if episode.error is not None:
        steps.append(f"error: {episode.error.kind}")
    return ARROW.join(steps)


def short_steps_of(episode: Episode) -> str:
    """Abbreviates `steps_of` for narrow lists."""
    steps = ARROW.join(_counted(map(short_step_of, episode.turns)))
    if episode.error is not None:
        steps = f"{steps} ! {episode.error.kind}".strip()
    return steps


def step_of(turn: AnyTurn) -> str:
    """Describes the action of a turn, including a call of `ask_clarification` that led to it."""
    done = action_of(turn.action)
    if turn.action.question is None or turn.via == "text":
        return done
    return f"{UNRELATED_REQUEST.tool}: {done.removesuffix(BY_REQUEST)}"


def short_step_of(turn: AnyTurn) -> str:
    """Abbreviates `step_of` to a word or two."""
    done = short_action_of(turn.action)
    if turn.action.question is None:
        return done
    return f"ask {done}" if turn.via == "call" else f"say {done}"


def action_of(action: AnyAction) -> str:
    """Describes the action that a reply was read as."""
    match action.kind:
        case "intervention" if action.tool == UNRELATED_REQUEST.tool:
            return "asks for nothing that helps"
        case "intervention":
            text = f"{action.tool}({action.argument or ''})"
            if action.question is not None:
                text += " mapped from a request" if action.mapped else BY_REQUEST
            if performed := getattr(action, "performed", None):
                text += f", followed by {performed.tool}({performed.argument or ''})"
            return text
        case "answer":
            return f"answer: {action.category}"
        case "abstain":
            return "abstain"
        case "vague":
            return "vague"
        case _:
            detail = getattr(action, "detail", None)
            return f"invalid: {action.why}" + (f" ({detail})" if detail else "")


def short_action_of(action: AnyAction) -> str:
    """Abbreviates `action_of` to a word or two."""
    match action.kind:
        case "intervention" if action.tool == UNRELATED_REQUEST.tool:
            return "?"
        case "intervention":
            return action.argument or str(action.tool)
        case "answer":
            return str(action.category).removesuffix(".")
        case "abstain" | "vague":
            return action.kind
        case _:
            return str(action.why)


def _counted(steps: Iterator[str]) -> Iterator[str]:
    for step, same in groupby(steps):
        times = sum(1 for _ in same)
        yield f"{step} ×{times}" if times > 1 else step


def verdict_of(episode: Episode, turn: AnyTurn) -> str:
    """Describes the verdict on a turn, and the lenient parser's verdict if it differs."""
    if words := words_without_verdict(episode, turn):
        return words
    text = verdict_words(turn.verdict)
    if turn.lenient_verdict is not None:
        text += LENIENT + verdict_words(turn.lenient_verdict)
    return text


def words_without_verdict(episode: Episode, turn: AnyTurn) -> str | None:
    """Describes a turn whose verdict misleads: a lucky answer, a vague question; else None."""
    if turn.action.kind == "vague":
        return ASKED_BACK
    return luck_of(episode, turn)


def verdict_words(verdict: AnyVerdict) -> str:
    """Describes a verdict: whether a category or a suggestion was matched and correct."""
    if verdict.category != "mismatch":
        return f"category {verdict.category}"
    if verdict.suggestion != "mismatch":
        return f"suggestion {verdict.suggestion}"
    return "no match"


def ending_of(episode: Episode) -> str:
    """Describes how an episode ended: the reason for its end, or the luck of its last answer."""
    luck = luck_of(episode, episode.turns[-1]) if episode.turns else None
    return luck or episode.outcome.stop


def call_result(episode: Episode, turn: AnyTurn) -> str:
    """Describes the result that a tool call of this turn returned."""
    if words := words_without_verdict(episode, turn):
        return words
    if turn.verdict.category != "mismatch":
        return f"answer: {turn.verdict.category}"
    if turn.action.kind == "intervention":
        return "done" if turn.verdict.suggestion == "correct" else "not possible here"
    return turn.action.why or turn.action.kind
