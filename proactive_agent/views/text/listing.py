"""A row per episode."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.text import Text

from proactive_agent.records.describe import name_of, steps_of
from proactive_agent.records.failures import Episode
from proactive_agent.records.manifest import Manifest
from proactive_agent.terminal.console import plain, safe
from proactive_agent.views.describe import LONGEST_OUTCOME, outcome_of
from proactive_agent.views.text.lines import Cell, row, rule, widest

NUMBER = len("turns")


@dataclass(frozen=True)
class Rows:
    """How the rows of a list are laid out."""

    name_width: int
    width: int | None
    """Of the output; None leaves rows as long as they are."""

    def head(self) -> Iterator[Text]:
        """What the columns are."""
        head = self._row(Text("sample"), Text("outcome"), "turns", "asked", "actions")
        head.stylize("bold")
        yield head
        yield rule(self.width)

    def of(self, episode: Episode) -> Text:
        """An episode."""
        turns, asked = str(episode.outcome.turns), str(episode.outcome.suggestions)
        name, steps = safe(name_of(episode)), plain(steps_of(episode))
        return self._row(name, outcome_of(episode), turns, asked, steps)

    def _row(self, name: Text, outcome: Text, turns: str, asked: str, steps: str) -> Text:
        cells = (
            Cell(name, self.name_width),
            Cell(outcome, LONGEST_OUTCOME),
            Cell(Text(turns), NUMBER, right=True),
            Cell(Text(asked), NUMBER, right=True),
        )
        return row(cells, steps, self.width)


def listing(manifest: Manifest, episodes: Sequence[Episode], width: int | None) -> Iterator[Text]:
    """What the run is, a row per episode, and how many there are."""
    rows = Rows(widest((plain(name_of(episode)) for episode in episodes), "sample"), width)
    yield Text(title_of(manifest), "italic")
    yield Text()
    yield from rows.head()
    yield from map(rows.of, episodes)
    yield Text()
    yield Text(f"{len(episodes):,} episodes")


def title_of(manifest: Manifest) -> str:
    """What a run is."""
    settings = manifest.settings
    return plain(f"{settings.provider}: {settings.protocol}, {settings.condition}")
