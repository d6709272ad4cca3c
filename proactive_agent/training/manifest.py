"""`train.json`: everything that determines a trained model.  Written before the first step."""

import importlib.metadata
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from proactive_agent.tools import UserError
from proactive_agent.training.mix import Frames
from proactive_agent.training.settings import TrainSettings

FILE = "train.json"
LIBRARIES = (
    "proactive-agent", "accelerate", "datasets", "deepspeed", "peft", "pillow", "pydantic",
    "torch", "transformers", "trl", "vllm",
)  # fmt: skip
Status = Literal["running", "finished", "interrupted", "failed"]


class DataFingerprint(BaseModel):
    """Which rows."""

    files: dict[str, str]
    """SHA-256 by file name."""
    train: dict[str, Frames]
    """Per scenario."""
    held_out: dict[str, Frames]
    leaks: int
    """Rows left out because they show the picture of a test sample."""


class ModelFingerprint(BaseModel):
    """Which model it began with, and how much of it was trained."""

    model_config = ConfigDict(protected_namespaces=())

    name: str
    commit: str | None
    """Of a hub model."""
    folder_sha256: str | None
    parameters: int
    dtype: str

    def is_same(self, other: "ModelFingerprint") -> bool:
        """Whether it holds the same weights, in whatever precision they are loaded."""
        mine, theirs = (self.commit, self.folder_sha256), (other.commit, other.folder_sha256)
        return mine == theirs


class TrainManifest(BaseModel):
    """A training's `train.json`."""

    settings: TrainSettings
    model: ModelFingerprint
    data: DataFingerprint
    processes: int
    versions: dict[str, str]
    git_commit: str | None
    started: datetime
    ended: datetime | None = None
    status: Status = "running"
    steps: int = 0
    """Of the optimizer, so far."""
    stopped_early: bool = False

    def begun_again(self) -> "TrainManifest":
        """The same before its end."""
        return self.model_copy(update={"status": "running", "ended": None})

    def ended_as(self, status: Status, steps: int, **more: Any) -> "TrainManifest":
        """The same with its end."""
        fields = {"status": status, "steps": steps, "ended": datetime.now(UTC), **more}
        return self.model_copy(update=fields)

    def write(self, folder: Path) -> None:
        """Replaces the folder's `train.json`, which no reader sees half written."""
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f"{FILE}.tmp"
        partial.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
        partial.replace(folder / FILE)


def read_manifest(folder: Path) -> TrainManifest:
    """A folder's `train.json`.  Raises UserError where there is none."""
    try:
        return TrainManifest.model_validate_json((folder / FILE).read_bytes())
    except OSError as error:
        raise UserError(f"{folder} holds no training: {FILE}: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(
            f"{folder / FILE}: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        ) from None


def library_versions() -> dict[str, str]:
    """Of the libraries that are installed."""
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
