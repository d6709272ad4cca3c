"""Plays one run: many episodes in flight, each written to disk when it ends.

The same settings give the same episodes, regardless of concurrency, order and interruptions.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from proactive_agent.metrics import PlayedRun
from proactive_agent.play.budget import Budget
from proactive_agent.play.episode import Play, play_episode
from proactive_agent.providers import Provider, StoppedError
from proactive_agent.providers.api.batch.waves import ACTIVE, WaveProgress, Waves
from proactive_agent.records.describe import name_of
from proactive_agent.records.episode import EpisodeRecord, ServedByRecord
from proactive_agent.records.manifest import Manifest, Status
from proactive_agent.records.outline import EpisodeOutline, ServedByOutline
from proactive_agent.records.run_folder import EpisodeWriter
from proactive_agent.runs.prepare import NextEpisode, PreparedRun
from proactive_agent.runs.run_log import run_log
from proactive_agent.tools import NotWrittenError, UserError
from proactive_agent.tools.reading import clean

log = logging.getLogger(__name__)

OnWave = Callable[[WaveProgress], None]
OnBegin = Callable[[PreparedRun], None]
OnEpisode = Callable[[EpisodeRecord], None]


async def play_run(
    run: PreparedRun,
    *,
    concurrency: int | None = None,
    budget: Budget | None = None,
    on_begin: OnBegin | None = None,
    on_episode: OnEpisode | None = None,
    on_wave: OnWave | None = None,
) -> PlayedRun:
    """Plays the remaining episodes of a run and writes its summary.

    First locks the run, then reads which episodes remain. Calls `on_begin` with the run in that
    state, then `on_episode` with each record that was written.
    `concurrency` is the number of episodes in flight, or of concurrent requests to an API. By
    default the provider chooses it. If one of the models has a batch API, all episodes are in
    flight, but no more than `concurrency` do anything other than wait for a batch; `on_wave` is
    told about the batches. If the budget is spent, the API refuses all further
    requests or the person at the terminal leaves, the run ends early: no further sample is played,
    and `stopped` of the result says why. Any other error ends the run and is raised: a UserError of
    the provider, or a fault of the program, which is never recorded as the model's mistake. After a
    cancellation (Ctrl-C) and after an error every finished episode is on disk; if the disk is full,
    the NotWrittenError is raised, and the run can be resumed when there is space.
    """
    folder, provider = run.folder, run.play.provider
    in_waves = run.in_waves
    if run.planned.interactive:
        concurrency = provider.concurrency
    charges = any(model.charges for model, _ in run.models)
    play = replace(run.play, budget=budget if charges else None)
    with EpisodeWriter(folder) as writer, run_log(folder.path):
        run = run.as_on_disk() if run.planned.begun else run.with_manifest_of_models()
        folder.write_manifest(_with_status(run.manifest, "running"))
        if on_begin:
            on_begin(run)
        found = await asyncio.to_thread(_FactsOfRun, run)

        def finished(episode: EpisodeRecord) -> None:
            writer.write(episode)
            found.add(episode)
            if episode.error is not None:
                log.info("%s: %s: %s", name_of(episode), episode.error.kind, episode.error.message)
            if on_episode:
                on_episode(episode)

        try:
            if in_waves:
                stopped = await _play_in_waves(play, run, concurrency, finished, on_wave)
            else:
                at_once = concurrency or provider.concurrency
                stopped = await _play_ahead(play, run, at_once, finished)
            manifest = _with_status(found.manifest(), "interrupted" if stopped else "finished")
            if stopped:
                log.info("the run is stopped: %s", stopped)
            manifest.stopped = clean(str(stopped)) if stopped else None
            # In a thread: it takes seconds for a large run, and other runs continue meanwhile.
            played = await asyncio.to_thread(_played, run, manifest, stopped)
            folder.write_summary(played.summary)
        except BaseException as error:
            gone = (asyncio.CancelledError, KeyboardInterrupt, NotWrittenError)
            if not isinstance(error, (*gone, UserError)):
                log.info("a fault of the program ends the run", exc_info=True)
            status: Status = "interrupted" if isinstance(error, gone) else "failed"
            # On a full disk `running` stays, which reads as interrupted when the lock is released.
            with suppress(NotWrittenError):
                folder.write_manifest(_with_status(found.manifest(), status))
            raise
        folder.write_manifest(manifest)
    return played


async def _play_in_waves(
    play: Play,
    run: PreparedRun,
    concurrency: int | None,
    finished: OnEpisode,
    on_wave: OnWave | None,
) -> StoppedError | None:
    """Plays the remaining episodes of a run whose requests are submitted in waves."""
    # Fewer workers would submit each wave in several batches, one after the other.
    workers = await asyncio.to_thread(lambda: sum(1 for _ in run.episodes_left()))
    if run.planned.interactive:
        workers = min(workers, play.provider.concurrency)
    waves = Waves(
        run.folder.batches,
        within=run.folder.path,
        workers=workers,
        several_turns=not play.protocol.single_turn,
        active=concurrency or max(ACTIVE, play.provider.concurrency),
        allowance=play.budget,
        report=on_wave or (lambda progress: None),
    )
    async with waves:
        return await _play_all(play, run.episodes_left(), workers, finished, waves)


async def _play_ahead(
    play: Play, run: PreparedRun, concurrency: int, finished: OnEpisode
) -> StoppedError | None:
    """Plays the remaining episodes of a run. The models limit their concurrent requests."""
    with ExitStack() as limits:
        at_once, *_ = [
            limits.enter_context(model.requests_at_once(concurrency)) for model, _ in run.models
        ]
        if play.budget:
            # A request that is ready is sent even if the budget is spent meanwhile.
            at_once = concurrency
        return await _play_all(play, run.episodes_left(), at_once, finished)


async def _play_all(
    play: Play,
    episodes: Iterator[NextEpisode],
    concurrency: int,
    finished: OnEpisode,
    waves: Waves | None = None,
) -> StoppedError | None:
    """Plays episodes with `concurrency` workers, which take them from one stream.

    So memory does not grow with the number of samples. Returns the error that ended the run
    early, or None.
    """
    stopped: list[StoppedError] = []

    async def work() -> None:
        async with waves.worker() if waves else nullcontext():
            for episode in episodes:
                try:
                    finished(await _within_budget(play, episode))
                except StoppedError as error:
                    stopped.append(error)
                if stopped:
                    return

    try:
        async with asyncio.TaskGroup() as group:
            workers = [group.create_task(work()) for _ in range(concurrency)]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    if any(worker.cancelled() for worker in workers):
        # A task group ignores a task that was cancelled from within, and episodes would be missing.
        raise RuntimeError("a request was cancelled by its provider, so the run is not complete")
    return stopped[-1] if stopped else None


async def _within_budget(play: Play, episode: NextEpisode) -> EpisodeRecord:
    scenario, sample, repeat = episode
    if play.budget is None:
        return await play_episode(play, scenario, sample, repeat=repeat)
    play.budget.begin()
    record = None
    try:
        record = await play_episode(play, scenario, sample, repeat=repeat)
    finally:
        play.budget.end(record)
    return record


def _played(run: PreparedRun, manifest: Manifest, stopped: StoppedError | None) -> PlayedRun:
    episodes = run.folder.outlines()
    played = PlayedRun.of_episodes(run.planned.model_name, manifest, run.folder, episodes)
    manifest.served = [_served_by(one) for one in played.summary.served]
    return replace(played, stopped=stopped)


def _served_by(found: ServedByRecord | ServedByOutline) -> ServedByRecord:
    return ServedByRecord(**{name: getattr(found, name) for name in ServedByRecord.model_fields})


class _FactsOfRun:
    """Facts for the manifest that become known while a run is played, also if it ends early.

    Episodes on disk count as well, because a process that was killed has not written their facts.
    """

    def __init__(self, run: PreparedRun) -> None:
        self._run = run
        self._served = list(run.manifest.served)
        self._rooms = set(run.manifest.thinking_room or ())
        self._counted_before = {model: model.counted() for model, _ in run.models}
        if run.planned.begun:
            for episode in run.folder.outlines():
                self.add(episode)

    def add(self, episode: EpisodeRecord | EpisodeOutline) -> None:
        """Adds the facts of an episode."""
        for turn in episode.turns:
            if turn.reply.served:
                served = _served_by(turn.reply.served)
                if served not in self._served:
                    self._served.append(served)
            if turn.reply.thinking_room is not None:
                self._rooms.add(turn.reply.thinking_room)
                self._rooms = {min(self._rooms), max(self._rooms)}

    def manifest(self) -> Manifest:
        """The manifest of the run with these facts, and with those that its models have learnt."""
        before, play = self._run.manifest, self._run.play
        judge = play.judge.provider if play.judge else None
        user = play.user.provider if play.user else None
        return before.model_copy(
            update={
                "served": self._served,
                "thinking_room": (min(self._rooms), max(self._rooms)) if self._rooms else None,
                **self._run.generation(),
                "provider": self._described(before.provider, play.provider),
                "judge": self._described(before.judge, judge),
                "user": self._described(before.user, user),
            }
        )

    def _described(
        self, before: dict[str, Any] | None, model: Provider | None
    ) -> dict[str, Any] | None:
        """Returns the manifest of a model, with the facts and counts of this run."""
        if before is None or model is None:
            return before
        started = self._counted_before[model]
        counted = {
            name: before.get(name, 0) + count - started.get(name, 0)
            for name, count in model.counted().items()
        }
        return _learnt(before, model) | counted


def _learnt(before: dict[str, Any], model: Provider) -> dict[str, Any]:
    """The self-description of a model with later facts. Lists are joined."""
    facts = {name: value for name, value in model.learnt().items() if value is not None}
    joined = {
        name: sorted({*before.get(name, ()), *value})
        for name, value in facts.items()
        if isinstance(value, list)
    }
    return before | facts | joined


def _with_status(manifest: Manifest, status: Status) -> Manifest:
    ended = None if status == "running" else datetime.now(UTC)
    return manifest.model_copy(update={"status": status, "ended": ended, "stopped": None})
