"""Runs: many episodes in flight, each written down as it ends.

The same settings give the same episodes whatever the concurrency, the order or an interruption.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from proactive_agent.budget import Budget, BudgetSpentError
from proactive_agent.conditions import parse_condition
from proactive_agent.episode import Play, play_episode
from proactive_agent.manifest import (
    Manifest,
    ProviderSettings,
    Settings,
    fingerprint,
    new_manifest,
)
from proactive_agent.metrics import Summary, summarise
from proactive_agent.protocols import Mcqa, Protocol, ToolUse
from proactive_agent.records import EpisodeKey, EpisodeRecord
from proactive_agent.run_folder import EpisodeWriter, RunFolder
from providers import ApiAccess, Provider, ProviderOptions, Sampling, create_provider
from scenarios import DataFolder, Sample
from tools import UserError

OnEpisode = Callable[[EpisodeRecord], None]


@dataclass(frozen=True)
class PreparedRun:
    """A run that can start: settings checked, data read once, model loaded."""

    folder: RunFolder
    manifest: Manifest
    play: Play
    done: frozenset[EpisodeKey]
    """Episodes of an earlier sitting, which are not played again."""

    @property
    def total(self) -> int:
        """Episodes of the whole run."""
        limit = self.manifest.settings.limit
        kept = [file.kept for file in self.manifest.data.files.values()]
        return sum(count if limit is None else min(count, limit) for count in kept)

    def episodes_left(self) -> Iterator[tuple[str, Sample]]:
        """Scenario and sample of each episode still to be played."""
        for scenario in self.manifest.settings.scenarios:
            for sample in self.play.data.samples(scenario, self.manifest.settings.limit):
                if EpisodeKey(scenario, sample.id) not in self.done:
                    yield scenario, sample


def prepare_run(
    settings: Settings,
    results: Path,
    access: ApiAccess | None = None,
    taken: Collection[str] = (),
) -> PreparedRun:
    """Checks everything that can be checked before the first request, and loads the model.

    `taken` are ids of other runs that are prepared but not begun.  Raises UserError.  Nothing is
    written yet.
    """
    data = open_data(settings)
    data_fingerprint = fingerprint(data, settings.scenarios)
    play = make_play(settings, data, access=access)
    started = datetime.now(UTC)
    run_id = _new_id(settings, started, results, taken)
    manifest = new_manifest(run_id, settings, play.provider.manifest(), data_fingerprint)
    return PreparedRun(RunFolder(results / run_id), manifest, play, frozenset())


def prepare_resume(folder: RunFolder, access: ApiAccess | None = None) -> PreparedRun:
    """The rest of a run: what is missing, and what met an error.  Raises UserError."""
    manifest = folder.read_manifest()
    settings = manifest.settings
    data = open_data(settings)
    found = fingerprint(data, settings.scenarios)
    if found != manifest.data:
        raise UserError(
            f"{folder.path} was begun on other data: the files or the protocol pack of "
            f"{settings.data or 'the embedded suite'} have changed since"
        )
    done = frozenset(folder.keys_done())
    return PreparedRun(folder, manifest, make_play(settings, data, access=access), done)


def open_data(settings: Settings) -> DataFolder:
    """The data folder of the settings, with every scenario that is asked for.  Raises UserError."""
    path = None if settings.data is None else Path(settings.data)
    data = DataFolder(path, unfiltered=settings.unfiltered)
    for scenario in settings.scenarios:
        if not data.file(scenario).is_file():
            raise UserError(f"{data.root} has no data for {scenario}: {data.file(scenario).name}")
    return data


def make_play(
    settings: Settings,
    data: DataFolder,
    provider: Provider | None = None,
    access: ApiAccess | None = None,
) -> Play:
    """Protocol, condition and provider of the settings.  Raises UserError.

    `provider` stands in for the one that the settings name.
    """
    protocols: dict[str, Protocol] = {
        protocol.name: protocol for protocol in (Mcqa(settings.parser), ToolUse(settings.toolset))
    }
    condition = parse_condition(settings.condition, settings.protocol)
    how = settings.provider_settings
    return Play(
        data=data,
        provider=provider or create_provider(settings.provider, _provider_options(how, access)),
        protocol=protocols[settings.protocol],
        condition=condition,
        sampling=Sampling(how.max_tokens, how.temperature),
        seed=settings.seed,
        forgiving=settings.forgiving,
    )


async def probe(prepared: PreparedRun, budget: Budget | None = None) -> None:
    """Asks the provider once, where anything is left to play.  Raises UserError."""
    if next(prepared.episodes_left(), None) is None:
        return
    provider = prepared.play.provider
    reply = await provider.probe(prepared.play.sampling)
    if budget and reply and provider.charges:
        budget.add(reply.usage.cost_usd)


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
    Raises BudgetSpentError, after the summary of what was played is written.
    """
    try:
        if not probed:
            await probe(prepared, budget)
        return await _run(prepared, concurrency, on_episode, budget)
    finally:
        await prepared.play.provider.close()


async def _run(
    prepared: PreparedRun,
    concurrency: int | None,
    on_episode: OnEpisode | None,
    budget: Budget | None,
) -> Summary:
    folder, manifest, provider = prepared.folder, prepared.manifest, prepared.play.provider
    if not folder.manifest_file.exists():
        # A probe can find out what a model does not take.
        manifest = manifest.model_copy(update={"provider": provider.manifest()})
    spent: BudgetSpentError | None = None
    play = replace(prepared.play, budget=budget if provider.charges else None)
    with EpisodeWriter(folder) as writer:
        folder.write_manifest(_with_status(manifest, "running"))

        def finished(episode: EpisodeRecord) -> None:
            writer.write(episode)
            if on_episode:
                on_episode(episode)

        try:
            spent = await _play_all(
                play, prepared.episodes_left(), concurrency or provider.concurrency, finished
            )
        except (asyncio.CancelledError, KeyboardInterrupt):
            folder.write_manifest(_with_status(manifest, "interrupted"))
            raise
        except BaseException:
            folder.write_manifest(_with_status(manifest, "failed"))
            raise
        summary = summarise(folder.episodes())
        folder.write_summary(summary)
        folder.write_manifest(_with_status(manifest, "interrupted" if spent else "finished"))
    if spent:
        raise spent
    return summary


async def _play_all(
    play: Play, episodes: Iterator[tuple[str, Sample]], concurrency: int, finished: OnEpisode
) -> BudgetSpentError | None:
    """A fixed number of workers takes samples from one stream, so memory does not grow with it.

    Says so where the budget was spent first.
    """
    spent: list[BudgetSpentError] = []

    async def work() -> None:
        for scenario, sample in episodes:
            try:
                finished(await _within_budget(play, scenario, sample))
            except BudgetSpentError as error:
                spent.append(error)
            if spent:
                return

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(work())
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return spent[-1] if spent else None


async def _within_budget(play: Play, scenario: str, sample: Sample) -> EpisodeRecord:
    if play.budget is None:
        return await play_episode(play, scenario, sample)
    play.budget.begin()
    episode = None
    try:
        episode = await play_episode(play, scenario, sample)
    finally:
        play.budget.end(episode)
    return episode


def _with_status(
    manifest: Manifest, status: Literal["running", "finished", "interrupted", "failed"]
) -> Manifest:
    ended = None if status == "running" else datetime.now(UTC)
    return manifest.model_copy(update={"status": status, "ended": ended})


def _provider_options(settings: ProviderSettings, access: ApiAccess | None) -> ProviderOptions:
    fields = settings.model_dump(exclude={"max_tokens", "temperature"})
    return ProviderOptions(**fields, access=access or ApiAccess())


def _new_id(settings: Settings, started: datetime, results: Path, others: Collection[str]) -> str:
    """Sorts by time, says what was run, and is not taken."""
    model = "".join(c if c.isalnum() or c in "-._" else "-" for c in settings.provider)
    name = f"{started:%Y%m%dT%H%M%S}_{model[:60]}_{settings.protocol}_{settings.condition}"
    taken, number = name, 1
    while taken in others or (results / taken).exists():
        number += 1
        taken = f"{name}_{number}"
    return taken
