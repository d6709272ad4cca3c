"""Prints the same samples of two runs side by side."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from rich.text import Text

from proactive_agent.records.describe import AnyTurn, name_of, short_step_of, step_of
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.terminal.console import plain, safe
from proactive_agent.views.describe import outcome_of
from proactive_agent.views.divergence import EpisodePair, divergence
from proactive_agent.views.text.episode_text import end_lines, head_line, turns_lines
from proactive_agent.views.text.lines import TextCell, TextLine, row, rule, widest

COLOURS = {"lost": "red", "gained": "green", "parted": "yellow", "same": "dim"}
CHANGE = len("parted")

WIDE = 110
"""Smallest width, in columns, at which actions are printed in full."""


def diff_listing(
    pairs: Sequence[EpisodePair], names: tuple[str, str], width: int | None
) -> Iterator[Text]:
    """Yields a row per sample that both runs played, then the number of samples by change."""
    name_width = widest((plain(name_of(pair.first)) for pair in pairs), "sample")
    first_width = widest((outcome_of(pair.first).plain for pair in pairs), "first")
    second_width = widest((outcome_of(pair.second).plain for pair in pairs), "second")
    describe = short_step_of if width is not None and width < WIDE else step_of

    def line(name: Text, first: Text, second: Text, change: Text, rest: str) -> Text:
        cells = (
            TextCell(name, name_width),
            TextCell(first, first_width),
            TextCell(second, second_width),
            TextCell(change, CHANGE),
        )
        return row(cells, rest, width)

    yield Text("first:  ").append_text(safe(names[0]))
    yield Text("second: ").append_text(safe(names[1]))
    yield Text()
    head = line(Text("sample"), Text("first"), Text("second"), Text(""), "first difference")
    head.stylize("bold")
    yield head
    yield rule(width)
    for pair in pairs:
        change = Text(pair.change, COLOURS[pair.change])
        outcomes = outcome_of(pair.first), outcome_of(pair.second)
        where = plain(_divergence_text(pair, describe))
        yield line(safe(name_of(pair.first)), *outcomes, change, where)
    yield Text()
    changes = Counter[str](pair.change for pair in pairs)
    counted = ", ".join(f"{changes[change]:,} {change}" for change in COLOURS)
    yield Text(f"{len(pairs):,} samples in both runs: {counted}")


def _divergence_text(pair: EpisodePair, describe: Callable[[AnyTurn], str]) -> str:
    """Returns the turn of divergence and the action of each run in it."""
    if pair.divergence is None:
        return ""
    return f"turn {pair.divergence + 1}: {' | '.join(actions_at_divergence(pair, describe))}"


def actions_at_divergence(pair: EpisodePair, describe: Callable[[AnyTurn], str]) -> list[str]:
    """Returns each run's action in the turn of divergence; nothing if they never diverge."""
    index = pair.divergence
    if index is None:
        return []
    return [
        describe(episode.turns[index]) if index < len(episode.turns) else "(has ended)"
        for episode in pair
    ]


def diff_lines(
    first: EpisodeRecord, second: EpisodeRecord, names: tuple[str, str]
) -> Iterator[TextLine]:
    """Yields an episode of two runs: the common turns once, then each run's own turns."""
    index = divergence(first, second)
    common = len(first.turns) if index is None else index
    yield TextLine(safe(f"first:  {names[0]}"))
    yield head_line(first)
    yield TextLine(safe(f"second: {names[1]}"))
    yield head_line(second)
    yield TextLine(Text())
    yield from turns_lines(first, first.turns[:common])
    if index is None:
        yield TextLine(Text("Both runs did the same in every turn.", "bold"))
    for name, episode in zip(("first", "second"), (first, second), strict=True):
        if index is not None:
            yield TextLine(Text(f"── from here on, the {name} run ──", "bold"))
        yield from turns_lines(episode, episode.turns[common:])
        yield from end_lines(episode)
