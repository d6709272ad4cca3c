"""Plays runs with progress bars and shows their results.

Models behind an API play side by side; models on this machine one after another.  The runs of one
model share it, and are played one after another.
"""

import asyncio
import sys
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proactive_agent.cli.progress import Bars
from proactive_agent.cli.results import show_results
from proactive_agent.metrics import PlayedRun
from proactive_agent.play.budget import Budget
from proactive_agent.providers import ApiAccess, Provider, StoppedError
from proactive_agent.providers.registry import is_interactive, is_remote
from proactive_agent.records.manifest import Settings
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.runs import runner
from proactive_agent.runs.model_pool import ModelPool
from proactive_agent.runs.runner import PreparedRun
from proactive_agent.terminal.console import messages, safe


@dataclass(frozen=True)
class Planned:
    """A run that is to be played."""

    settings: Settings
    access: ApiAccess
    results: Path
    run_id: str | None = None
    begun: RunFolder | None = None
    """The records so far of a run that goes on."""
    label: str | None = None
    """What the model is called in results."""

    @property
    def name(self) -> str:
        """Model and condition."""
        return f"{self.label or self.settings.provider} {self.settings.condition}"

    @property
    def model(self) -> object:
        """Runs in which this is the same share their model."""
        return self.settings.provider, self.settings.provider_settings, self.access

    def prepare(self, shared: ModelPool) -> PreparedRun:
        """Loads the model, if no other run has done so.  Raises UserError."""
        if self.begun:
            return runner.prepare_resume(self.begun, self.access, shared=shared)
        return runner.prepare_run(
            self.settings, self.results, self.access, shared=shared, run_id=self.run_id
        )


class _Run:
    """What has become of a planned run."""

    def __init__(self, planned: Planned) -> None:
        self.planned = planned
        self.begun: RunFolder | None = None
        self.result: PlayedRun | None = None
        """Once it has ended, also before its last episode."""
        self.stopped: str | None = None
        """Why it ended before its last episode."""


def play_runs(
    planned: Sequence[Planned],
    concurrency: int | None,
    budget: Budget | None = None,
    again: str | None = None,
) -> None:
    """Plays what is missing of the runs; several end with a comparison.

    `again` are the options that go on with all of them; without it each is resumed for itself.
    """
    sitting = _Sitting(planned, concurrency, budget)
    try:
        asyncio.run(sitting.play())
    except KeyboardInterrupt:
        _say_how_to_go_on(sitting.runs, "interrupted", again)
        sys.exit(130)
    except Exception:
        _say_how_to_go_on(sitting.runs, "broken off", again)
        raise
    stopped = any(run.stopped for run in sitting.runs)
    if stopped:
        _say_how_to_go_on(sitting.runs, "", again)
    show_results([run.result for run in sitting.runs if run.result])
    if stopped:
        sys.exit(1)


class _Sitting:
    """Everything that one call of the program plays."""

    def __init__(
        self, planned: Sequence[Planned], concurrency: int | None, budget: Budget | None
    ) -> None:
        self.runs = [_Run(one) for one in planned]
        self._concurrency = concurrency
        self._budget = budget
        self._shared = ModelPool()
        self._probed: set[Provider] = set()
        self._bars = Bars(quiet=any(is_interactive(one.settings.provider) for one in planned))
        self._conditions = len({one.settings.condition for one in planned})

    async def play(self) -> None:
        """Plays all runs.  Nothing is asked before all that can be checked without asking is."""
        models: dict[object, list[_Run]] = {}
        for run in self.runs:
            if not self._ended_before(run):
                models.setdefault(run.planned.model, []).append(run)
        remote = [runs for runs in models.values() if _is_remote(runs)]
        local = [runs for runs in models.values() if not _is_remote(runs)]
        self._say_what_is_not_published()
        try:
            prepared = [self._prepare(runs) for runs in remote]
            await _together(map(self._probe, prepared))
            with self._bars:
                await _together([*map(self._play_runs, remote, prepared), self._play_local(local)])
        finally:
            await self._shared.close()

    def _ended_before(self, run: _Run) -> bool:
        """Checks a run; one that has nothing left needs no model."""
        planned = run.planned
        if planned.begun is None:
            runner.check_settings(planned.settings, self._shared)
            return False
        if not runner.is_finished(planned.begun, self._shared):
            return False
        run.begun = planned.begun
        run.result = _result(planned, planned.begun)
        return True

    def _prepare(self, runs: Sequence[_Run]) -> list[PreparedRun]:
        return [run.planned.prepare(self._shared) for run in runs]

    async def _probe(self, prepared: Sequence[PreparedRun]) -> None:
        """Asks the model and its judges once, if any of its runs has something left."""
        for one in prepared:
            await runner.probe(one, self._budget, self._probed)
        _say_what_repeats_need(prepared)

    async def _play_local(self, models: Sequence[Sequence[_Run]]) -> None:
        for runs in models:
            # In a thread: loading a model takes minutes, and others shall not wait.
            prepared = await asyncio.to_thread(self._prepare, runs)
            await self._probe(prepared)
            await self._play_runs(runs, prepared)

    async def _play_runs(self, runs: Sequence[_Run], prepared: Sequence[PreparedRun]) -> None:
        """The runs of one model; when one is stopped, those after it would be as well."""
        stopped = False
        for run, ready in zip(runs, prepared, strict=True):
            if stopped:
                await runner.release(ready)
                continue
            await self._play(run, ready)
            stopped = run.stopped is not None

    async def _play(self, run: _Run, prepared: PreparedRun) -> None:
        run.begun = prepared.folder
        model = (run.planned.label or run.planned.settings.provider).split("/")[-1]
        condition = f" {run.planned.settings.condition}" if self._conditions > 1 else ""
        with self._bars.of(prepared, model + condition) as bar:
            try:
                await runner.run(
                    prepared, self._concurrency, bar.advance, budget=self._budget, probed=True
                )
            except StoppedError as error:
                run.stopped = str(error)
        run.result = await asyncio.to_thread(_result, run.planned, prepared.folder)
        messages.print(safe(f"records: {prepared.folder.path}", "dim"), soft_wrap=True)

    def _say_what_is_not_published(self) -> None:
        data = [self._shared.data(run.planned.settings) for run in self.runs]
        if any(not one.embedded and one.pack is None for one in data):
            messages.print(
                "No protocol pack lies beside the data: wording and samples are not the published "
                "ones (data protocol DIR fetches it).",
                markup=False,
            )


def _result(planned: Planned, folder: RunFolder) -> PlayedRun:
    name = planned.label or planned.settings.provider.removeprefix("baseline:")
    return PlayedRun.of_episodes(name, folder.read_manifest(), folder, folder.scan())


def _is_remote(runs: Sequence[_Run]) -> bool:
    return is_remote(runs[0].planned.settings.provider)


async def _together(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Runs all; the first error ends the others and is raised as it was."""
    try:
        async with asyncio.TaskGroup() as group:
            for coroutine in work:
                group.create_task(coroutine)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


def _say_what_repeats_need(runs: Sequence[PreparedRun]) -> None:
    settings, provider = runs[0].manifest.settings, runs[0].play.provider
    repeats = max(one.manifest.settings.repeats for one in runs)
    if repeats > 1 and provider.uses_temperature and not settings.provider_settings.temperature:
        messages.print(
            safe(
                f"{repeats} repeats at temperature 0: {settings.provider} may well say the same "
                "each time (--temperature 1 lets it vary)."
            )
        )


def _say_how_to_go_on(runs: Sequence[_Run], why: str, again: str | None) -> None:
    """What to call for the runs that did not come to their end."""
    open_ends = [(run.stopped or why, run.begun) for run in runs
                 if run.begun and (run.stopped or not run.result)]  # fmt: skip
    waiting = [run.planned.name for run in runs if not run.begun]
    if again and any(run.begun for run in runs):
        reasons = dict.fromkeys(reason for reason, _ in open_ends)
        _say(f"{'; '.join(reasons) or why}; go on with: {again}")
        return
    for reason, folder in open_ends:
        _say(f"{reason}; go on with: --resume {folder.path}")
    if open_ends and waiting:
        _say(f"not begun: {', '.join(waiting)}")


def _say(line: str) -> None:
    messages.print(safe(line), soft_wrap=True)
