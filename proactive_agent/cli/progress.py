"""Progress bars: one for each run that is being played."""

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self

from rich.console import RenderableType
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
from proactive_agent.providers import Provider
from proactive_agent.providers.api.batch.waves import WaveProgress
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.reports.tables import mean, percent
from proactive_agent.runs.prepare import PreparedRun
from proactive_agent.terminal.console import messages, plain, safe


def wave_text(progress: WaveProgress) -> str:
    """Describes the state of a wave of batches."""
    wave = f"wave {progress.number}" if progress.number else "batches of an earlier process"
    if not progress.begins:
        return f"{wave}: {progress.done:,} of {progress.requests:,} replies"
    batches = f"{progress.batches} batch{'es' * (progress.batches != 1)}"
    return f"{wave}: {progress.requests:,} requests in {batches}"


class Bars:
    """The bars of all runs, one below the other, from `start` until the context ends.

    `quiet` is for a person who plays at the terminal: there are no bars, but a line for each of
    that person's episodes. `verbose` adds a line for each worker of a model.
    """

    def __init__(self, *, quiet: bool = False, verbose: bool = False) -> None:
        self._quiet = quiet
        self._verbose = verbose
        self._progress = _BarsAndLines(
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
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Takes all bars away."""
        self._progress.stop()

    def start(self) -> None:
        """Shows the bars, if output is a terminal."""
        self._progress.start()

    def of(self, run: PreparedRun, name: str) -> "Bar":
        """Adds the bar of a run."""
        if self._verbose:
            self._progress.watched = [model for model, _ in run.models]
        counted = self._quiet and run.planned.interactive
        return (PlayedCount if counted else Bar)(self._progress, run, name)


class _BarsAndLines(Progress):
    """Bars, and below them lines about the work of the models."""

    watched: Sequence[Provider] = ()

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        for model in self.watched:
            for line in model.activity():
                yield safe(f"  {line}", "dim")


class Bar:
    """The bar of one run, with the running metrics."""

    def __init__(self, progress: Progress, run: PreparedRun, name: str) -> None:
        self._progress = progress
        self._tallies = Tallies()
        self._turns = 0
        self._task = progress.add_task(
            plain(name),
            total=run.total,
            completed=len(run.done),
            metrics="",
        )
        for episode in run.folder.outlines():
            if episode.error is None:
                self._tallies.add(episode)

    def note(self, text: str) -> None:
        """Shows a text in place of the metrics, until the next episode ends."""
        self._progress.update(self._task, metrics=text)

    def remove(self) -> None:
        """Takes the bar away."""
        self._progress.remove_task(self._task)

    def advance(self, episode: EpisodeRecord) -> None:
        """Counts an episode."""
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


class PlayedCount(Bar):
    """Tells a human player how many episodes are played, and never how good the answers are."""

    def __init__(self, progress: Progress, run: PreparedRun, name: str) -> None:
        super().__init__(progress, run, name)
        self._done, self._total = len(run.done), run.total
        messages.print(
            plain(
                f"{name}: {self._done} of {self._total} played. Ctrl-D stops; you can resume later."
            ),
            markup=False,
        )

    def advance(self, episode: EpisodeRecord) -> None:
        """Counts an episode."""
        self._done += 1
        messages.print(f"{self._done} of {self._total} played")
