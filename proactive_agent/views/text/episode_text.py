"""An episode turn by turn: what was shown, what the model called, what the user did."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from proactive_agent.records.describe import action_of, name_of
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
)
from proactive_agent.views.text.lines import Line


def episode_lines(episode: EpisodeRecord) -> Iterator[Line]:
    """An episode from its first turn to the right answer."""
    yield head_line(episode)
    yield from turns_lines(episode.turns)
    yield from end_lines(episode)
    yield Line(Text())


def head_line(episode: EpisodeRecord) -> Line:
    """Which sample, how it was played, how it ended and why it failed."""
    how = safe(f"{episode.protocol}, {episode.condition}")
    name = safe(name_of(episode), "bold")
    outcome = outcome_of(episode)
    if episode.error is None and (failure := group(episode)):
        outcome.append(f": {failure.title}", "not bold")
    return Line(Text("  ").join([name, how, outcome]))


def turns_lines(turns: Sequence[TurnRecord]) -> Iterator[Line]:
    """Turns; tools are named where they are not those of the turn before."""
    offered = ""
    for turn in turns:
        tools = tools_of(turn)
        yield from _turn(turn, tools if tools != offered else "")
        offered = tools


def end_lines(episode: EpisodeRecord) -> Iterator[Line]:
    """What stopped an episode, and what would have been right."""
    if episode.error is not None:
        error = episode.error
        yield Line(safe(f"error ({error.source}, {error.kind}): {error.message}", "red"))
    yield Line(Text("right answer: ").append_text(safe(episode.target, "green")))


def _turn(turn: TurnRecord, tools: str) -> Iterator[Line]:
    number = Text(f"turn {turn.index + 1}", "bold cyan")
    yield Line(Text("  ").join([number, safe(image_of(turn), "cyan")]))
    yield Line(safe(turn.prompt), 2)
    if tools:
        yield Line(safe(f"tools: {tools}", "dim"), 2)
    for reply in replies_of(turn):
        yield Line(reply, 2)
    yield Line(safe(f"= {action_of(turn.action)}  ").append_text(styled_verdict(turn)), 2)
    for note in turn.notes:
        yield Line(safe(f"note: {note}", "dim"), 2)
    if turn.judgement is not None:
        yield Line(judgement_of(turn.judgement), 2)
