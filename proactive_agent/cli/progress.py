"""A progress bar for each run that is being played."""

from types import TracebackType
from typing import Self

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from proactive_agent.metrics import Tallies
from proactive_agent.providers.registry import is_interactive
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.reports.tables import mean, percent
from proactive_agent.runs.runner import PreparedRun
from proactive_agent.terminal.console import messages, plain


class Bars:
    """The bars of all runs, one below the other; nothing where output is no terminal.

    `quiet` where a person plays at the terminal: no bars, but a line per episode of theirs.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=16),
            MofNCompleteColumn(),
            TextColumn("{task.fields[metrics]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=messages,
            transient=True,
            disable=quiet or not messages.is_terminal,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def of(self, prepared: PreparedRun, name: str) -> "Bar":
        """The bar of a run."""
        spoken = self._quiet and is_interactive(prepared.manifest.settings.provider)
        return (Counter if spoken else Bar)(self._progress, prepared, name)


class Bar:
    """The bar of one run, with the running metrics; gone when the run has ended."""

    def __init__(self, progress: Progress, prepared: PreparedRun, name: str) -> None:
        self._progress = progress
        self._tallies = Tallies()
        self._turns = 0
        self._task = progress.add_task(
            plain(name),
            total=prepared.total,
            completed=len(prepared.done),
            metrics="",
        )
        for episode in prepared.folder.outlines():
            if episode.error is None:
                self._tallies.add(episode)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.remove_task(self._task)

    def advance(self, episode: EpisodeRecord) -> None:
        """Counts an episode in."""
        self._tallies.add(episode)
        self._turns += len(episode.turns)
        elapsed = next(
            (task.elapsed or 0.0 for task in self._progress.tasks if task.id == self._task), 0.0
        )
        metrics = f"acc {percent(self._tallies.acc)} psr {mean(self._tallies.psr)}"
        if elapsed > 0:
            metrics += f" {self._turns / elapsed:.1f} req/s"
        if self._tallies.errors:
            metrics += f" {self._tallies.errors} errors"
        self._progress.update(self._task, advance=1, metrics=metrics)


class Counter(Bar):
    """Tells a person how far they are, and never how well they do."""

    def __init__(self, progress: Progress, prepared: PreparedRun, name: str) -> None:
        super().__init__(progress, prepared, name)
        self._done, self._total = len(prepared.done), prepared.total
        messages.print(
            plain(
                f"{name}: {self._done} of {self._total} played. Ctrl-D stops; it can go on later."
            ),
            markup=False,
        )

    def advance(self, episode: EpisodeRecord) -> None:
        """Counts an episode in."""
        self._done += 1
        messages.print(f"{self._done} of {self._total} played")
