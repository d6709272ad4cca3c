"""Plays prepared runs with progress bars and shows their results.

Models behind an API play side by side; models on this machine one after another.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, NamedTuple

from proactive_agent import runner
from proactive_agent.budget import Budget, BudgetSpentError
from proactive_agent.cli.progress import Bars
from proactive_agent.metrics import Summary, summarise
from proactive_agent.runner import PreparedRun
from proactive_agent.tables import (
    EMBEDDED_NOTE,
    comparison_table,
    summary_notes,
    summary_table,
)
from proactive_agent.terminal import console, messages, plain, safe


class Planned(NamedTuple):
    """A run that is to be prepared and played."""

    prepare: Callable[[], PreparedRun]
    remote: bool


class _Played(NamedTuple):
    prepared: PreparedRun
    summary: Summary
    stopped: str | None
    """Why it ended before its last episode."""


def play_runs(
    planned: Sequence[Planned], concurrency: int | None, budget: Budget | None = None
) -> None:
    """Plays runs; several end with a comparison."""
    sitting = _Sitting(planned, concurrency, budget)
    try:
        played = asyncio.run(sitting.play())
    except KeyboardInterrupt:
        for prepared in sitting.begun:
            _say_how_to_go_on("interrupted", prepared)
        sys.exit(130)
    for run in played:
        if run.stopped:
            _say_how_to_go_on(run.stopped, run.prepared)
    _show(played)
    if any(run.stopped for run in played):
        sys.exit(1)


class _Sitting:
    """Everything that one call of the program plays."""

    def __init__(
        self, planned: Sequence[Planned], concurrency: int | None, budget: Budget | None
    ) -> None:
        self.begun: list[PreparedRun] = []
        """Runs that are being played."""
        self._planned = planned
        self._concurrency = concurrency
        self._budget = budget
        self._bars = Bars()
        self._warned = False

    async def play(self) -> list[_Played]:
        """Plays all runs; the results come in the order of the plan."""
        played: dict[int, _Played] = {}
        remote: dict[int, PreparedRun] = {}

        async def play_remote(index: int, prepared: PreparedRun) -> None:
            played[index] = await self._play(prepared, probed=True)

        async def play_local() -> None:
            for index, (prepare, is_remote) in enumerate(self._planned):
                if not is_remote:
                    # In a thread: loading a model takes minutes, and others shall not wait.
                    prepared = await asyncio.to_thread(prepare)
                    played[index] = await self._play(prepared, probed=False)

        try:
            for index, (prepare, is_remote) in enumerate(self._planned):
                if is_remote:
                    remote[index] = prepare()
            await _together(runner.probe(prepared, self._budget) for prepared in remote.values())
            with self._bars:
                await _together(
                    [*(play_remote(index, prepared) for index, prepared in remote.items()),
                     play_local()]
                )  # fmt: skip
        finally:
            for prepared in remote.values():
                await prepared.play.provider.close()
        return [played[index] for index in sorted(played)]

    async def _play(self, prepared: PreparedRun, *, probed: bool) -> _Played:
        self._say_what_is_not_published(prepared)
        self.begun.append(prepared)
        stopped = None
        with self._bars.of(prepared) as bar:
            try:
                summary = await runner.run(
                    prepared, self._concurrency, bar.advance, budget=self._budget, probed=probed
                )
            except BudgetSpentError as error:
                stopped = str(error)
                summary = summarise(prepared.folder.episodes())
        self.begun.remove(prepared)
        messages.print(safe(f"records: {prepared.folder.path}", "dim"), soft_wrap=True)
        return _Played(prepared, summary, stopped)

    def _say_what_is_not_published(self, prepared: PreparedRun) -> None:
        data = prepared.play.data
        if not self._warned and not data.embedded and data.pack is None:
            messages.print(
                "No protocol pack lies beside the data: wording and samples are not the published "
                "ones (data protocol DIR fetches it).",
                markup=False,
            )
        self._warned = True


async def _together(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Runs all; the first error ends the others and is raised as it was."""
    try:
        async with asyncio.TaskGroup() as group:
            for coroutine in work:
                group.create_task(coroutine)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


def _show(played: Sequence[_Played]) -> None:
    embedded = any(run.prepared.manifest.data.embedded for run in played)
    settings = played[0].prepared.manifest.settings
    if len(played) == 1:
        title = f"{settings.provider}: {settings.protocol}, {settings.condition}"
        console.print(summary_table(plain(title), played[0].summary))
        for note in summary_notes(played[0].summary, embedded=embedded):
            console.print(note, markup=False)
        return
    named = [
        (run.prepared.manifest.settings.provider.removeprefix("baseline:"), run.summary)
        for run in played
    ]
    console.print(comparison_table(f"{settings.protocol}, {settings.condition}", named))
    if embedded:
        console.print(EMBEDDED_NOTE, markup=False)


def _say_how_to_go_on(why: str, prepared: PreparedRun) -> None:
    messages.print(
        f"{why}; go on with: --resume {prepared.folder.path}", markup=False, soft_wrap=True
    )
