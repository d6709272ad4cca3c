"""The folder of a training: `train.json`, `log.jsonl` and the trained model.

While a process trains, it holds a lock on `train.json.lock`, as the writer of a run does.
"""

import importlib.metadata
import json
import math
import os
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from proactive_agent.disk.durable import force_folder_to_disk, force_names_to_disk, make_folder
from proactive_agent.disk.locks import HeldLock, is_being_written, read_status, writer_lock
from proactive_agent.disk.os_errors import is_full
from proactive_agent.disk.regular_file import append_regular, open_regular_text, read_regular
from proactive_agent.disk.whole_files import write_whole
from proactive_agent.tools import UserError
from proactive_agent.tools.errors import first_problem
from proactive_agent.training.selection import FrameCounts
from proactive_agent.training.settings import TrainingSettings

MANIFEST = "train.json"
LIBRARIES = (
    "proactive-agent", "accelerate", "datasets", "deepspeed", "peft", "pillow", "pydantic",
    "torch", "transformers", "trl", "vllm",
)  # fmt: skip
JOURNAL = "log.jsonl"
_DROPPED = ("total_flos", "train_runtime", "train_samples_per_second", "train_steps_per_second")
UNFINISHED = ".unfinished"
"""Folder in which the trained model is written before its files are moved into place."""
_SCARCE = 1_000_000
"""Free bytes below which the disk counts as full."""
Status = Literal["running", "finished", "interrupted", "failed"]


class TrainingDataFingerprint(BaseModel):
    """Identifies the rows of a training."""

    files: dict[str, str]
    """SHA-256 by file name."""
    train: dict[str, FrameCounts]
    """Rows to train on, by scenario."""
    held_out: dict[str, FrameCounts]
    leaks: int
    """Number of rows that were left out because they show the picture of a test sample."""


class ModelFingerprint(BaseModel):
    """Identifies the initial model."""

    model_config = ConfigDict(protected_namespaces=())

    name: str
    commit: str | None
    """Commit of a Hub model."""
    folder_sha256: str | None
    parameters: int
    dtype: str

    def is_same(self, other: "ModelFingerprint") -> bool:
        """Whether both name the same weights, regardless of the precision."""
        mine, theirs = (self.commit, self.folder_sha256), (other.commit, other.folder_sha256)
        return mine == theirs


class TrainingManifest(BaseModel):
    """Content of `train.json`: everything that determines a trained model.

    It is written before the first step and again at the end.
    """

    settings: TrainingSettings
    model: ModelFingerprint
    data: TrainingDataFingerprint
    processes: int
    versions: dict[str, str]
    git_commit: str | None
    started: datetime
    ended: datetime | None = None
    status: Status = "running"
    steps: int = 0
    """Optimizer steps so far."""
    stopped_early: bool = False
    marked_checkpoints: bool = False
    """Whether a checkpoint without a marker is incomplete. The file of a training that started
    before the marker existed lacks this field."""

    def as_resumed(self) -> "TrainingManifest":
        """Returns the manifest of the training when it is resumed, with a marked checkpoint."""
        fields = {"status": "running", "ended": None, "marked_checkpoints": True}
        return self.model_copy(update=fields)

    def as_ended(self, status: Status, steps: int, **more: Any) -> "TrainingManifest":
        """Returns the manifest with the end of the training."""
        fields = {"status": status, "steps": steps, "ended": datetime.now(UTC), **more}
        return self.model_copy(update=fields)

    def write(self, folder: Path) -> None:
        """Replaces the folder's `train.json`. Raises NotWrittenError; it is then unchanged."""
        make_folder(folder)
        write_whole(folder / MANIFEST, self.model_dump_json(indent=2) + "\n")


def lock(folder: Path) -> HeldLock:
    """Returns the lock of the process that trains into a folder, which is made if needed.

    Raises UserError if another process trains into it.
    """
    return writer_lock(folder / MANIFEST, folder)


def is_being_trained(folder: Path) -> bool:
    """Whether a process trains into a folder now."""
    return is_being_written(folder / MANIFEST)


def read_manifest(folder: Path) -> TrainingManifest:
    """Reads a folder's `train.json`. Raises UserError if it is missing or invalid.

    The status of a training whose process died is `interrupted`, although the file says `running`.
    """
    manifest, died = read_status(
        folder / MANIFEST, lambda: _manifest(folder), lambda found: found.status == "running"
    )
    return manifest.model_copy(update={"status": "interrupted"}) if died else manifest


def _manifest(folder: Path) -> TrainingManifest:
    try:
        return TrainingManifest.model_validate_json(read_regular(folder / MANIFEST))
    except OSError as error:
        raise UserError(
            f"{folder} is not the folder of a training: {MANIFEST}: {error.strerror}"
        ) from None
    except ValidationError as error:
        raise UserError(f"{folder / MANIFEST}: {first_problem(error)}") from None


def library_versions() -> dict[str, str]:
    """Returns the versions of the installed libraries."""
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


class Journal:
    """Appends lines to `log.jsonl`: one per step and per evaluation, as it happens.

    Each line is forced to the disk, so that no line before a checkpoint is lost in a power cut.
    `benchmarks/fsync_cost.py` measures the price: 6 ms on a virtual disk, for a step of seconds.

    A resumed training keeps the lines up to the step of its checkpoint, `kept_steps`, and those of
    the warm-up before it. Of several processes only the first `writes`.
    """

    def __init__(self, folder: Path, kept_steps: int = 0, *, writes: bool = True) -> None:
        self.file = folder / JOURNAL
        self._writes = writes
        if writes:
            lines = [line for line in read_journal(folder) if _kept(line, kept_steps)]
            write_whole(self.file, "".join(_line(line) for line in lines))
        self._tokens = 0.0
        self._time = time.perf_counter()

    def write(self, phase: str, step: int, values: dict[str, Any]) -> dict[str, Any]:
        """Appends a line and returns it."""
        line = {"phase": phase, "step": step, **_tidy(values)}
        if (tokens := values.get("num_tokens")) is not None:
            now = time.perf_counter()
            if tokens > self._tokens:
                line["tokens_per_second"] = (tokens - self._tokens) / (now - self._time)
            self._tokens, self._time = tokens, now
        if self._writes:
            with append_regular(self.file) as stream:
                rest = memoryview(_line(line).encode())
                while rest:  # A full disk takes a part, and refuses the next.
                    rest = rest[stream.write(rest) :]
                os.fsync(stream.fileno())
        return line


def read_journal(folder: Path) -> list[dict[str, Any]]:
    """Returns the lines of a folder's journal, without a torn last line."""
    try:
        with open_regular_text(folder / JOURNAL) as stream:
            return [json.loads(line) for line in stream if line.endswith("\n")]
    except FileNotFoundError:
        return []


def _kept(line: dict[str, Any], steps: int) -> bool:
    if line["phase"] == "benchmark" and line["step"]:
        return False  # The resumed training plays the benchmark again.
    return bool(line["step"] <= steps or (steps and line["phase"] == "warm-up"))


def _line(fields: dict[str, Any]) -> str:
    return json.dumps(fields) + "\n"


def _tidy(values: dict[str, Any]) -> dict[str, Any]:
    """Drops NaN values and the trainer's totals."""
    return {
        name: value
        for name, value in values.items()
        if name not in _DROPPED and not (isinstance(value, float) and math.isnan(value))
    }


def move_into_place(unfinished: Path, out: Path) -> None:
    """Moves the files of a folder, which are all written, into the folder of the training."""
    force_folder_to_disk(unfinished)
    for entry in unfinished.iterdir():
        target = out / entry.name
        if not entry.is_file():
            shutil.rmtree(target, ignore_errors=True)
        entry.replace(target)
    unfinished.rmdir()
    force_names_to_disk(out)


def is_disk_full(error: BaseException, folder: Path) -> bool:
    """Whether an error comes from a full disk. Libraries report it in different ways."""
    if isinstance(error, OSError) and is_full(error):
        return True
    failed = isinstance(error, Exception)
    return failed and shutil.disk_usage(folder).free < _SCARCE
