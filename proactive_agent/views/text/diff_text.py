"""Two runs side by side, as text."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from rich.text import Text

from proactive_agent.records.describe import Turn, name_of, short_step_of, step_of
from proactive_agent.records.episode import EpisodeRecord, TurnRecord
from proactive_agent.terminal.console import plain, safe
from proactive_agent.views.describe import outcome_of
from proactive_agent.views.divergence import Pair, parting
from proactive_agent.views.text.episode_text import end_lines, head_line, turns_lines
from proactive_agent.views.text.lines import Cell, Line, row, rule, widest

COLOURS = {"lost": "red", "gained": "green", "parted": "yellow", "same": "dim"}
CHANGE = len("parted")

WIDE = 110
"""Columns from which on there is room for actions in full."""


def diff_listing(
    pairs: Sequence[Pair], names: tuple[str, str], width: int | None
) -> Iterator[Text]:
    """A row per sample that both runs played, and how many changed in which way."""
    name_width = widest((plain(name_of(pair.first)) for pair in pairs), "sample")
    first_width = widest((outcome_of(pair.first).plain for pair in pairs), "first")
    second_width = widest((outcome_of(pair.second).plain for pair in pairs), "second")
    in_words = short_step_of if width is not None and width < WIDE else step_of

    def line(name: Text, first: Text, second: Text, change: Text, rest: str) -> Text:
        cells = (
            Cell(name, name_width),
            Cell(first, first_width),
            Cell(second, second_width),
            Cell(change, CHANGE),
        )
        return row(cells, rest, width)

    yield Text("first:  ").append_text(safe(names[0]))
    yield Text("second: ").append_text(safe(names[1]))
    yield Text()
    head = line(Text("sample"), Text("first"), Text("second"), Text(""), "where they part")
    head.stylize("bold")
    yield head
    yield rule(width)
    for pair in pairs:
        change = Text(pair.change, COLOURS[pair.change])
        outcomes = outcome_of(pair.first), outcome_of(pair.second)
        where = plain(_where_they_part(pair, in_words))
        yield line(safe(name_of(pair.first)), *outcomes, change, where)
    yield Text()
    changes = Counter[str](pair.change for pair in pairs)
    counted = ", ".join(f"{changes[change]:,} {change}" for change in COLOURS)
    yield Text(f"{len(pairs):,} samples in both runs: {counted}")


def _where_they_part(pair: Pair, in_words: Callable[[Turn], str]) -> str:
    """The turn, and what each did in it."""
    if pair.parting is None:
        return ""
    return f"turn {pair.parting + 1}: {' | '.join(deeds_at_parting(pair, in_words))}"


def deeds_at_parting(pair: Pair, in_words: Callable[[Turn], str]) -> list[str]:
    """What each run did in the turn in which they part; nothing where they never do."""
    index = pair.parting
    if index is None:
        return []
    return [
        in_words(episode.turns[index]) if index < len(episode.turns) else "(has ended)"
        for episode in pair
    ]


def diff_lines(
    first: EpisodeRecord, second: EpisodeRecord, names: tuple[str, str]
) -> Iterator[Line]:
    """An episode of two runs: the turns they have in common once, then each run's own."""
    index = parting(first, second)
    common = len(first.turns) if index is None else index
    yield Line(safe(f"first:  {names[0]}"))
    yield head_line(first)
    yield Line(safe(f"second: {names[1]}"))
    yield head_line(second)
    yield Line(Text())
    yield from turns_lines(first.turns[:common])
    if index is None:
        yield Line(Text("They never part: every turn is the same.", "bold"))
    for name, episode in zip(("first", "second"), (first, second), strict=True):
        own: list[TurnRecord] = episode.turns[common:]
        if index is not None:
            yield Line(Text(f"── from here on, the {name} run ──", "bold"))
        yield from turns_lines(own)
        yield from end_lines(episode)
