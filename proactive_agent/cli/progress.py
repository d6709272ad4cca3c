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
from proactive_agent.records import EpisodeRecord
from proactive_agent.runner import PreparedRun
from proactive_agent.tables import mean, percent
from proactive_agent.terminal import messages, plain


class Bars:
    """The bars of all runs, one below the other; nothing where output is no terminal."""

    def __init__(self) -> None:
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
            disable=not messages.is_terminal,
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

    def of(self, prepared: PreparedRun) -> "Bar":
        """The bar of a run."""
        return Bar(self._progress, prepared)


class Bar:
    """The bar of one run, with the running metrics; gone when the run has ended."""

    def __init__(self, progress: Progress, prepared: PreparedRun) -> None:
        self._progress = progress
        self._tallies = Tallies()
        self._turns = 0
        self._task = progress.add_task(
            plain(prepared.manifest.settings.provider.split("/")[-1]),
            total=prepared.total,
            completed=len(prepared.done),
            metrics="",
        )
        for episode in prepared.folder.episodes():
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
        summary = self._tallies.summary()
        elapsed = next(
            (task.elapsed or 0.0 for task in self._progress.tasks if task.id == self._task), 0.0
        )
        metrics = f"acc {percent(summary.acc)} psr {mean(summary.psr)}"
        if elapsed > 0:
            metrics += f" {self._turns / elapsed:.1f} req/s"
        if summary.errors:
            metrics += f" {summary.errors} errors"
        self._progress.update(self._task, advance=1, metrics=metrics)
