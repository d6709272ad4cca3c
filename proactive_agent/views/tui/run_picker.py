"""Lets the user pick a run in the terminal, where a command was given none."""

import os
from collections.abc import Sequence
from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType

from proactive_agent.records.run_folder import RunFolder
from proactive_agent.views.tui.app import theme_of_terminal
from proactive_agent.views.tui.screens import OtherRun, RunsScreen


class RunPicker(App[RunFolder]):
    """Returns the run that the user picks, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q,ctrl+c", "quit", "Quit")]

    def __init__(self, runs: Sequence[OtherRun]) -> None:
        super().__init__()
        self.theme = os.environ.get("TEXTUAL_THEME") or theme_of_terminal()
        self._runs = runs

    def on_mount(self) -> None:
        """Shows the list."""
        self.push_screen(RunsScreen(self._runs, "Which run?"), self.exit)
