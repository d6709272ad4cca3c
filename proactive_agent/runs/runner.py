"""Runs: many episodes in flight, each written down as it ends.

The same settings give the same episodes whatever the concurrency, the order or an interruption.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

from proactive_agent.metrics import Summary, summarise
from proactive_agent.play.budget import Budget
from proactive_agent.play.conditions import ConditionSet, parse_condition
from proactive_agent.play.conditions.base import ConditionOptions
from proactive_agent.play.episode import Play, play_episode
from proactive_agent.play.judges import Judge
from proactive_agent.play.judges.choose import RULES, check_judge, choose_judge
from proactive_agent.play.judges.model import SAMPLING as JUDGE_SAMPLING
from proactive_agent.play.protocols import Mcqa, Oeg, Protocol, ToolUse
from proactive_agent.providers import ApiAccess, Provider, Sampling, StoppedError
from proactive_agent.providers.registry import check_spec, is_interactive
from proactive_agent.records.episode import EpisodeKey, EpisodeRecord
from proactive_agent.records.manifest import (
    SETTINGS,
    Manifest,
    ProviderSettings,
    Settings,
    new_manifest,
)
from proactive_agent.records.run_folder import EpisodeWriter, RunFolder
from proactive_agent.runs.model_pool import ModelPool
from proactive_agent.scenarios import DataFolder, Sample
from proactive_agent.tools import UserError

OnEpisode = Callable[[EpisodeRecord], None]


class ToPlay(NamedTuple):
    """An episode that is still to be played."""

    scenario: str
    sample: Sample
    repeat: int


@dataclass(frozen=True)
class PreparedRun:
    """A run that can start: settings checked, data read once, model loaded."""

    folder: RunFolder
    manifest: Manifest
    play: Play
    done: frozenset[EpisodeKey]
    """Episodes of an earlier sitting, which are not played again."""
    shared: ModelPool
    """Where its model comes from, and goes back to when it ends."""

    @property
    def total(self) -> int:
        """Episodes of the whole run."""
        settings = self.manifest.settings
        limit = settings.samples_per_scenario
        kept = [file.kept for file in self.manifest.data.files.values()]
        samples = sum(count if limit is None else min(count, limit) for count in kept)
        return samples * settings.repeats

    def episodes_left(self) -> Iterator[ToPlay]:
        """Each episode still to be played."""
        return _episodes_left(self.manifest.settings, self.play.data, self.done)


def prepare_run(
    settings: Settings,
    results: Path,
    access: ApiAccess | None = None,
    *,
    shared: ModelPool | None = None,
    run_id: str | None = None,
) -> PreparedRun:
    """Checks everything that can be checked before the first request, and loads the model.

    `shared` are the models and data of runs that are played together.  The run's folder is
    `results` / `run_id`, by default one that tells what is run, and when.  Raises UserError.
    Nothing is written yet.
    """
    shared = shared or ModelPool()
    check_settings(settings, shared)
    provider = shared.provider(settings.provider, settings.provider_settings, access)
    judge = make_judge(settings, shared, access)
    play = make_play(settings, shared.data(settings), provider, judge)
    if run_id is None:
        run_id = _new_id(settings, results, shared.run_ids)
    shared.run_ids.add(run_id)
    manifest = new_manifest(run_id, settings, provider.manifest(), shared.fingerprint(settings))
    manifest.judge = _manifest_of(judge)
    return PreparedRun(RunFolder(results / run_id), manifest, play, frozenset(), shared)


def prepare_resume(
    folder: RunFolder, access: ApiAccess | None = None, *, shared: ModelPool | None = None
) -> PreparedRun:
    """The rest of a run: what is missing, and what met an error.  Raises UserError."""
    shared = shared or ModelPool()
    manifest = folder.read_manifest()
    settings = manifest.settings
    _refuse_other_data(folder, manifest, shared)
    done = frozenset(folder.keys_done())
    provider = shared.provider(settings.provider, settings.provider_settings, access)
    judge = make_judge(settings, shared, access)
    play = make_play(settings, shared.data(settings), provider, judge)
    return PreparedRun(folder, manifest, play, done, shared)


def is_finished(folder: RunFolder, shared: ModelPool) -> bool:
    """Whether a run has nothing left to play; no model is loaded.  Raises UserError."""
    manifest = folder.read_manifest()
    _refuse_other_data(folder, manifest, shared)
    if manifest.status != "finished":
        return False
    done = folder.keys_done()
    left = _episodes_left(manifest.settings, shared.data(manifest.settings), done)
    return next(left, None) is None


def check_settings(settings: Settings, shared: ModelPool) -> None:
    """Reads the data and tries everything but the model.  Raises UserError."""
    check_spec(settings.provider)
    data = shared.data(settings)
    make_protocol(settings, make_condition(settings, data))
    if settings.protocol == "oeg":
        check_judge(settings.judge, settings.judge_prompt, data.wording, settings.scenarios)
    shared.fingerprint(settings)


def samples_to_play(settings: Settings, data: DataFolder, scenario: str) -> Iterator[Sample]:
    """The samples of a scenario that a run plays, in order."""
    return data.samples(
        scenario, settings.samples_per_scenario, shuffled=settings.protocol == "oeg"
    )


def make_condition(settings: Settings, data: DataFolder) -> ConditionSet:
    """The condition of the settings.  Raises UserError where it cannot hold for them."""
    options = ConditionOptions(settings.history_size, settings.icl_reasoning)
    condition = parse_condition(settings.condition, settings.protocol, options)
    condition.check_run(settings.scenarios, data)
    return condition


def make_protocol(settings: Settings, condition: ConditionSet) -> Protocol:
    """The protocol of the settings.  Raises UserError."""
    if settings.protocol == "tools":
        return ToolUse(condition.toolset(settings.toolset))
    if settings.protocol == "oeg":
        return Oeg(settings.multi_turn)
    return Mcqa(settings.parser)


def make_judge(settings: Settings, shared: ModelPool, access: ApiAccess | None) -> Judge | None:
    """Who judges open-ended replies; loads a model where it is one.  Raises UserError."""
    if settings.protocol != "oeg":
        return None
    wording = shared.data(settings).wording
    check_judge(settings.judge, settings.judge_prompt, wording, settings.scenarios)
    if settings.judge == RULES:
        return choose_judge(RULES, settings.judge_prompt, wording)
    how = settings.provider_settings
    if settings.judge != settings.provider:
        # What is said of the model does not hold for the judge, but for where it is loaded.
        also = [name for name, one in SETTINGS.items() if one.setting.for_judge == "run"]
        how = ProviderSettings(**{name: getattr(how, name) for name in also})
        access = replace(access or ApiAccess(), price=None)
    provider = shared.provider(settings.judge, how, access)
    return choose_judge(settings.judge, settings.judge_prompt, wording, provider)


def make_play(
    settings: Settings, data: DataFolder, provider: Provider, judge: Judge | None = None
) -> Play:
    """What the episodes of a run have in common.  Raises UserError."""
    how = settings.provider_settings
    condition = make_condition(settings, data)
    return Play(
        data=data,
        provider=provider,
        protocol=make_protocol(settings, condition),
        condition=condition,
        sampling=Sampling(how.max_tokens, how.temperature),
        seed=settings.seed,
        forgiving=settings.forgiving,
        judge=judge,
    )


async def probe(
    prepared: PreparedRun, budget: Budget | None = None, probed: set[Provider] | None = None
) -> None:
    """Asks the model and the judge once, where anything is left to play.  Raises UserError.

    `probed` are those that other runs have asked; these are added to them.
    """
    if next(prepared.episodes_left(), None) is None:
        return
    known = set() if probed is None else probed
    for provider, sampling in _asked(prepared.play):
        if provider in known:
            continue
        known.add(provider)
        reply = await provider.probe(sampling)
        if budget and reply and provider.charges:
            of = "the model" if provider is prepared.play.provider else "the judge"
            budget.add(reply.usage.cost_usd, of)


async def run(
    prepared: PreparedRun,
    concurrency: int | None = None,
    on_episode: OnEpisode | None = None,
    *,
    budget: Budget | None = None,
    probed: bool = False,
) -> Summary:
    """Plays what is left of a run and writes its summary; begins with a probe unless `probed`.

    Cancelling it (Ctrl-C) leaves every finished episode on disk.  A UserError of the provider ends
    the run; so does a fault of the program, which is never written down as a model's mistake.
    Raises StoppedError (the budget is spent, the person at the terminal left), after the summary of
    what was played is written.
    """
    try:
        if not probed:
            await probe(prepared, budget)
        return await _run(prepared, concurrency, on_episode, budget)
    finally:
        await release(prepared)


async def release(prepared: PreparedRun) -> None:
    """Lets go of the models of a run that has ended, or will not be played."""
    await prepared.shared.release(prepared.play.provider)
    if prepared.play.judge and prepared.play.judge.provider:
        await prepared.shared.release(prepared.play.judge.provider)


async def _run(
    prepared: PreparedRun,
    concurrency: int | None,
    on_episode: OnEpisode | None,
    budget: Budget | None,
) -> Summary:
    folder, manifest, provider = prepared.folder, prepared.manifest, prepared.play.provider
    if not folder.manifest_file.exists():
        # A probe can find out what a model does not take.
        asked = {"provider": provider.manifest(), "judge": _manifest_of(prepared.play.judge)}
        manifest = manifest.model_copy(update=asked)
    if concurrency is None or is_interactive(manifest.settings.provider):
        concurrency = provider.concurrency
    charges = any(one.charges for one, _ in _asked(prepared.play))
    play = replace(prepared.play, budget=budget if charges else None)
    with EpisodeWriter(folder) as writer:
        folder.write_manifest(_with_status(manifest, "running"))

        def finished(episode: EpisodeRecord) -> None:
            writer.write(episode)
            if on_episode:
                on_episode(episode)

        try:
            stopped = await _play_all(play, prepared.episodes_left(), concurrency, finished)
            # In a thread: it takes seconds, and other runs shall not wait.
            summary = await asyncio.to_thread(summarise, folder.outlines())
        except (asyncio.CancelledError, KeyboardInterrupt):
            folder.write_manifest(_with_status(manifest, "interrupted"))
            raise
        except BaseException:
            folder.write_manifest(_with_status(manifest, "failed"))
            raise
        folder.write_summary(summary)
        folder.write_manifest(_with_status(manifest, "interrupted" if stopped else "finished"))
    if stopped:
        raise stopped
    return summary


async def _play_all(
    play: Play, episodes: Iterator[ToPlay], concurrency: int, finished: OnEpisode
) -> StoppedError | None:
    """A fixed number of workers takes samples from one stream, so memory does not grow with it.

    Gives back what stopped it before the end.
    """
    stopped: list[StoppedError] = []

    async def work() -> None:
        for episode in episodes:
            try:
                finished(await _within_budget(play, episode))
            except StoppedError as error:
                stopped.append(error)
            if stopped:
                return

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(work())
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return stopped[-1] if stopped else None


async def _within_budget(play: Play, episode: ToPlay) -> EpisodeRecord:
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


def _episodes_left(
    settings: Settings, data: DataFolder, done: Collection[EpisodeKey]
) -> Iterator[ToPlay]:
    for scenario in settings.scenarios:
        for sample in samples_to_play(settings, data, scenario):
            for repeat in range(settings.repeats):
                if EpisodeKey(scenario, sample.id, repeat) not in done:
                    yield ToPlay(scenario, sample, repeat)


def _asked(play: Play) -> list[tuple[Provider, Sampling]]:
    """The models of a run, and how each is asked."""
    asked = [(play.provider, play.sampling)]
    judge = play.judge.provider if play.judge else None
    if judge is not None and judge is not play.provider:
        asked.append((judge, JUDGE_SAMPLING))
    return asked


def _manifest_of(judge: Judge | None) -> dict[str, Any] | None:
    return judge.provider.manifest() if judge and judge.provider else None


def _refuse_other_data(folder: RunFolder, manifest: Manifest, shared: ModelPool) -> None:
    if shared.fingerprint(manifest.settings) != manifest.data:
        raise UserError(
            f"{folder.path} was begun on other data: the files or the protocol pack of "
            f"{manifest.settings.data or 'the embedded suite'} have changed since"
        )


def _with_status(
    manifest: Manifest, status: Literal["running", "finished", "interrupted", "failed"]
) -> Manifest:
    ended = None if status == "running" else datetime.now(UTC)
    return manifest.model_copy(update={"status": status, "ended": ended})


def _new_id(settings: Settings, results: Path, others: Collection[str]) -> str:
    """Sorts by time, says what was run, and is not taken."""
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}_{run_name(settings)}"
    taken, number = name, 1
    while taken in others or (results / taken).exists():
        number += 1
        taken = f"{name}_{number}"
    return taken


def run_name(settings: Settings, model: str | None = None) -> str:
    """Model, protocol and condition as a part of a folder's name."""
    model = (model or settings.provider)[:60]
    name = f"{model}_{settings.protocol}_{settings.condition}"
    return "".join(c if c.isalnum() or c in "-._+" else "-" for c in name)
