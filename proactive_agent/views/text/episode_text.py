"""Prints an episode turn by turn: the picture and prompt, the reply, the verdict."""

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
    user_of,
)
from proactive_agent.views.text.lines import TextLine


def episode_lines(episode: EpisodeRecord) -> Iterator[TextLine]:
    """Yields a whole episode: head, turns, right answer."""
    yield head_line(episode)
    if episode.examples:
        shown = ", ".join(map(str, episode.examples))
        yield TextLine(safe(f"solved examples: samples {shown}", "dim"))
    yield from turns_lines(episode, episode.turns)
    yield from end_lines(episode)
    yield TextLine(Text())


def head_line(episode: EpisodeRecord) -> TextLine:
    """Names the sample, protocol, condition, outcome and failure group."""
    setting = safe(f"{episode.protocol}, {episode.condition}")
    name = safe(name_of(episode), "bold")
    outcome = outcome_of(episode)
    if episode.error is None and (failure := group(episode)):
        outcome.append(f": {failure.title}", "not bold")
    return TextLine(Text("  ").join([name, setting, outcome]))


def turns_lines(episode: EpisodeRecord, turns: Sequence[TurnRecord]) -> Iterator[TextLine]:
    """Yields some turns; tools are listed only if they differ from those of the turn before."""
    offered = ""
    for turn in turns:
        tools = tools_of(turn)
        yield from _turn(episode, turn, tools if tools != offered else "")
        offered = tools


def end_lines(episode: EpisodeRecord) -> Iterator[TextLine]:
    """Yields the error that ended the episode, if any, and the right answer."""
    if episode.error is not None:
        error = episode.error
        yield TextLine(safe(f"error ({error.source}, {error.kind}): {error.message}", "red"))
    yield TextLine(Text("right answer: ").append_text(safe(episode.target, "green")))


def _turn(episode: EpisodeRecord, turn: TurnRecord, tools: str) -> Iterator[TextLine]:
    number = Text(f"turn {turn.index + 1}", "bold cyan")
    yield TextLine(Text("  ").join([number, safe(image_of(turn), "cyan")]))
    yield TextLine(safe(turn.prompt), 2)
    if tools:
        yield TextLine(safe(f"tools: {tools}", "dim"), 2)
    for reply in replies_of(turn):
        yield TextLine(reply, 2)
    verdict = styled_verdict(episode, turn)
    yield TextLine(safe(f"= {action_of(turn.action)}  ").append_text(verdict), 2)
    for note in turn.notes:
        yield TextLine(safe(f"note: {note}", "dim"), 2)
    if turn.judgement is not None:
        yield TextLine(judgement_of(turn.judgement), 2)
    if turn.user is not None:
        yield TextLine(user_of(turn.user), 2)
