"""`run.json`: everything that determines a run's numbers, written before the first request."""

import importlib.metadata
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, TypeAdapter, model_validator
from pydantic.dataclasses import dataclass

from proactive_agent.records.episode import ServedByRecord
from proactive_agent.scenarios import DataFolder
from proactive_agent.settings import LoadSettings, RunSettings, Sampling, declared
from proactive_agent.settings.agent_names import names_agent, short_name
from proactive_agent.settings.condition_label import joined, name_of, parts_of
from proactive_agent.settings.play import OPEN_ENDED_SAMPLES
from proactive_agent.tools.texts import VERSION, texts_hash

Status = Literal["running", "finished", "interrupted", "failed"]
"""State of a run. `interrupted` and `failed` runs can be resumed."""


@dataclass(frozen=True)
class ProviderSettings(LoadSettings, Sampling):
    """Everything about a model that determines its replies. Validated."""


@dataclass(frozen=True, kw_only=True)
class Settings(RunSettings):
    """Everything that determines a run. Validated.

    The same settings on the same data give the same episodes.
    """

    provider_settings: ProviderSettings = ProviderSettings()

    def __post_init__(self) -> None:
        # The clients of agents keep the first list of tools that they get.
        if names_agent(self.provider) and self.toolset == "scenario":
            object.__setattr__(self, "toolset", "episode")

    @property
    def shown_provider(self) -> str:
        """The model as tables name it: its spec, or the program in an agent's command."""
        return short_name(self.provider)

    @property
    def samples_per_scenario(self) -> int | None:
        """The most samples that are played per scenario; None means all."""
        if self.limit is None and self.protocol == "oeg":
            return OPEN_ENDED_SAMPLES
        return self.limit

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Self:
        """Reads the output of `as_json`. Raises pydantic's ValidationError."""
        return TypeAdapter(cls).validate_python(fields)

    def as_json(self) -> dict[str, Any]:
        """Returns the settings as in `run.json`."""
        plain: dict[str, Any] = TypeAdapter(Settings).dump_python(self, mode="json")
        return plain

    def flat(self) -> dict[str, Any]:
        """Returns every declared setting by name, including those of the model."""
        return {name: self.value(name) for name in SETTINGS}

    def value(self, name: str) -> Any:
        """Returns the value of a declared setting of the run or of its model."""
        return getattr(self if hasattr(self, name) else self.provider_settings, name)


SETTINGS = declared(RunSettings, ProviderSettings)
"""The settings that `run.json` records."""


class FileFingerprint(BaseModel):
    """The fingerprint of one data file."""

    sha256: str
    samples: int
    """Samples in the file."""
    kept: int
    """Samples that remain after the filters."""


class DataFingerprint(BaseModel):
    """Identifies the samples and the wording of a run."""

    embedded: bool
    files: dict[str, FileFingerprint]
    """Data files by scenario."""
    filtered: bool
    """Whether the official filter was applied."""
    own_filter: str | None = None
    """The rule and the hash of the data folder's own filter (`filter.json`), if it was applied."""
    generator: str | None = None
    """Generated scenes: everything that determines them except the seed and their number. Scenes
    with the same generator come from one distribution."""
    seed: str | None = None
    """Generated scenes: the seed, and which things are shown if not all."""
    wording: str
    wording_sha256: str


class Manifest(BaseModel):
    """The content of `run.json`."""

    run_id: str
    settings: Settings
    provider: dict[str, Any]
    """The provider's self-description: model revision, chat template, device, …"""
    judge: dict[str, Any] | None = None
    """The self-description of the judge's provider, if a model judges."""
    user: dict[str, Any] | None = None
    """The self-description of the provider of the simulated user, if a model plays it."""
    generation: dict[str, Any] | None = None
    """The settings of text generation that were really used: for a local model its generation
    config, for an API the fields that were sent. None if the model has none or a run is older."""
    judge_generation: dict[str, Any] | None = None
    """The same for a model that judges."""
    user_generation: dict[str, Any] | None = None
    """The same for a model that plays the user."""
    data: DataFingerprint
    tool_texts: str
    tool_texts_sha256: str
    user_rules: str | None = None
    """Version of the rules by which the simulated user reads requests. None if no rules read
    requests in the run, or if the version that started it did not record this."""
    versions: dict[str, str]
    git_commit: str | None
    started: datetime
    ended: datetime | None = None
    status: Status = "running"
    """`running` in the file of a run whose process died; see `RunFolder.read_manifest`."""
    stopped: str | None = None
    """Why an interrupted run was stopped, for example that the account has no credit left."""
    served: list[ServedByRecord] = []
    """The distinct models that answered, as the API reports them; filled in at the end."""
    unranked: bool = False
    """Whether the run is a demonstration (`serve`), where a player can skip or leave episodes."""
    thinking_room: tuple[int, int] | None = None
    """The smallest and the largest thinking room of a reply, in tokens; filled in at the end.
    Null if no reply says it."""

    @model_validator(mode="before")
    @classmethod
    def _as_named_today(cls, fields: Any) -> Any:
        """Renames the settings of a run of an older version as they are called today.

        Such a run keeps its meaning when it is shown, compared or resumed.
        """
        if not isinstance(fields, dict) or not isinstance(fields.get("settings"), dict):
            return fields
        return fields | {"settings": _renamed(fields["settings"])}


def _renamed(settings: dict[str, Any]) -> dict[str, Any]:
    condition = settings.get("condition")
    if "icl_reduced" in settings or not isinstance(condition, str):
        return settings
    # Before `icl_reduced` was a setting, all solved examples were reduced, and a random suggestion
    # ended its episode.
    parts = parts_of(condition)
    today = ("useless-suggestions" if part == "random-suggestions" else part for part in parts)
    return settings | {
        "icl_reduced": "icl" in map(name_of, parts),
        "condition": joined(today),
    }


def fingerprint(data: DataFolder, scenarios: tuple[str, ...]) -> DataFingerprint:
    """Reads every data file once. Raises DataError at the first faulty line."""
    files = {}
    for scenario in scenarios:
        scan = data.scan(scenario)
        files[scenario] = FileFingerprint(sha256=scan.sha256, samples=scan.samples, kept=scan.kept)
    return DataFingerprint(
        embedded=data.embedded,
        files=files,
        filtered=data.filtered,
        own_filter=data.own_filter.name if data.own_filter else None,
        generator=data.generator,
        seed=data.seed,
        wording=data.wording.name,
        wording_sha256=data.wording.sha256(),
    )


def new_manifest(
    run_id: str, settings: Settings, provider: dict[str, Any], data: DataFingerprint
) -> Manifest:
    """Returns the manifest of a run that is about to start."""
    return Manifest(
        run_id=run_id,
        settings=settings,
        provider=provider,
        data=data,
        tool_texts=VERSION,
        tool_texts_sha256=texts_hash(),
        versions=_versions(),
        git_commit=git_commit(),
        started=datetime.now(UTC),
    )


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for name in ("proactive-agent", "pillow", "pydantic", "torch", "transformers"):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def git_commit() -> str | None:
    """Returns the commit of the program's checkout, with `-dirty` if files were changed since."""
    home = Path(__file__).parents[2]
    if not (home / ".git").exists():
        return None
    # `git describe --dirty` would write the index, and a kill would leave `index.lock`.
    git = ["git", "--no-optional-locks", "-C", str(home)]
    try:
        commit, changed = (
            subprocess.run(
                [*git, *words], capture_output=True, text=True, check=True, timeout=10
            ).stdout.strip()
            for words in (
                ("describe", "--always", "--abbrev=40"),
                ("status", "--porcelain", "--untracked-files=no"),
            )
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return f"{commit}-dirty" if changed else commit
