"""The browser: the list of episodes, and one of them, or the same sample of two runs."""

import gc
import os
import shlex
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widgets import Footer, Input, Static
from textual.worker import get_current_worker

from proactive_agent.records.describe import name_of
from proactive_agent.records.outline import EpisodeOutline
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.reports.run_names import differences, name_runs
from proactive_agent.terminal.console import plain, safe
from proactive_agent.tools import UserError
from proactive_agent.views.divergence import Pair
from proactive_agent.views.follow import PAUSE
from proactive_agent.views.search import Search
from proactive_agent.views.selection import ORDERS, Order, Selection
from proactive_agent.views.text.listing import title_of
from proactive_agent.views.tui.episode_list import EpisodeList, name_width_of
from proactive_agent.views.tui.episode_pane import EpisodePane
from proactive_agent.views.tui.frames import FrameSource
from proactive_agent.views.tui.picture import Graphics
from proactive_agent.views.tui.picture_screen import PictureScreen
from proactive_agent.views.tui.run_index import RunIndex
from proactive_agent.views.tui.screens import HelpScreen, RunsScreen, TextScreen, other_runs
from proactive_agent.views.tui.turn_record import turn_text

REST = 0.05
"""Seconds that the cursor must rest before an episode is read."""

TYPING = 0.25
"""Seconds without a key before the list is filtered."""


WIDE = 100
"""Columns from which on list and episode stand side by side."""

FAILURES = "wrong|error"


class TraceBrowser(App[None]):
    """Episodes of a run."""

    TITLE = "trace"
    CSS = """
    #state { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    #left { width: 42%; min-width: 30; max-width: 76; border-right: vkey $primary; }
    #columns { height: 1; text-style: bold; }
    #list { height: 1fr; }
    #search { height: 1; border: none; padding: 0; display: none; }
    #search.-open { display: block; }
    EpisodePane { width: 1fr; }
    #second { display: none; }
    .-beside #second { display: block; border-left: vkey $primary; }
    .-beside #left { width: 34%; }
    .-narrow #left { width: 1fr; max-width: 100%; border-right: none; }
    .-narrow #episodes { display: none; }
    .-narrow.-open #episodes { display: block; }
    .-narrow.-open #left { display: none; }
    #episodes { width: 1fr; }
    .-narrow.-beside #episodes { layout: vertical; }
    .-narrow.-beside PictureView { display: none; }
    .-narrow.-beside #second { border-left: none; border-top: hkey $primary; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search"),
        Binding("n", "failure(1)", "Next ✗"),
        Binding("N", "failure(-1)", "Previous failure", show=False),
        Binding("w", "only_failures", "Failures"),
        Binding("s", "order", "Sort", show=False),
        Binding("d", "beside", "Beside"),
        Binding("f", "picture", "Picture"),
        Binding("p", "graphics", "Graphics or blocks", show=False),
        Binding("r", "record", "Record"),
        Binding("y", "copy", "Copy command", show=False),
        Binding("left_square_bracket", "episode(-1)", "Previous episode", show=False),
        Binding("right_square_bracket", "episode(1)", "Next episode", show=False),
        Binding("escape,left,h", "to_list", "Back", show=False),
        Binding("question_mark", "help", "Keys"),
        Binding("q,ctrl+c", "quit", "Quit"),
    ]

    def __init__(
        self,
        folder: RunFolder,
        selection: Selection,
        *,
        second: RunFolder | None = None,
        order: Order = "sample",
        follow: bool = False,
        data: Path | None = None,
        results: Path = Path("results"),
    ) -> None:
        super().__init__()
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]
        self.theme = os.environ.get("TEXTUAL_THEME") or theme_of_terminal()
        self.fault: UserError | None = None
        """Why the browser was left, where that was no wish of the user's."""
        self.index = RunIndex(folder)
        self.other = RunIndex(second) if second else None
        """The run beside."""
        self._selection = selection
        self._wanted = (selection.sample, selection.repeat or 1) if selection.sample else None
        """Scenario and id, and repetition, of the episode to begin with."""
        self._order: Order = "ended" if follow else order
        self._follow = follow
        self._data, self._results = data, results
        frames = FrameSource(self.index.manifest, data)
        self.list = EpisodeList(id="list")
        self.search = Input(placeholder="search; ? tells how", id="search")
        self.first = EpisodePane(frames, id="first")
        self.second = EpisodePane(frames, id="second")
        """The same sample in the run beside."""
        self._state = Static("", id="state", markup=False)
        self._columns = Static("", id="columns", markup=False)
        self._shown: tuple[object, ...] = ()
        """The episodes in the panes."""
        self._rest: Timer | None = None
        self._typing: Timer | None = None

    def compose(self) -> ComposeResult:
        yield self._state
        with Horizontal():
            with Vertical(id="left"):
                yield self._columns
                yield self.list
                yield self.search
            with Horizontal(id="episodes"):
                yield self.first
                yield self.second
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Reading begins; the list shows what is there."""
        self.list.focus()
        self.search.value = self._selection.query
        self._show_search()
        self._read(self.index)
        if self.other:
            self._put_beside(self.other)

    # Reading and filtering ------------------------------------------------------------------

    @work(thread=True, group="reading")
    def _read(self, index: RunIndex) -> None:
        """Reads a run, and what is added while it goes on."""
        worker = get_current_worker()
        going_on, before = True, None
        try:
            while going_on and index in (self.index, self.other) and not worker.is_cancelled:
                going_on = index.is_going_on()
                with nullcontext() if index.complete else without_garbage_collection():
                    shown = 0
                    for there in index.read_more():
                        if worker.is_cancelled:
                            return
                        if there >= 4 * shown:  # a long list is sorted a few times only
                            shown = there
                            self.call_later(self._filter)
                now = (index.position, going_on)
                if now != before:
                    self.call_later(self._filter)
                before = now
                if going_on:
                    time.sleep(PAUSE)
        except UserError as error:
            self.call_later(self._fail, index, error)

    def _fail(self, index: RunIndex, error: UserError) -> None:
        """Without its run the browser is nothing; a run beside is taken away."""
        if index is self.index:
            self.fault = error
            self.exit()
        elif index is self.other:
            self._say(str(error))
            self._put_beside(None)

    @work(thread=True, exclusive=True, group="filter")
    def _filter(self) -> None:
        """Finds the rows that the search means; the latest search wins."""
        worker = get_current_worker()
        query, other = self.search.value, self.other
        try:
            search = Search(query, beside=other is not None)
            if search.reads_records:
                self.call_later(self._state.update, Text("searching whole records …"))
            rows = self.index.rows(search, self._order, other)[: self._selection.limit]
        except UserError as error:
            self.call_later(self._say, str(error))
            return
        name_width = name_width_of(rows)
        if not worker.is_cancelled:
            self.call_later(self._show_rows, rows, name_width)

    def _show_rows(self, rows: Sequence[EpisodeOutline], name_width: int) -> None:
        at_end = self.list.cursor >= len(self.list.rows) - 1
        self.list.others = self.other.by_key if self.other else {}
        self.list.show(rows, name_width)
        self._columns.update(self.list.head())
        if self._wanted is not None:
            self._go_to_wanted()
        elif self._follow and at_end:
            self.list.go(len(rows) - 1)
        self._show_current()
        self._show_state()

    def _go_to_wanted(self) -> None:
        for number, episode in enumerate(self.list.rows):
            if ((episode.scenario, str(episode.sample_id)), episode.repeat + 1) == self._wanted:
                self._wanted = None
                self.list.go(number)
                self.on_episode_list_opened()
                return
        if self.index.complete and self._wanted is not None:
            (sample, _), self._wanted = self._wanted, None
            self._say(f"no episode {':'.join(sample)} in the list")

    def _show_state(self) -> None:
        settings, manifest = self.index.manifest.settings, self.index.manifest
        title = title_of(manifest)
        if self.other:
            title = " | ".join(name_runs([manifest, self.other.manifest]))
        reading = "" if self.index.complete else " …"
        shown, there = len(self.list.rows), len(self.index.by_key)
        counted = f"{shown:,} of {there:,}" if shown != there else f"{there:,}"
        state = Text.assemble(
            safe(title, "bold"), "  ", f"{counted} episodes{reading}", "  ", f"by {self._order}"
        )
        if manifest.status != "finished":
            state.append(f"  {manifest.status}", "bold")
        if settings.data is None:
            state.append("  embedded suite", "dim")
        self._state.update(state)

    # Showing --------------------------------------------------------------------------------

    def on_episode_list_moved(self) -> None:
        """Shows the episode once the cursor rests."""
        if self._rest:
            self._rest.stop()
        self._rest = self.set_timer(REST, self._show_current)

    def on_episode_list_opened(self) -> None:
        """The keys go to the turns."""
        self._show_current()
        self.screen.add_class("-open")
        self.first.turns.focus()

    def _show_current(self) -> None:
        """Shows what is under the cursor, unless that is shown."""
        current = self.list.current
        other = self.other.get(current.key) if self.other and current else None
        if self._shown == (current, self.other, other):
            return
        self._shown = (current, self.other, other)
        parting = Pair(current, other).parting if current and other else None
        try:
            self.first.show(self.index.record(current) if current else None, parting or 0, parting)
            if self.other:
                record = self.other.record(other) if other else None
                self.second.show(record, parting or 0, parting)
        except UserError as error:
            self._say(str(error))

    def on_episode_pane_turned(self, event: EpisodePane.Turned) -> None:
        """Two episodes side by side are at the same turn."""
        if self.other:
            beside = self.second if event.pane is self.first else self.first
            beside.choose(event.pane.turns.turn)

    def _say(self, message: str) -> None:
        self.notify(plain(message), markup=False)

    # Searching ------------------------------------------------------------------------------

    def on_input_changed(self) -> None:
        """Filters once nobody types; what must read whole records waits for Enter."""
        if self._typing:
            self._typing.stop()
        if '"' not in self.search.value:
            self._typing = self.set_timer(TYPING, self._filter)

    def on_input_submitted(self) -> None:
        """Keeps the search."""
        self._filter()
        self.list.focus()
        self._show_search()

    def _show_search(self) -> None:
        self.search.set_class(bool(self.search.value) or self.search.has_focus, "-open")

    def action_search(self) -> None:
        """The keys go to the search."""
        self.screen.remove_class("-open")
        self.search.add_class("-open")
        self.search.focus()

    def action_only_failures(self) -> None:
        """Adds what means failures to the search, or takes it away."""
        words = self.search.value.split()
        without = [word for word in words if word != FAILURES]
        self.search.value = " ".join(without if FAILURES in words else [FAILURES, *without])
        self._show_search()

    def action_to_list(self) -> None:
        """To the list; from there, to the list without a search."""
        if self.focused is self.search or (self.focused is self.list and self.search.value):
            self.search.value = ""
        self.screen.remove_class("-open")
        self.list.focus()
        self._show_search()

    # Keys -----------------------------------------------------------------------------------

    def action_order(self) -> None:
        """The next order of the list."""
        self._order = ORDERS[(ORDERS.index(self._order) + 1) % len(ORDERS)]
        self._filter()

    def action_episode(self, step: int) -> None:
        """The next episode of the list."""
        self.list.go(self.list.cursor + step)

    def action_failure(self, step: int) -> None:
        """The next failure; beside another run, the next sample lost or gained."""
        number = self.list.cursor + step
        while 0 <= number < len(self.list.rows):
            if self._matters(self.list.rows[number]):
                self.list.go(number)
                return
            number += step
        self._say("no further one in the list")

    def _matters(self, episode: EpisodeOutline) -> bool:
        if self.other is None:
            return not episode.outcome.correct
        other = self.other.get(episode.key)
        return other is not None and Pair(episode, other).change in ("lost", "gained")

    def action_picture(self) -> None:
        """The picture alone."""
        pane = self._pane()
        if pane.episode and pane.turn:
            screen = PictureScreen(
                pane.frames, pane.episode, pane.turns.turn, graphics=pane.picture.graphics
            )
            self.push_screen(screen, lambda turn: pane.turns.choose(turn or 0))

    def action_graphics(self) -> None:
        """The terminal's graphics, or blocks; for terminals that promise what they cannot draw."""
        if Graphics is None:
            self._say("this terminal draws no pictures but in blocks")
        for pane in (self.first, self.second):
            pane.picture.graphics = not pane.picture.graphics

    @work(thread=True, exclusive=True, group="record")
    def action_record(self) -> None:
        """What was asked and replied."""
        pane = self._pane()
        index = self.other if pane is self.second and self.other else self.index
        if pane.episode and pane.turn:
            title = f"{name_of(pane.episode)}  turn {pane.turn.index + 1}"
            settings = index.manifest.settings
            text = turn_text(pane.episode, pane.turns.turn, settings, pane.frames)
            self.call_later(self.push_screen, TextScreen(title, text))

    def action_copy(self) -> None:
        """The command that opens this episode."""
        if episode := self.list.current:
            words = ["python", "-m", "proactive_agent", "trace", str(self.index.folder.path)]
            words += ["--sample", f"{episode.scenario}:{episode.sample_id}"]
            if episode.repeat:
                words += ["--repeat", str(episode.repeat + 1)]
            command = plain(shlex.join(words))
            self.copy_to_clipboard(command)
            self._say(f"copied: {command}")

    def action_help(self) -> None:
        """The keys."""
        self.push_screen(HelpScreen())

    def action_beside(self) -> None:
        """Asks for another run, or takes the one beside away."""
        if self.other:
            self._put_beside(None)
        elif runs := other_runs(self.index.folder, self._results):
            self.push_screen(RunsScreen(runs), self._picked)
        else:
            self._say("there is no other run here")

    def _picked(self, folder: RunFolder | None) -> None:
        if folder is not None:
            self._put_beside(RunIndex(folder))

    def _put_beside(self, other: RunIndex | None) -> None:
        self.other, self._shown = other, ()
        names = ["", ""]
        if other:
            manifests = [self.index.manifest, other.manifest]
            names = name_runs(manifests)
            for difference in differences(manifests):
                self._say(difference)
            self.second.frames = FrameSource(other.manifest, self._data)
            self._read(other)
        self.first.run_name, self.second.run_name = names
        self.screen.set_class(other is not None, "-beside")
        self._filter()
        self._show_current()

    def _pane(self) -> EpisodePane:
        """The pane that the keys are for."""
        return self.second if self.focused is self.second.turns else self.first


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """For reading a run: nothing of it is garbage, and looking for some stops the browser."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def theme_of_terminal() -> str:
    """Colours are the terminal's own; some terminals say whether they are light."""
    background = os.environ.get("COLORFGBG", "").rpartition(";")[2]
    return "ansi-light" if background in ("7", "15") else "ansi-dark"
