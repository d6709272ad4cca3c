"""Prints a list of episodes, one per row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.text import Text

from proactive_agent.records.describe import name_of, steps_of
from proactive_agent.records.failures import Episode
from proactive_agent.records.manifest import Manifest
from proactive_agent.terminal.console import plain, safe
from proactive_agent.views.describe import LONGEST_OUTCOME, outcome_of
from proactive_agent.views.text.lines import TextCell, row, rule, widest

NUMBER = len("turns")


@dataclass(frozen=True)
class RowLayout:
    """The layout of a list of episodes."""

    name_width: int
    width: int | None
    """Columns of the output; None means that rows are not cut."""

    def head(self) -> Iterator[Text]:
        """Yields the column heads and a line below them."""
        head = self._row(Text("sample"), Text("outcome"), "turns", "asked", "actions")
        head.stylize("bold")
        yield head
        yield rule(self.width)

    def row_of(self, episode: Episode) -> Text:
        """Returns the row of an episode."""
        turns, asked = str(episode.outcome.turns), str(episode.outcome.suggestions)
        name, steps = safe(name_of(episode)), plain(steps_of(episode))
        return self._row(name, outcome_of(episode), turns, asked, steps)

    def _row(self, name: Text, outcome: Text, turns: str, asked: str, steps: str) -> Text:
        cells = (
            TextCell(name, self.name_width),
            TextCell(outcome, LONGEST_OUTCOME),
            TextCell(Text(turns), NUMBER, right=True),
            TextCell(Text(asked), NUMBER, right=True),
        )
        return row(cells, steps, self.width)


def listing(manifest: Manifest, episodes: Sequence[Episode], width: int | None) -> Iterator[Text]:
    """Yields the run's title, a row per episode, and the number of episodes."""
    layout = RowLayout(widest((plain(name_of(episode)) for episode in episodes), "sample"), width)
    yield Text(title_of(manifest), "italic")
    yield Text()
    yield from layout.head()
    yield from map(layout.row_of, episodes)
    yield Text()
    yield Text(f"{len(episodes):,} episodes")


def title_of(manifest: Manifest) -> str:
    """Returns a run's title: provider, protocol and condition."""
    settings = manifest.settings
    return plain(f"{settings.shown_provider}: {settings.protocol}, {settings.condition}")
