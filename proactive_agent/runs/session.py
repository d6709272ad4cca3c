"""Plays several runs with each model loaded once.

    async with Session(concurrency=8) as session:
        played = await session.play(runs)

Models behind an API play side by side, models on this machine one after another. The runs of one
model are played one after another, or side by side if they wait for batches. Every model is closed
after its last run, or when the session ends, also if an error ends it.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from proactive_agent.disk.durable import try_to_write_below
from proactive_agent.disk.open_files import spare_files
from proactive_agent.disk.whole_files import not_written
from proactive_agent.metrics import PlayedRun
from proactive_agent.play.budget import Budget
from proactive_agent.providers import Provider, ProviderError, StoppedError
from proactive_agent.providers.api.batch.waves import WaveProgress
from proactive_agent.providers.reply_check import checked
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.runs.model_pool import ModelPool
from proactive_agent.runs.planned_run import PlannedRun
from proactive_agent.runs.prepare import PreparedRun, is_finished, prepare, release
from proactive_agent.runs.runner import play_run
from proactive_agent.scenarios import DataFolder
from proactive_agent.settings.agent_names import names_agent
from proactive_agent.tools import UserError


class SessionObserver:
    """Follows a session. Each method does nothing; subclasses override what they need."""

    def checked(self, data: Sequence[DataFolder]) -> None:
        """The settings of all runs are valid. `data` holds the data folder of each run."""

    def probed(self, runs: Sequence[PreparedRun]) -> None:
        """A model has answered its probe. `runs` are the runs that it plays."""

    def concurrency_lowered(self, run: PlannedRun, wanted: int, used: int) -> None:
        """The system does not allow as many connections as `wanted` episodes in flight need."""

    def playing(self) -> None:
        """Every API model is loaded and probed, and the first episodes begin."""

    def run_begun(self, run: PreparedRun) -> None:
        """A run begins or is resumed."""

    def episode_ended(self, run: PreparedRun, episode: EpisodeRecord) -> None:
        """An episode was played and written."""

    def wave_waits(self, run: PreparedRun, progress: WaveProgress) -> None:
        """Is called when the batches of a run were submitted, make progress or have ended."""

    def run_ended(self, run: PlannedRun, played: PlayedRun) -> None:
        """A run has ended, possibly before the session."""


class Session:
    """Loads models, probes each of them once, plays runs, and closes the models at its end."""

    def __init__(
        self,
        *,
        concurrency: int | None = None,
        budget: Budget | None = None,
        observer: SessionObserver | None = None,
    ) -> None:
        """`concurrency` is the number of episodes in flight per run. All runs share `budget`."""
        self.pool = ModelPool()
        self._concurrency = concurrency
        self._budget = budget
        self._observer = observer or SessionObserver()
        self._connections: int | None = None
        """How many connections each of the models that play side by side may open."""
        self._probed: set[Provider] = set()
        self._played: dict[Path, PlayedRun] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.pool.close()

    async def play(self, runs: Sequence[PlannedRun]) -> list[PlayedRun]:
        """Plays the remaining episodes of the runs. Raises UserError.

        Returns the runs in the order of `runs`. If a run is stopped (see `play_run`), the later
        runs of its model are not started and are missing in the result.
        """
        if self._budget is not None:
            _refuse_agents(runs)
        models: dict[object, list[PlannedRun]] = {}
        for run in runs:
            if is_finished(run, self.pool):
                self._end(run, _read(run))
            else:
                models.setdefault(run.model_key, []).append(run)
        self._observer.checked([self.pool.data(run.settings) for run in runs])
        _check_writable(run for group in models.values() for run in group)
        remote = [group for group in models.values() if group[0].remote]
        local = [group for group in models.values() if not group[0].remote]
        prepared = [self._prepare(group) for group in remote]
        await _together(map(self._probe, prepared))
        if (spare := spare_files()) is not None:
            self._connections = spare // max(1, len(prepared) + bool(local))
        self._observer.playing()
        await _together([*map(self._play_in_turn, prepared), self._play_local(local)])
        ended = (self._played.get(run.folder.path) for run in runs)
        return [played for played in ended if played is not None]

    def _prepare(self, runs: Sequence[PlannedRun]) -> list[PreparedRun]:
        return [prepare(run, self.pool) for run in runs]

    async def _play_local(self, models: Sequence[Sequence[PlannedRun]]) -> None:
        for runs in models:
            # In a thread: loading a model takes minutes, and other runs continue meanwhile.
            prepared = await asyncio.to_thread(self._prepare, runs)
            await self._probe(prepared)
            await self._play_in_turn(prepared)

    async def _probe(self, runs: Sequence[PreparedRun]) -> None:
        """Asks the models of runs once each, if the runs have episodes left.

        Raises UserError, also for a refused account, because no sample was asked yet.
        """
        for run in runs:
            if next(run.episodes_left(), None) is None:
                continue
            for model, sampling in run.models:
                if model in self._probed:
                    continue
                self._probed.add(model)
                try:
                    reply = await model.probe(sampling)
                    reply = reply and checked(reply)
                except (ProviderError, StoppedError) as error:
                    raise UserError(str(error)) from None
                if self._budget and reply and model.charges:
                    self._budget.add(reply.usage.cost_usd, run.name_of(model))
        self._observer.probed(runs)

    async def _play_in_turn(self, runs: Sequence[PreparedRun]) -> None:
        """Plays the runs of one model; after a stopped run, the later ones are only released.

        Runs that wait for batches are played side by side, because each wave can take a day.
        """
        if len(runs) > 1 and any(run.in_waves for run in runs):
            await _together(self._play_in_turn([run]) for run in runs)
            return
        stopped = False
        for run in runs:
            try:
                if not stopped:
                    stopped = await self._play(run)
            finally:
                await release(run, self.pool)

    async def _play(self, run: PreparedRun) -> bool:
        """Plays a run; returns whether it was stopped before its end."""
        played = await play_run(
            run,
            concurrency=self._fitting_concurrency(run),
            budget=self._budget,
            on_begin=self._observer.run_begun,
            on_episode=lambda episode: self._observer.episode_ended(run, episode),
            on_wave=lambda progress: self._observer.wave_waits(run, progress),
        )
        self._end(run.planned, played)
        return played.stopped is not None

    def _fitting_concurrency(self, run: PreparedRun) -> int | None:
        """Returns the number of episodes in flight, lowered to what the system allows.

        Every episode in flight holds a connection to each model behind an API, unless its requests
        are submitted in batches.
        """
        remote = sum(model.remote for model, _ in run.models)
        if self._connections is None or not remote:
            return self._concurrency
        if run.in_waves:
            # Few episodes are active at the same time; the others wait for their batch.
            return self._concurrency
        wanted = self._concurrency or run.play.provider.concurrency
        allowed = max(1, self._connections // remote)
        if wanted > allowed:
            self._observer.concurrency_lowered(run.planned, wanted, allowed)
        return min(wanted, allowed)

    def _end(self, run: PlannedRun, played: PlayedRun) -> None:
        self._played[run.folder.path] = played
        self._observer.run_ended(run, played)


def _refuse_agents(runs: Iterable[PlannedRun]) -> None:
    """Raises UserError if a run that has a budget is played by an agent."""
    for run in runs:
        if names_agent(run.settings.provider):
            raise UserError(
                f"a budget cannot limit {run.settings.shown_provider}: an agent's cost is known "
                "after an episode, if at all; leave the budget out, and limit the agent's API key"
            )


def _check_writable(runs: Iterable[PlannedRun]) -> None:
    """Raises NotWrittenError if the folder of a run cannot be written."""
    places = (run.folder.path if run.begun else run.folder.path.parent for run in runs)
    for folder in dict.fromkeys(places):
        try:
            try_to_write_below(folder)
        except OSError as error:
            raise not_written(folder, error) from error


def _read(run: PlannedRun) -> PlayedRun:
    folder = run.folder
    manifest = folder.read_manifest()
    return PlayedRun.of_episodes(run.model_name, manifest, folder, folder.outlines())


async def _together(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Runs all coroutines; the first error cancels the others and is raised unwrapped."""
    try:
        async with asyncio.TaskGroup() as group:
            for coroutine in work:
                group.create_task(coroutine)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
