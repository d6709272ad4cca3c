"""The terminal interface of `trace`: a list of episodes next to one episode, of one or two runs."""

import os
import shlex
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widgets import Footer, Static
from textual.worker import get_current_worker

from proactive_agent.records.describe import name_of
from proactive_agent.records.outline import EpisodeOutline
from proactive_agent.records.run_folder import POLL_SECONDS, RunFolder
from proactive_agent.reports.run_names import differences, name_runs
from proactive_agent.terminal.console import plain
from proactive_agent.tools import UserError
from proactive_agent.views.divergence import EpisodePair
from proactive_agent.views.search import Search
from proactive_agent.views.selection import ORDERS, Order, Selection
from proactive_agent.views.tui.episode_list import EpisodeList, name_width_of
from proactive_agent.views.tui.episode_pane import EpisodePane
from proactive_agent.views.tui.frames import FrameSource
from proactive_agent.views.tui.loaded_run import LoadedRun, without_garbage_collection
from proactive_agent.views.tui.picture import Graphics
from proactive_agent.views.tui.picture_screen import PictureScreen
from proactive_agent.views.tui.screens import HelpScreen, RunsScreen, TextScreen, other_runs
from proactive_agent.views.tui.search_box import SearchBox
from proactive_agent.views.tui.status_line import StatusLine
from proactive_agent.views.tui.turn_record import turn_text

REST = 0.05
"""Seconds that the cursor must rest before an episode is loaded."""

WIDE = 100
"""Smallest width, in columns, at which the list and the episode are side by side."""


class TraceBrowser(App[None]):
    """Browses the episodes of a run."""

    TITLE = "trace"
    CSS = """
    #left { width: 42%; min-width: 30; max-width: 76; border-right: vkey $primary; }
    #columns { height: 1; text-style: bold; }
    #list { height: 1fr; }
    EpisodePane { width: 1fr; }
    #second { display: none; }
    .-compared #second { display: block; border-left: vkey $primary; }
    .-compared #left { width: 34%; }
    .-narrow #left { width: 1fr; max-width: 100%; border-right: none; }
    .-narrow #episodes { display: none; }
    .-narrow.-open #episodes { display: block; }
    .-narrow.-open #left { display: none; }
    #episodes { width: 1fr; }
    .-narrow.-compared #episodes { layout: vertical; }
    .-narrow.-compared PictureView { display: none; }
    .-narrow.-compared #second { border-left: none; border-top: hkey $primary; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search"),
        Binding("n", "failure(1)", "Next ✗"),
        Binding("N", "failure(-1)", "Previous failure", show=False),
        Binding("w", "only_failures", "Failures"),
        Binding("s", "order", "Sort", show=False),
        Binding("d", "compare", "Compare"),
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
        """The error that closed the browser, if any."""
        self.main = LoadedRun(folder)
        self.other = LoadedRun(second) if second else None
        """The second run of a comparison, if any."""
        self._selection = selection
        self._wanted = (selection.sample, selection.repeat or 1) if selection.sample else None
        """The first episode to show: (scenario, id) and repetition."""
        self._order: Order = "ended" if follow else order
        self._follow = follow
        self._data, self._results = data, results
        frames = FrameSource(self.main.manifest, data)
        self.list = EpisodeList(id="list")
        self.search = SearchBox()
        self.first = EpisodePane(frames, id="first")
        self.second = EpisodePane(frames, id="second")
        """Shows the same sample in the other run."""
        self._status = StatusLine()
        self._columns = Static("", id="columns", markup=False)
        self._shown: tuple[object, ...] = ()
        """The episodes shown in the panes."""
        self._rest: Timer | None = None

    def compose(self) -> ComposeResult:
        yield self._status
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
        """Starts loading the runs."""
        self.list.focus()
        self.search.value = self._selection.query
        self.search.update_visibility()
        self._read(self.main)
        if self.other:
            self._compare_with(self.other)

    # Reading and filtering ------------------------------------------------------------------

    @work(thread=True, group="reading")
    def _read(self, run: LoadedRun) -> None:
        """Loads a run, and new episodes while it is played."""
        worker = get_current_worker()
        running, before = True, None
        try:
            while running and run in (self.main, self.other) and not worker.is_cancelled:
                running = run.is_running()
                with nullcontext() if run.complete else without_garbage_collection():
                    shown = 0
                    for there in run.read_more():
                        if worker.is_cancelled:
                            return
                        # Sorting is slow, so a long list is shown a few times only.
                        if there >= 4 * shown:
                            shown = there
                            self.call_later(self._filter)
                now = (run.position, running)
                if now != before:
                    self.call_later(self._filter)
                before = now
                if running:
                    time.sleep(POLL_SECONDS)
        except UserError as error:
            self.call_later(self._fail, run, error)

    def _fail(self, run: LoadedRun, error: UserError) -> None:
        """Closes the browser, or drops the other run if that one failed."""
        if run is self.main:
            self.fault = error
            self.exit()
        elif run is self.other:
            self._say(str(error))
            self._compare_with(None)

    @work(thread=True, exclusive=True, group="filter")
    def _filter(self) -> None:
        """Finds the rows that match the search; a later search cancels an earlier one."""
        worker = get_current_worker()
        query, other = self.search.value, self.other
        try:
            search = Search(query, with_changes=other is not None)
            if search.reads_records:
                self.call_later(self._status.update, Text("searching whole records …"))
            rows = self.main.rows(search, self._order, other)[: self._selection.limit]
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
        self._status.show(self.main, self.other, len(rows), self._order)

    def _go_to_wanted(self) -> None:
        for number, episode in enumerate(self.list.rows):
            if ((episode.scenario, str(episode.sample_id)), episode.repeat + 1) == self._wanted:
                self._wanted = None
                self.list.go(number)
                self.on_episode_list_opened()
                return
        if self.main.complete and self._wanted is not None:
            (sample, _), self._wanted = self._wanted, None
            self._say(f"no episode {':'.join(sample)} in the list")

    # Showing --------------------------------------------------------------------------------

    def on_episode_list_moved(self) -> None:
        """Shows the episode once the cursor rests."""
        if self._rest:
            self._rest.stop()
        self._rest = self.set_timer(REST, self._show_current)

    def on_episode_list_opened(self) -> None:
        """Shows the episode and focuses its turns."""
        self._show_current()
        self.screen.add_class("-open")
        self.first.turns.focus()

    def _show_current(self) -> None:
        """Shows the episode under the cursor, unless it is shown already."""
        current = self.list.current
        other = self.other.get(current.key) if self.other and current else None
        if self._shown == (current, self.other, other):
            return
        self._shown = (current, self.other, other)
        turn = EpisodePair(current, other).divergence if current and other else None
        try:
            self.first.show(self.main.record(current) if current else None, turn or 0, turn)
            if self.other:
                record = self.other.record(other) if other else None
                self.second.show(record, turn or 0, turn)
        except UserError as error:
            self._say(str(error))

    def on_episode_pane_turned(self, event: EpisodePane.Turned) -> None:
        """Keeps two episodes side by side at the same turn."""
        if self.other:
            opposite = self.second if event.pane is self.first else self.first
            opposite.choose(event.pane.turns.turn)

    def _say(self, message: str) -> None:
        self.notify(plain(message), markup=False)

    # Searching ------------------------------------------------------------------------------

    def on_search_box_edited(self) -> None:
        """Filters the list."""
        self._filter()

    def on_input_submitted(self) -> None:
        """Filters the list and focuses it."""
        self._filter()
        self.list.focus()
        self.search.update_visibility()

    def action_search(self) -> None:
        """Focuses the search."""
        self.screen.remove_class("-open")
        self.search.open()

    def action_only_failures(self) -> None:
        """Restricts the search to failures, or lifts that."""
        self.search.toggle_failures()

    def action_to_list(self) -> None:
        """Goes back to the list; in the list, drops the search."""
        if self.focused is self.search or (self.focused is self.list and self.search.value):
            self.search.value = ""
        self.screen.remove_class("-open")
        self.list.focus()
        self.search.update_visibility()

    # Keys -----------------------------------------------------------------------------------

    def action_order(self) -> None:
        """Sorts the list by the next order."""
        self._order = ORDERS[(ORDERS.index(self._order) + 1) % len(ORDERS)]
        self._filter()

    def action_episode(self, step: int) -> None:
        """Moves the cursor by `step` episodes."""
        self.list.go(self.list.cursor + step)

    def action_failure(self, step: int) -> None:
        """Moves to the next failure; of two runs, to the next lost or gained sample."""
        number = self.list.cursor + step
        while 0 <= number < len(self.list.rows):
            if self._is_notable(self.list.rows[number]):
                self.list.go(number)
                return
            number += step
        self._say("no further one in the list")

    def _is_notable(self, episode: EpisodeOutline) -> bool:
        if self.other is None:
            return not episode.outcome.correct
        other = self.other.get(episode.key)
        return other is not None and EpisodePair(episode, other).change in ("lost", "gained")

    def action_picture(self) -> None:
        """Shows the picture alone."""
        pane = self._pane()
        if pane.episode and pane.turn:
            screen = PictureScreen(
                pane.frames, pane.episode, pane.turns.turn, graphics=pane.picture.graphics
            )
            self.push_screen(screen, lambda turn: pane.turns.choose(turn or 0))

    def action_graphics(self) -> None:
        """Switches between graphics and blocks; some terminals announce graphics they lack."""
        if Graphics is None:
            self._say("this terminal can draw pictures in blocks only")
        for pane in (self.first, self.second):
            pane.picture.graphics = not pane.picture.graphics

    @work(thread=True, exclusive=True, group="record")
    def action_record(self) -> None:
        """Shows the request, the reply and its reading."""
        pane = self._pane()
        run = self.other if pane is self.second and self.other else self.main
        if pane.episode and pane.turn:
            title = f"{name_of(pane.episode)}  turn {pane.turn.index + 1}"
            settings = run.manifest.settings
            text = turn_text(pane.episode, pane.turns.turn, settings, pane.frames)
            self.call_later(self.push_screen, TextScreen(title, text))

    def action_copy(self) -> None:
        """Copies the command that opens this episode."""
        if episode := self.list.current:
            command = plain(trace_command(self.main.folder, episode))
            self.copy_to_clipboard(command)
            self._say(f"copied: {command}")

    def action_help(self) -> None:
        """Shows the keys."""
        self.push_screen(HelpScreen())

    def action_compare(self) -> None:
        """Asks for a run to compare with, or ends the comparison."""
        if self.other:
            self._compare_with(None)
        elif runs := other_runs(self.main.folder, self._results):
            self.push_screen(RunsScreen(runs), self._picked)
        else:
            self._say("there is no other run to compare with")

    def _picked(self, folder: RunFolder | None) -> None:
        if folder is not None:
            self._compare_with(LoadedRun(folder))

    def _compare_with(self, other: LoadedRun | None) -> None:
        self.other, self._shown = other, ()
        names = ["", ""]
        if other:
            manifests = [self.main.manifest, other.manifest]
            names = name_runs(manifests)
            for difference in differences(manifests):
                self._say(difference)
            self.second.frames = FrameSource(other.manifest, self._data)
            self._read(other)
        self.first.run_name, self.second.run_name = names
        self.screen.set_class(other is not None, "-compared")
        self._filter()
        self._show_current()

    def _pane(self) -> EpisodePane:
        """Returns the pane that has the focus."""
        return self.second if self.focused is self.second.turns else self.first


def trace_command(folder: RunFolder, episode: EpisodeOutline) -> str:
    """Returns the shell command that opens an episode."""
    words = ["python", "-m", "proactive_agent", "trace", str(folder.path)]
    words += ["--sample", f"{episode.scenario}:{episode.sample_id}"]
    if episode.repeat:
        words += ["--repeat", str(episode.repeat + 1)]
    return shlex.join(words)


def theme_of_terminal() -> str:
    """Returns the theme for the terminal's own colours; COLORFGBG tells whether they are light."""
    background = os.environ.get("COLORFGBG", "").rpartition(";")[2]
    return "ansi-light" if background in ("7", "15") else "ansi-dark"
