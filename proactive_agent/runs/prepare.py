"""Gets a planned run ready: checks its settings, reads its data, loads its models."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

from proactive_agent.disk.whole_files import check_recordable
from proactive_agent.play.conditions import ConditionSet, parse_condition
from proactive_agent.play.conditions.base import ConditionOptions
from proactive_agent.play.episode import Play
from proactive_agent.play.judges import Judge
from proactive_agent.play.judges.choose import RULES, check_judge, choose_judge
from proactive_agent.play.model_user import SAMPLING as USER_SAMPLING
from proactive_agent.play.model_user import ModelUser, check_user
from proactive_agent.play.protocols import Mcqa, Oeg, Protocol, ToolUse
from proactive_agent.play.rule_versions import current_rules, toolset_of
from proactive_agent.providers import ApiAccess, Provider, Sampling
from proactive_agent.providers.api.batch.submissions import check_read
from proactive_agent.providers.registry import check_spec
from proactive_agent.providers.workers.address import host_and_port
from proactive_agent.records.episode import EpisodeKey
from proactive_agent.records.manifest import (
    SETTINGS,
    Manifest,
    ProviderSettings,
    Settings,
    new_manifest,
)
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.runs.generation import judge_sampling, sampling_of
from proactive_agent.runs.model_pool import ModelPool
from proactive_agent.runs.planned_run import PlannedRun
from proactive_agent.runs.resumable import reasons_against_resuming
from proactive_agent.scenarios import DataFolder, Sample
from proactive_agent.settings.agent_names import names_agent
from proactive_agent.tools import UserError
from proactive_agent.tools.toolsets import WITHOUT_REQUESTS


class NextEpisode(NamedTuple):
    """An episode that is still to be played."""

    scenario: str
    sample: Sample
    repeat: int


@dataclass(frozen=True)
class PreparedRun:
    """A run that can start: its settings are checked, its data read, its models loaded."""

    planned: PlannedRun
    manifest: Manifest
    play: Play
    done: frozenset[EpisodeKey]
    """Episodes that were played before, which are not played again."""

    @property
    def folder(self) -> RunFolder:
        """The folder of the run's records."""
        return self.planned.folder

    @cached_property
    def total(self) -> int:
        """Number of episodes of the whole run."""
        settings = self.manifest.settings
        if self.play.condition.clear:
            return sum(1 for _ in episodes_left(settings, self.play.data, ()))
        limit = settings.samples_per_scenario
        kept = [file.kept for file in self.manifest.data.files.values()]
        samples = sum(count if limit is None else min(count, limit) for count in kept)
        return samples * settings.repeats

    @property
    def models(self) -> list[tuple[Provider, Sampling]]:
        """The model and, if they are others, the judge and the user, with the sampling of each."""
        models = [(self.play.provider, self.play.sampling)]
        judge = self.play.judge.provider if self.play.judge else None
        if judge is not None and judge is not self.play.provider:
            models.append((judge, judge_sampling(self.manifest.settings)))
        user = self.play.user.provider if self.play.user else None
        if user is not None and user is not self.play.provider:
            models.append((user, USER_SAMPLING))
        return models

    @property
    def in_waves(self) -> bool:
        """Whether requests of one of the models wait for batches."""
        return any(model.uses_batches for model, _ in self.models)

    def name_of(self, model: Provider) -> str:
        """The name of one of the models in messages."""
        if model is self.play.provider:
            return "the model"
        return "the judge" if self.play.judge else "the simulated user"

    def episodes_left(self) -> Iterator[NextEpisode]:
        """Yields each episode that is still to be played."""
        return episodes_left(self.manifest.settings, self.play.data, self.done)

    def as_on_disk(self) -> "PreparedRun":
        """The run as its folder is now; another process may have played since it was prepared.

        Raises UserError if that process played other settings or data.
        """
        manifest = self.folder.read_manifest()
        if (manifest.settings, manifest.data) != (self.manifest.settings, self.manifest.data):
            raise UserError(
                f"{self.folder.path} was started by another process with other settings"
            )
        return replace(self, manifest=manifest, done=frozenset(self.folder.keys_done()))

    def with_manifest_of_models(self) -> "PreparedRun":
        """The run with the current self-descriptions of its models, which a probe may change."""
        described = {
            "provider": self.play.provider.manifest(), "judge": _manifest_of(self.play.judge),
            "user": _manifest_of(self.play.user),
        }  # fmt: skip
        described |= self.generation()
        return replace(self, manifest=self.manifest.model_copy(update=described))

    def generation(self) -> dict[str, dict[str, Any] | None]:
        """The settings of text generation that are really used, by their field of the manifest."""
        play = self.play
        judge = play.judge.provider if play.judge else None
        user = play.user.provider if play.user else None
        return {
            "generation": _used(play.provider, play.sampling),
            "judge_generation": _used(judge, judge_sampling(self.manifest.settings)),
            "user_generation": _used(user, USER_SAMPLING),
        }


def _used(model: Provider | None, sampling: Sampling) -> dict[str, Any] | None:
    return (model.generation_settings(sampling) or None) if model else None


def prepare(planned: PlannedRun, pool: ModelPool) -> PreparedRun:
    """Checks everything that can be checked without a request, and loads the models.

    Writes nothing. The caller gives the models back with `release`. Raises UserError.
    """
    settings = planned.settings
    manifest: Manifest | None = None
    done: frozenset[EpisodeKey] = frozenset()
    if planned.begun:
        manifest = _begun_on_same_data(planned, pool)
        _check_resumable(planned, manifest, pool.data(settings))
        if not planned.access.batch_api:
            check_read(planned.folder.batches, planned.folder.path)
        done = frozenset(planned.folder.keys_done())
    else:
        check_settings(planned, pool)
    provider = planned.model or pool.provider(
        settings.provider, settings.provider_settings, planned.access
    )
    judge = make_judge(settings, pool, planned.access)
    user = make_user(settings, pool, planned.access)
    play = make_play(settings, pool.data(settings), provider, judge, user)
    if manifest is not None and _begun_without_room(manifest, provider):
        play = replace(play, sampling=replace(play.sampling, thinking_tokens=0))
    if manifest is None:
        data = pool.fingerprint(settings)
        manifest = new_manifest(planned.folder.path.name, settings, provider.manifest(), data)
        manifest.judge, manifest.user = _manifest_of(judge), _manifest_of(user)
        manifest.user_rules = current_rules(settings)
        manifest.unranked = provider.unranked
    return PreparedRun(planned, manifest, play, done)


async def release(run: PreparedRun, pool: ModelPool) -> None:
    """Returns the models of a run to the pool."""
    try:
        await pool.release(run.play.provider)
    finally:
        if run.play.judge and run.play.judge.provider:
            await pool.release(run.play.judge.provider)
        if run.play.user:
            await pool.release(run.play.user.provider)


def is_finished(planned: PlannedRun, pool: ModelPool) -> bool:
    """Whether a run has nothing left to play. Checks it without loading a model.

    Raises UserError.
    """
    if not planned.begun:
        check_settings(planned, pool)
        return False
    manifest = _begun_on_same_data(planned, pool)
    if planned.folder.is_being_written():
        # Seen here, nothing is paid for a probe. The lock is taken when the run begins.
        raise UserError(f"{planned.folder.path} is being written by another process")
    if manifest.status == "finished":
        done = planned.folder.keys_done()
        left = episodes_left(manifest.settings, pool.data(manifest.settings), done)
        if next(left, None) is None:
            return True
    _check_model(planned)
    return False


def check_settings(planned: PlannedRun, pool: ModelPool) -> None:
    """Reads the data and checks everything but the model. Raises UserError."""
    settings = planned.settings
    for name, value in settings.flat().items():
        check_recordable(name, value)
    _check_model(planned)
    data = pool.data(settings)
    condition = make_condition(settings, data)
    make_protocol(settings, condition)
    if names_agent(settings.provider):
        _check_agent(settings, condition)
    sampling_of(settings)
    if settings.protocol == "oeg":
        check_judge(settings.judge, settings.judge_prompt, data.wording, settings.scenarios)
    if settings.protocol == "tools":
        _check_user(settings)
    pool.fingerprint(settings)


def _check_agent(settings: Settings, condition: ConditionSet) -> None:
    """Raises UserError for a run that an agent cannot play, because it calls tools itself."""
    name = settings.shown_provider
    if settings.protocol != "tools":
        raise UserError(
            f"{name}: an agent calls tools and cannot play the protocol {settings.protocol}; "
            "use --protocol tools"
        )
    if not condition.keeps_conversation(True):
        raise UserError(
            f"{name}: an agent remembers its conversation, so the condition {condition.name!r} "
            "cannot apply; leave it out"
        )
    if condition.toolset(settings.toolset) == "published":
        raise UserError(
            f"{name}: the toolset published changes from turn to turn, and clients of agents keep "
            "the first list of tools; use --toolset episode, all or random"
        )


def _check_user(settings: Settings) -> None:
    """Checks the simulated user. Raises UserError."""
    check_user(settings.user)
    toolset = toolset_of(settings)
    if settings.user != RULES and toolset in WITHOUT_REQUESTS:
        raise UserError(
            f"--user {settings.user} has no effect: the toolset {toolset} has no requests in free "
            "words that the user could read; leave --user out or choose another toolset or "
            "condition"
        )


def _check_resumable(planned: PlannedRun, manifest: Manifest, data: DataFolder) -> None:
    """Refuses to continue a run with other rules or another judge. Raises UserError."""
    for reason in reasons_against_resuming(planned.folder, manifest, data):
        raise UserError(reason)


def _check_model(planned: PlannedRun) -> None:
    """Checks that a model can be loaded by its name, without loading it. Raises UserError."""
    if planned.model is not None:
        return
    if planned.is_python:
        raise UserError(
            f"{planned.folder.path}: its model {planned.settings.provider} is a Python object; go "
            f"on in Python: proactive_agent.evaluate(model, out={str(planned.folder.path)!r}) with "
            "the settings of the first call"
        )
    check_spec(planned.settings.provider)
    if planned.access.ray is not None:
        host_and_port(planned.access.ray)


def samples_to_play(settings: Settings, data: DataFolder, scenario: str) -> Iterator[Sample]:
    """Yields the samples of a scenario that a run plays, in order.

    `clear` leaves out samples whose first frame is too small for a clear frame of the same size.
    """
    samples = data.samples(
        scenario, settings.samples_per_scenario, shuffled=settings.protocol == "oeg"
    )
    if not parse_condition(settings.condition, settings.protocol).clear:
        return samples
    return (sample for sample in samples if data.environment(scenario, sample).has_clear_frame())


def make_condition(settings: Settings, data: DataFolder) -> ConditionSet:
    """Makes the condition of a run. Raises UserError if the data do not allow it."""
    options = ConditionOptions(
        **{name: getattr(settings, name) for name in ConditionOptions._fields}
    )
    condition = parse_condition(settings.condition, settings.protocol, options)
    condition.check_run(settings.scenarios, data)
    return condition


def make_protocol(settings: Settings, condition: ConditionSet) -> Protocol:
    """Makes the protocol of a run. Raises UserError."""
    if settings.protocol == "tools":
        return ToolUse(condition.toolset(settings.toolset))
    if settings.protocol == "oeg":
        return Oeg(settings.multi_turn)
    return Mcqa(settings.parser)


def make_judge(settings: Settings, pool: ModelPool, access: ApiAccess | None) -> Judge | None:
    """Makes the judge of open-ended replies; loads its model if it has one. Raises UserError."""
    if settings.protocol != "oeg":
        return None
    wording = pool.data(settings).wording
    check_judge(settings.judge, settings.judge_prompt, wording, settings.scenarios)
    if settings.judge == RULES:
        return choose_judge(RULES, settings.judge_prompt, wording)
    provider = _other_model(settings.judge, settings, pool, access)
    sampling = judge_sampling(settings)
    return choose_judge(settings.judge, settings.judge_prompt, wording, provider, sampling)


def make_user(settings: Settings, pool: ModelPool, access: ApiAccess | None) -> ModelUser | None:
    """Loads the model that plays the user; None for the rules. Raises UserError."""
    if settings.protocol != "tools" or settings.user == RULES:
        return None
    _check_user(settings)
    return ModelUser(settings.user, _other_model(settings.user, settings, pool, access))


def _other_model(
    spec: str, settings: Settings, pool: ModelPool, access: ApiAccess | None
) -> Provider:
    """Loads a model that judges or plays the user."""
    loading = settings.provider_settings
    if spec != settings.provider:
        # Another model takes only the settings for loading a model.
        also = [name for name, one in SETTINGS.items() if one.setting.for_judge == "run"]
        loading = ProviderSettings(**{name: getattr(loading, name) for name in also})
        access = replace(access or ApiAccess(), price=None)
    return pool.provider(spec, loading, access)


def make_play(
    settings: Settings,
    data: DataFolder,
    provider: Provider,
    judge: Judge | None = None,
    user: ModelUser | None = None,
) -> Play:
    """Makes what the episodes of a run have in common. Raises UserError."""
    condition = make_condition(settings, data)
    protocol = make_protocol(settings, condition)
    _check_pictures(settings.provider, provider.max_pictures, protocol, condition)
    return Play(
        data=data,
        provider=provider,
        protocol=protocol,
        condition=condition,
        sampling=sampling_of(settings),
        seed=settings.seed,
        forgiving=settings.forgiving,
        judge=judge,
        user=user,
    )


def _check_pictures(
    name: str, most: int | None, protocol: Protocol, condition: ConditionSet
) -> None:
    """Raises UserError if requests will hold more pictures than the model takes."""
    if most is None:
        return
    if most == 0:
        raise UserError(
            f"{name} is a text-only model and cannot read pictures; it can only be a judge "
            "(--judge)"
        )
    examples = next((part.label for part in condition.parts if part.shows_examples), None)
    if examples:
        raise UserError(
            f"{name} takes {most} picture per request, and condition {examples!r} shows the "
            "pictures of other samples as well; leave this condition out"
        )
    if not condition.keeps_conversation(protocol.keeps_conversation):
        return
    kept = protocol.name if protocol.keeps_conversation else condition.name
    advice = "add --condition stateless" if protocol.keeps_conversation else "leave it out"
    raise UserError(
        f"{name} takes {most} picture per request, and {kept!r} keeps the pictures of earlier "
        f"turns in the conversation; {advice}"
    )


def episodes_left(
    settings: Settings, data: DataFolder, done: Collection[EpisodeKey]
) -> Iterator[NextEpisode]:
    """Yields each episode of the settings that is not in `done`."""
    for scenario in settings.scenarios:
        for sample in samples_to_play(settings, data, scenario):
            for repeat in range(settings.repeats):
                if EpisodeKey(scenario, sample.id, repeat) not in done:
                    yield NextEpisode(scenario, sample, repeat)


def _manifest_of(other: Judge | ModelUser | None) -> dict[str, Any] | None:
    return other.provider.manifest() if other and other.provider else None


def _begun_without_room(manifest: Manifest, provider: Provider) -> bool:
    """Whether the run was started by a version without thinking room beyond `max_tokens`.

    The remaining episodes are played like the first ones.
    """
    unset = manifest.settings.provider_settings.thinking_tokens is None
    return unset and "thinks" in provider.manifest() and "thinks" not in manifest.provider


def _begun_on_same_data(planned: PlannedRun, pool: ModelPool) -> Manifest:
    """Reads the manifest of a run that has started. Raises UserError if its data have changed."""
    manifest = planned.folder.read_manifest()
    if pool.fingerprint(manifest.settings) != manifest.data:
        raise UserError(
            f"{planned.folder.path} started with other data: the files or the protocol pack of "
            f"{manifest.settings.data or 'the embedded suite'} have changed since"
        )
    return manifest
