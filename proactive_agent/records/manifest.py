"""`run.json`: everything that determines a run's numbers.  Written before the first request."""

import importlib.metadata
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from proactive_agent.scenarios import DataFolder
from proactive_agent.scenarios.dataset import OPEN_ENDED_SAMPLES
from proactive_agent.tools import ToolsetName
from proactive_agent.tools.texts import VERSION, texts_hash

ProtocolName = Literal["tools", "mcqa", "oeg"]
ParserName = Literal["official", "lenient"]


class ProviderSettings(BaseModel):
    """How the model is loaded and how it writes."""

    model_config = ConfigDict(frozen=True)

    max_tokens: int = Field(default=512, ge=1)
    temperature: float = Field(default=0.0, ge=0)
    dtype: str = "auto"
    device: str = "auto"
    attention: str | None = None
    quantize: str | None = None
    revision: str | None = None
    batch_size: int = Field(default=16, ge=1)
    trust_remote_code: bool = False
    api: Literal["auto", "chat", "responses"] = "auto"
    reasoning: str | None = None
    image_size: int = Field(default=1568, ge=16)
    image_quality: int = Field(default=90, ge=1, le=100)
    image_format: Literal["jpeg", "webp"] = "jpeg"


class PlaySettings(BaseModel):
    """How samples are played, whatever the model, the scenario, the protocol and the condition."""

    model_config = ConfigDict(frozen=True)

    toolset: ToolsetName = "scenario"
    parser: ParserName = "official"
    forgiving: bool = False
    unfiltered: bool = False
    limit: int | None = Field(default=None, ge=1)
    """Samples per scenario, from the first on; in `oeg` of the shuffled ones."""
    repeats: int = Field(default=1, ge=1)
    """How often each sample is played."""
    seed: int = 0
    history_size: int = Field(default=224, ge=1)
    """Condition `history`: pixels of a picture's short edge."""
    icl_reasoning: bool = False
    """Condition `icl`: solved examples say why they ask."""
    multi_turn: bool = False
    """`oeg`: the user does what is suggested, until the turn limit."""
    judge: str = "rules"
    """`oeg`: `rules`, or a `name:model`."""
    judge_prompt: Literal["own", "official"] = "own"


class Settings(PlaySettings):
    """What the user asked for; the same settings on the same data give the same episodes."""

    provider: str
    """`name:model`."""
    data: str | None = None
    """Folder of the data; null is the embedded suite."""
    scenarios: tuple[str, ...]
    protocol: ProtocolName = "tools"
    condition: str = "zero-shot"
    provider_settings: ProviderSettings = ProviderSettings()

    @property
    def samples_per_scenario(self) -> int | None:
        """At most so many; None is all."""
        if self.limit is None and self.protocol == "oeg":
            return OPEN_ENDED_SAMPLES
        return self.limit


class FileFingerprint(BaseModel):
    """One data file."""

    sha256: str
    samples: int
    """In the file."""
    kept: int
    """After the official filter."""


class DataFingerprint(BaseModel):
    """Which samples, and which words around them."""

    embedded: bool
    files: dict[str, FileFingerprint]
    """Per scenario."""
    filtered: bool
    """Whether the official filter was applied."""
    wording: str
    wording_sha256: str


class Manifest(BaseModel):
    """A run's `run.json`."""

    run_id: str
    settings: Settings
    provider: dict[str, Any]
    """What the provider says of itself: model revision, chat template, device, …"""
    judge: dict[str, Any] | None = None
    """What a judge's provider says of itself."""
    data: DataFingerprint
    tool_texts: str
    tool_texts_sha256: str
    versions: dict[str, str]
    git_commit: str | None
    started: datetime
    ended: datetime | None = None
    status: Literal["running", "finished", "interrupted", "failed"] = "running"


def fingerprint(data: DataFolder, scenarios: tuple[str, ...]) -> DataFingerprint:
    """Reads every data file once.  Raises DataError at the first fault in any of them."""
    files = {}
    for scenario in scenarios:
        scan = data.scan(scenario)
        files[scenario] = FileFingerprint(sha256=scan.sha256, samples=scan.samples, kept=scan.kept)
    return DataFingerprint(
        embedded=data.embedded,
        files=files,
        filtered=data.filtered,
        wording=data.wording.name,
        wording_sha256=data.wording.sha256(),
    )


def new_manifest(
    run_id: str, settings: Settings, provider: dict[str, Any], data: DataFingerprint
) -> Manifest:
    """The manifest of a run that is about to start."""
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
    """The commit of the program's own checkout, marked where it was changed since."""
    home = Path(__file__).parents[2]
    if not (home / ".git").exists():
        return None
    try:
        done = subprocess.run(
            ["git", "-C", str(home), "describe", "--always", "--abbrev=40", "--dirty"],  # noqa: S607
            capture_output=True, text=True, check=True, timeout=10,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
