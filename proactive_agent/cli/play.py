"""Plays prepared runs with a progress bar and shows their results."""

import asyncio
import sys
from collections.abc import Callable, Sequence

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from proactive_agent.metrics import Summary, Tallies
from proactive_agent.records import EpisodeRecord
from proactive_agent.runner import PreparedRun, run
from proactive_agent.tables import (
    EMBEDDED_NOTE,
    comparison_table,
    mean,
    percent,
    summary_notes,
    summary_table,
)
from proactive_agent.terminal import console, messages, plain


def play_runs(prepare: Sequence[Callable[[], PreparedRun]], concurrency: int | None) -> None:
    """Plays runs one after another; several end with a comparison."""
    results: list[tuple[str, Summary]] = []
    embedded = False
    for make in prepare:
        prepared = make()
        embedded = prepared.manifest.data.embedded
        _say_what_is_not_published(prepared, first=not results)
        summary = _play(prepared, concurrency)
        name = prepared.manifest.settings.provider
        results.append((name.removeprefix("baseline:"), summary))
        if len(prepare) == 1:
            console.print(summary_table(_title(prepared), summary))
            for note in summary_notes(summary, embedded=embedded):
                console.print(note, markup=False)
        messages.print(f"[dim]records: {plain(str(prepared.folder.path))}[/dim]", soft_wrap=True)
    if len(results) > 1:
        settings = prepared.manifest.settings
        title = f"{settings.protocol}, {settings.condition}"
        console.print(comparison_table(title, results))
        if embedded:
            console.print(EMBEDDED_NOTE, markup=False)


def _play(prepared: PreparedRun, concurrency: int | None) -> Summary:
    with _Bar(prepared) as bar:
        try:
            return asyncio.run(run(prepared, concurrency, bar.advance))
        except KeyboardInterrupt:
            bar.stop()
            messages.print(
                f"interrupted; go on with: --resume {prepared.folder.path}",
                markup=False,
                soft_wrap=True,
            )
            sys.exit(130)


def _title(prepared: PreparedRun) -> str:
    settings = prepared.manifest.settings
    return plain(f"{settings.provider}: {settings.protocol}, {settings.condition}")


def _say_what_is_not_published(prepared: PreparedRun, *, first: bool) -> None:
    data = prepared.play.data
    if first and not data.embedded and data.pack is None:
        messages.print(
            "No protocol pack lies beside the data: wording and samples are not the published ones "
            "(data protocol DIR fetches it).",
            markup=False,
        )


class _Bar:
    """A progress bar with the running metrics."""

    def __init__(self, prepared: PreparedRun) -> None:
        self._tallies = Tallies()
        self._turns = 0
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
        self._task = self._progress.add_task(
            plain(prepared.manifest.settings.provider.split("/")[-1]),
            total=prepared.total,
            completed=len(prepared.done),
            metrics="",
        )
        for episode in prepared.folder.episodes():
            if episode.error is None:
                self._tallies.add(episode)

    def __enter__(self) -> "_Bar":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Takes the bar off the screen."""
        self._progress.stop()

    def advance(self, episode: EpisodeRecord) -> None:
        """Counts an episode in."""
        self._tallies.add(episode)
        self._turns += len(episode.turns)
        summary = self._tallies.summary()
        elapsed = self._progress.tasks[self._task].elapsed or 0.0
        metrics = f"acc {percent(summary.acc)} psr {mean(summary.psr)}"
        if elapsed > 0:
            metrics += f" {self._turns / elapsed:.1f} req/s"
        if summary.errors:
            metrics += f" {summary.errors} errors"
        self._progress.update(self._task, advance=1, metrics=metrics)
