"""Two runs side by side, as text."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from rich.text import Text

from proactive_agent.records import EpisodeRecord, TurnRecord
from proactive_agent.terminal import plain, safe
from proactive_agent.trace.episode_text import end_lines, head_line, turns_lines
from proactive_agent.trace.lines import Cell, Line, row, rule, widest
from proactive_agent.trace.parting import Pair, parting
from proactive_agent.trace.words import LONGEST_OUTCOME, Action, action_of, name_of, outcome_of

COLOURS = {"lost": "red", "gained": "green", "parted": "yellow", "same": "dim"}
CHANGE = len("parted")


def diff_listing(
    pairs: Sequence[Pair], names: tuple[str, str], width: int | None
) -> Iterator[Text]:
    """A row per sample that both runs played, and how many changed in which way."""
    name_width = widest((plain(name_of(pair.first)) for pair in pairs), "sample")

    def line(name: Text, first: Text, second: Text, change: Text, rest: str) -> Text:
        cells = (
            Cell(name, name_width),
            Cell(first, LONGEST_OUTCOME),
            Cell(second, LONGEST_OUTCOME),
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
        yield line(safe(name_of(pair.first)), *outcomes, change, plain(where_they_part(pair)))
    yield Text()
    changes = Counter[str](pair.change for pair in pairs)
    counted = ", ".join(f"{changes[change]:,} {change}" for change in COLOURS)
    yield Text(f"{len(pairs):,} samples in both runs: {counted}")


def where_they_part(pair: Pair) -> str:
    """The turn, and what each did in it."""
    if pair.parting is None:
        return ""
    return f"turn {pair.parting + 1}: {' | '.join(deeds_at_parting(pair, action_of))}"


def deeds_at_parting(pair: Pair, in_words: Callable[[Action], str]) -> list[str]:
    """What each run did in the turn in which they part; nothing where they never do."""
    index = pair.parting
    if index is None:
        return []
    return [
        in_words(episode.turns[index].action) if index < len(episode.turns) else "(has ended)"
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
