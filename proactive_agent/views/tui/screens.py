"""Screens that open over the browser: a long text, the help, the choice of another run."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from proactive_agent.records.handles import list_runs
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.terminal.console import safe
from proactive_agent.views.text.listing import title_of
from proactive_agent.views.tui.help_text import help_text


class TextScreen(ModalScreen[None]):
    """Shows a long text that scrolls."""

    DEFAULT_CSS = """
    TextScreen > VerticalScroll { padding: 0 1; }
    TextScreen > .title { height: 1; padding: 0 1; text-style: bold reverse; width: 100%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,r,question_mark", "dismiss", "Back"),
        Binding("j", "down", "Down", show=False),
        Binding("k", "up", "Up", show=False),
    ]

    def __init__(self, title: str, text: Text) -> None:
        super().__init__()
        self._title, self.text = title, text

    def compose(self) -> ComposeResult:
        yield Static(safe(self._title), classes="title", markup=False)
        with VerticalScroll(classes="-ansi-scrollbar"):
            yield Static(self.text, markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Focuses the text, so that keys scroll it."""
        self.query_one(VerticalScroll).focus()

    def action_down(self) -> None:
        """Scrolls down by a line."""
        self.query_one(VerticalScroll).scroll_down(animate=False)

    def action_up(self) -> None:
        """Scrolls up by a line."""
        self.query_one(VerticalScroll).scroll_up(animate=False)


class HelpScreen(TextScreen):
    """Explains the keys and the search."""

    def __init__(self) -> None:
        super().__init__("Keys and search", help_text())


class OtherRun(NamedTuple):
    """A run that can be picked."""

    folder: RunFolder
    title: str


class RunsScreen(ModalScreen[RunFolder | None]):
    """Asks for a run."""

    DEFAULT_CSS = """
    RunsScreen { align: center middle; }
    RunsScreen > OptionList { width: 90%; max-height: 80%; border: round $primary; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,d", "cancel", "Back")]

    def __init__(self, runs: Sequence[OtherRun], question: str = "Compare with") -> None:
        super().__init__()
        self._runs, self._question = runs, question

    def compose(self) -> ComposeResult:
        options = [
            Option(
                Text.assemble(safe(run.title, "bold"), "\n  ", safe(run.folder.path.name, "dim"))
            )
            for run in self._runs
        ]
        shown = OptionList(*options, markup=False)
        shown.border_title = self._question
        yield shown
        yield Footer()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Returns the run that was picked."""
        self.dismiss(self._runs[event.option_index].folder)

    def action_cancel(self) -> None:
        """Returns no run."""
        self.dismiss(None)


def runs_in(*places: Path) -> list[OtherRun]:
    """Lists the readable runs in some folders, the latest first. Raises UserError."""
    found: dict[str, OtherRun] = {}
    for place in places:
        for run in list_runs(place):
            if run.manifest is not None:
                path = os.path.realpath(run.folder.path)
                found.setdefault(path, OtherRun(run.folder, title_of(run.manifest)))
    return list(found.values())


def other_runs(folder: RunFolder, *places: Path) -> list[OtherRun]:
    """Lists the other runs in the same folder and in `places`. Raises UserError."""
    own = os.path.realpath(folder.path)
    found = runs_in(Path(own).parent, *places)
    return [run for run in found if os.path.realpath(run.folder.path) != own]
