"""The list of episodes. Only visible rows are rendered, so long lists are fast."""

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from proactive_agent.records.describe import name_of, short_step_of, short_steps_of
from proactive_agent.records.episode import EpisodeKey
from proactive_agent.records.outline import EpisodeOutline
from proactive_agent.terminal.console import plain, safe
from proactive_agent.views.divergence import EpisodePair
from proactive_agent.views.text.diff_text import actions_at_divergence
from proactive_agent.views.text.lines import TextCell, row

LONGEST_NAME = 20
COUNT = 3


def name_width_of(rows: Iterable[EpisodeOutline]) -> int:
    """Returns the width of the column of names, in columns of the terminal."""
    longest = max((len(name_of(episode)) for episode in rows), default=0)
    return min(max(longest, len("sample")), LONGEST_NAME)


def mark_of(episode: EpisodeOutline) -> Text:
    """Returns a sign for the outcome: ✓, ✗, or ! for an error."""
    if episode.error is not None:
        return Text("!", "bold magenta")
    return Text("✓", "bold green") if episode.outcome.correct else Text("✗", "bold red")


class EpisodeList(ScrollView, can_focus=True):
    """Rows of episodes with a cursor. With a second run, rows compare the same samples."""

    DEFAULT_CSS = """
    EpisodeList {
        overflow-x: hidden; overflow-y: auto;
        scrollbar-gutter: stable; scrollbar-size-vertical: 1;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown,space", "page(1)", "Page down", show=False),
        Binding("home,g", "go(0)", "First", show=False),
        Binding("end,G", "go(-1)", "Last", show=False),
        Binding("enter,right,l", "open", "Open", show=False),
    ]

    class Moved(Message):
        """The cursor moved to another episode."""

    class Opened(Message):
        """The user opened the episode under the cursor."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, classes="-ansi-scrollbar")
        self.rows: Sequence[EpisodeOutline] = ()
        self.others: Mapping[EpisodeKey, EpisodeOutline] = {}
        """The episodes of the second run, by key."""
        self.cursor = 0
        self._name_width = len("sample")

    @property
    def current(self) -> EpisodeOutline | None:
        """The episode under the cursor."""
        return self.rows[self.cursor] if self.rows else None

    @property
    def _columns(self) -> int:
        """Width without the scroll bar."""
        return self.scrollable_content_region.width

    def show(self, rows: Sequence[EpisodeOutline], name_width: int) -> None:
        """Shows other rows. The cursor stays on its episode if that is among them."""
        before = self.current
        self.rows, self._name_width = rows, name_width
        self.virtual_size = Size(self.size.width, len(rows))
        found = 0
        if before is not None:
            found = next((i for i, e in enumerate(rows) if e.key == before.key), 0)
        self.cursor = found
        self._reveal()
        self.refresh()
        if self.current is not before:
            self.post_message(self.Moved())

    def go(self, index: int) -> None:
        """Moves the cursor to a row, or to the nearest one."""
        index = max(0, min(index, len(self.rows) - 1))
        if index != self.cursor and self.rows:
            self.cursor = index
            self._reveal()
            self.refresh()
            self.post_message(self.Moved())

    def head(self) -> Text:
        """Returns the heads of the columns."""
        if self.others:
            return self._laid_out(Text(), Text("sample"), ("part",), "first | second")
        return self._laid_out(Text(), Text("sample"), ("trn", "ask"), "actions")

    def render_line(self, y: int) -> Strip:
        index = y + int(self.scroll_offset.y)
        width = self._columns
        if index >= len(self.rows):
            return Strip.blank(width, Style())
        text = self._row(self.rows[index])
        text.truncate(width)
        style = Style(reverse=True) if index == self.cursor and self.has_focus else Style()
        if index == self.cursor:
            text.stylize(Style(bold=True))
        strip = Strip(text.render(self.app.console), text.cell_len)
        return strip.adjust_cell_length(width, Style()).apply_style(style)

    def _row(self, episode: EpisodeOutline) -> Text:
        if self.others:
            return self._comparing_row(episode, self.others.get(episode.key))
        numbers = str(episode.outcome.turns), str(episode.outcome.suggestions)
        steps = plain(short_steps_of(episode))
        return self._laid_out(mark_of(episode), safe(name_of(episode)), numbers, steps)

    def _comparing_row(self, episode: EpisodeOutline, other: EpisodeOutline | None) -> Text:
        mark, name = mark_of(episode), safe(name_of(episode))
        if other is None:
            return self._laid_out(mark, name, ("",), "not played")
        pair = EpisodePair(episode, other)
        number = "" if pair.divergence is None else str(pair.divergence + 1)
        did = plain(" | ".join(actions_at_divergence(pair, short_step_of)))
        text = self._laid_out(mark.append_text(mark_of(other)), name, (number,), did)
        if pair.change == "same":
            text.stylize("dim")
        return text

    def _laid_out(self, mark: Text, name: Text, numbers: Sequence[str], rest: str) -> Text:
        cells = [TextCell(mark, 2 if self.others else 1), TextCell(name, self._name_width)]
        cells += [TextCell(Text(number), COUNT, right=True) for number in numbers]
        return row(cells, rest, self._columns or None)

    def action_move(self, step: int) -> None:
        self.go(self.cursor + step)

    def action_page(self, pages: int) -> None:
        self.go(self.cursor + pages * max(self.size.height - 1, 1))

    def action_go(self, index: int) -> None:
        self.go(index if index >= 0 else len(self.rows) + index)

    def action_open(self) -> None:
        if self.rows:
            self.post_message(self.Opened())

    def on_click(self, event: Click) -> None:
        """Moves the cursor to the clicked row."""
        self.go(event.y + int(self.scroll_offset.y))

    def on_resize(self) -> None:
        """Adapts the rows to the new width."""
        self.virtual_size = Size(self.size.width, len(self.rows))

    def _reveal(self) -> None:
        region = Region(0, self.cursor, 1, 1)
        self.scroll_to_region(region, animate=False, force=True)
