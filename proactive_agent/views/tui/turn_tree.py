"""Draws a turn as a tree: prompt, call, verdict, response of the user."""

from typing import NamedTuple

from rich.console import Console
from rich.text import Text

from proactive_agent.records.describe import action_of
from proactive_agent.records.episode import EpisodeRecord, TurnRecord
from proactive_agent.records.failures import group
from proactive_agent.terminal.console import safe
from proactive_agent.views.describe import (
    image_of,
    judgement_of,
    outcome_of,
    replies_of,
    styled_verdict,
    tools_of,
    user_of,
)
from proactive_agent.views.text.lines import LEAST

LABEL = 8
"""Columns of a branch's label."""

_CONSOLE = Console(width=1)
"""Used for wrapping only; the width is passed each time."""


class Branch(NamedTuple):
    """A part of a turn: a label and a text."""

    label: str
    text: Text


def head_of(episode: EpisodeRecord, index: int, *, folded: bool) -> Text:
    """Returns the heading of a turn: its number and its picture."""
    turn = episode.turns[index]
    head = Text("▸ " if folded else "▾ ", "bold")
    head.append(f"turn {turn.index + 1} of {len(episode.turns)}", "bold cyan")
    return head.append("  ").append_text(safe(image_of(turn).rpartition("/")[2], "cyan"))


def one_line(episode: EpisodeRecord, turn: TurnRecord) -> Text:
    """Returns the action of a turn and its verdict."""
    return safe(f"{action_of(turn.action)}  ").append_text(styled_verdict(episode, turn))


def branches(episode: EpisodeRecord, index: int) -> list[Branch]:
    """Returns the parts of a turn. Index -1 stands for an episode without turns."""
    if index < 0:
        return [_end(episode)]
    turn = episode.turns[index]
    before = episode.turns[index - 1] if index else None
    parts = [Branch("shown", safe(turn.prompt))]
    tools = tools_of(turn)
    if tools and (before is None or tools != tools_of(before)):
        parts.append(Branch("tools", safe(tools, "dim")))
    for number, reply in enumerate(replies_of(turn)):
        parts.append(Branch("call" if number < len(turn.reply.tool_calls) else "reply", reply))
    parts.append(Branch("verdict", one_line(episode, turn)))
    parts += [Branch("note", safe(note, "dim")) for note in turn.notes]
    if turn.judgement is not None:
        parts.append(Branch("judge", judgement_of(turn.judgement)))
    if turn.user is not None:
        parts.append(Branch("user", user_of(turn.user)))
    last = index + 1 == len(episode.turns)
    if not last or episode.error is not None:
        parts.append(Branch("user", _user(turn)))
    if last:
        parts.append(_end(episode))
    return parts


def drawn(parts: list[Branch], width: int) -> list[Text]:
    """Draws the branches below a turn's heading, wrapped at `width`."""
    lines = []
    room = max(width - LABEL - 3, LEAST)
    for number, (label, text) in enumerate(parts):
        last = number + 1 == len(parts)
        for row, piece in enumerate(text.wrap(_CONSOLE, room)):
            piece.rstrip()
            start = ("╰ " if last else "├ ") if row == 0 else ("  " if last else "│ ")
            name = label if row == 0 else ""
            line = Text.assemble((f" {start}", "dim"), (f"{name:<{LABEL}}", "dim"), no_wrap=True)
            lines.append(line.append_text(piece))
    return lines


def _user(turn: TurnRecord) -> Text:
    """Describes the response of the user to a turn's action."""
    action = turn.action
    if action.kind == "vague":
        return Text("asks what to do")
    if action.kind != "intervention":
        return Text("goes on")
    verdicts = [turn.verdict, turn.lenient_verdict or turn.verdict]
    if all(verdict.suggestion != "correct" for verdict in verdicts):
        return Text("cannot do that")
    if action.performed is not None:
        performed = f"{action.performed.tool}({action.performed.argument or ''})"
        return safe(f"does {performed} instead", "blue")
    done = f"{action.tool}({action.argument or ''})"
    return safe(f"chooses {done}" if action.mapped else f"does {done}", "blue")


def _end(episode: EpisodeRecord) -> Branch:
    """Describes how the episode ended, and the right answer."""
    text = outcome_of(episode)
    failure = group(episode)
    if failure is not None:
        text.append_text(safe(f": {failure.title}", "red"))
    if episode.error is not None:
        text.append_text(safe(f" ({episode.error.source}): {episode.error.message}", "red"))
    if not episode.outcome.correct:
        text.append("; right is ").append_text(safe(episode.target, "green"))
    return Branch("end", text)
