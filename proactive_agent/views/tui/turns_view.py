"""An episode turn by turn, as a tree: prompt, call, verdict, response of the user."""

from typing import ClassVar, NamedTuple

from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.views.tui.turn_tree import branches, drawn, head_of, one_line


class _TurnLine(NamedTuple):
    turn: int
    text: Text


class TurnsView(ScrollView, can_focus=True):
    """The turns of one episode. One is chosen; each can be folded into one line."""

    DEFAULT_CSS = """
    TurnsView {
        overflow-x: hidden; overflow-y: auto;
        scrollbar-gutter: stable; scrollbar-size-vertical: 1;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "choose(-1)", "Previous turn", show=False),
        Binding("down,j", "choose(1)", "Next turn", show=False),
        Binding("home,g", "go(0)", "First turn", show=False),
        Binding("end,G", "go(-1)", "Last turn", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown,space", "page_down", "Page down", show=False),
        Binding("enter", "fold", "Fold", show=False),
        Binding("z", "fold_all", "Fold all", show=False),
    ]

    class Chosen(Message):
        """The user chose another turn."""

        def __init__(self, view: "TurnsView") -> None:
            super().__init__()
            self.view = view

        @property
        def control(self) -> "TurnsView":
            """The view that the message comes from."""
            return self.view

    def __init__(self) -> None:
        super().__init__(classes="-ansi-scrollbar")
        self.episode: EpisodeRecord | None = None
        self.turn = 0
        self.divergence: int | None = None
        """The first turn in which the other run acted differently; it is marked."""
        self._folded: set[int] = set()
        self._rows: list[_TurnLine] = []

    def show(
        self, episode: EpisodeRecord | None, turn: int = 0, divergence: int | None = None
    ) -> None:
        """Shows an episode and chooses a turn."""
        self.episode, self.divergence, self._folded = episode, divergence, set()
        self.turn = max(0, min(turn, len(episode.turns) - 1)) if episode else 0
        self._lay_out()
        self.scroll_to(y=0, animate=False)
        self._reveal()

    def choose(self, turn: int, *, quietly: bool = False) -> None:
        """Chooses a turn of the same episode, or the nearest one."""
        if self.episode is None:
            return
        turn = max(0, min(turn, len(self.episode.turns) - 1))
        if turn != self.turn:
            self.turn = turn
            self._reveal()
            self.refresh()
            if not quietly:
                self.post_message(self.Chosen(self))

    def render_line(self, y: int) -> Strip:
        index = y + int(self.scroll_offset.y)
        width = self.scrollable_content_region.width
        if index >= len(self._rows):
            return Strip.blank(width, Style())
        turn, text = self._rows[index]
        chosen = turn == self.turn
        line = Text("▌" if chosen else " ").append_text(text)
        line.stylize("cyan" if self.has_focus else "dim", 0, 1)
        line.truncate(width)
        strip = Strip(line.render(self.app.console), line.cell_len)
        return strip.adjust_cell_length(width, Style())

    def action_choose(self, step: int) -> None:
        self.choose(self.turn + step)

    def action_go(self, turn: int) -> None:
        if self.episode is not None:
            self.choose(turn if turn >= 0 else len(self.episode.turns) + turn)

    def action_fold(self) -> None:
        self._folded ^= {self.turn}
        self._lay_out()

    def action_fold_all(self) -> None:
        every = set(range(len(self.episode.turns))) if self.episode else set()
        self._folded = set() if self._folded == every else every
        self._lay_out()
        self._reveal()

    def on_click(self, event: Click) -> None:
        """Chooses the clicked turn."""
        index = event.y + int(self.scroll_offset.y)
        if index < len(self._rows):
            self.choose(self._rows[index].turn)

    def on_resize(self) -> None:
        """Wraps the texts again and keeps the chosen turn in sight."""
        self._lay_out()
        self._reveal()

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def _lay_out(self) -> None:
        width = self.scrollable_content_region.width - 1
        self._rows = []
        if self.episode is not None and width > 0:
            for index in range(len(self.episode.turns)):
                self._rows += [_TurnLine(index, text) for text in self._turn(index, width)]
            if not self.episode.turns:
                self._rows = [
                    _TurnLine(-1, text) for text in drawn(branches(self.episode, -1), width)
                ]
        self.virtual_size = Size(self.size.width, len(self._rows))
        self.refresh()

    def _turn(self, index: int, width: int) -> list[Text]:
        assert self.episode is not None  # noqa: S101
        lines = []
        if index == self.divergence:
            lines.append(Text("≠ first difference", "bold yellow reverse"))
        folded = index in self._folded
        lines.append(head_of(self.episode, index, folded=folded))
        if folded:
            lines[-1].append("  ").append_text(one_line(self.episode, self.episode.turns[index]))
        else:
            lines += drawn(branches(self.episode, index), width)
        return lines

    def _reveal(self) -> None:
        """Scrolls as little as possible to show the chosen turn, or at least its beginning."""
        lines = [number for number, row in enumerate(self._rows) if row.turn == self.turn]
        if not lines:
            return
        top, height = int(self.scroll_offset.y), self.size.height
        if lines[0] < top or lines[-1] >= top + height:
            below = max(lines[-1] - height + 1, 0)
            target = lines[0] if lines[0] < top else min(lines[0], below)
            self.scroll_to(y=target, animate=False)
