"""Checkpoints: the one a training resumes from, and the message after an interruption."""

import errno
import json
import os
import shutil
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from proactive_agent.cli import train_view
from proactive_agent.tools import NotWrittenError
from proactive_agent.training.checkpoints import (
    MARKER,
    last_checkpoint,
    mark_complete,
    remove_old,
    step_of,
)
from proactive_agent.training.folder import (
    ModelFingerprint,
    TrainingDataFingerprint,
    TrainingManifest,
    is_disk_full,
)
from proactive_agent.training.settings import TrainingSettings


def checkpoint(out: Path, step: int, state: str = "{}") -> Path:
    """Writes a complete checkpoint."""
    folder = out / "checkpoints" / f"checkpoint-{step}"
    (folder / "global_step").mkdir(parents=True)
    (folder / "model.safetensors").write_text("weights")
    (folder / "global_step" / "optimizer.pt").write_text("moments")
    (folder / "trainer_state.json").write_text(state)
    mark_complete(folder)
    return folder


def test_the_newest_checkpoint_is_that_of_the_latest_step(tmp_path: Path) -> None:
    assert last_checkpoint(tmp_path) is None
    checkpoint(tmp_path, 9)
    newest = checkpoint(tmp_path, 10)
    assert last_checkpoint(tmp_path) == newest
    assert step_of(newest) == 10


def damage(folder: Path, case: str) -> None:
    """Leaves what a process that was killed, or a power cut, can leave of a checkpoint."""
    match case:
        case "no marker":
            (folder / MARKER).unlink()
        case "torn marker":
            (folder / MARKER).write_text('{"model.saf')
        case "empty marker":
            (folder / MARKER).write_text("{}")
        case "cut file":
            (folder / "model.safetensors").write_text("weig")
        case "missing file":
            (folder / "global_step" / "optimizer.pt").unlink()
        case "no state":
            (folder / "trainer_state.json").unlink()


CASES = ("no marker", "torn marker", "empty marker", "cut file", "missing file", "no state")


@pytest.mark.parametrize("case", CASES)
def test_a_checkpoint_that_was_never_finished_does_not_count(case: str, tmp_path: Path) -> None:
    whole = checkpoint(tmp_path, 2)
    damage(checkpoint(tmp_path, 4), case)
    assert last_checkpoint(tmp_path) == whole


def test_a_torn_state_does_not_count(tmp_path: Path) -> None:
    checkpoint(tmp_path, 4, '{"global_st')
    assert last_checkpoint(tmp_path) is None


def unmarked(out: Path, step: int) -> Path:
    """Writes a checkpoint as it was before the marker existed."""
    folder = out / "checkpoints" / f"checkpoint-{step}"
    folder.mkdir(parents=True)
    tensors = {"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}
    head = json.dumps(tensors).encode()
    weights = len(head).to_bytes(8, "little") + head + bytes(4)
    (folder / "model.safetensors").write_bytes(weights)
    with zipfile.ZipFile(folder / "optimizer.pt", "w") as archive:
        archive.writestr("data", bytes(100))
    (folder / "trainer_state.json").write_text(json.dumps({"global_step": step}))
    return folder


def test_an_unmarked_checkpoint_counts_only_in_a_training_without_markers(tmp_path: Path) -> None:
    folder = unmarked(tmp_path, 2)
    assert last_checkpoint(tmp_path, marked=False) == folder
    assert last_checkpoint(tmp_path) is None


CUTS: dict[str, tuple[str, int]] = {
    "weights": ("model.safetensors", -1),
    "head of the weights": ("model.safetensors", 5),
    "optimizer": ("optimizer.pt", -30),
    "empty optimizer": ("optimizer.pt", 0),
    "state": ("trainer_state.json", -1),
}


@pytest.mark.parametrize("case", CUTS)
def test_an_unmarked_checkpoint_that_was_cut_does_not_count(case: str, tmp_path: Path) -> None:
    whole = unmarked(tmp_path, 2)
    name, end = CUTS[case]
    file = unmarked(tmp_path, 4) / name
    file.write_bytes(file.read_bytes()[:end])
    assert last_checkpoint(tmp_path, marked=False) == whole


@pytest.mark.parametrize("case", ["torn marker", "cut file", "no state"])
def test_a_faulty_marker_counts_in_no_training(case: str, tmp_path: Path) -> None:
    damage(checkpoint(tmp_path, 4), case)
    assert last_checkpoint(tmp_path, marked=False) is None


def test_old_checkpoints_are_removed_and_a_newer_damaged_one_does_not_replace_them(
    tmp_path: Path,
) -> None:
    damage(checkpoint(tmp_path, 1), "no marker")
    for step in (2, 9, 10):
        checkpoint(tmp_path, step)
    damage(checkpoint(tmp_path, 11), "cut file")
    remove_old(tmp_path / "checkpoints", 2)
    kept = sorted(step_of(folder) for folder in (tmp_path / "checkpoints").iterdir())
    assert kept == [9, 10, 11]


def test_other_folders_are_no_checkpoints(tmp_path: Path) -> None:
    (tmp_path / "checkpoints" / "checkpoint-mine").mkdir(parents=True)
    assert last_checkpoint(tmp_path) is None


def test_a_full_disk_is_known_by_its_error(tmp_path: Path) -> None:
    assert is_disk_full(OSError(errno.ENOSPC, "No space left on device"), tmp_path)
    assert not is_disk_full(RuntimeError("out of memory"), tmp_path)


def test_a_full_disk_is_known_by_its_free_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    assert is_disk_full(RuntimeError("PytorchStreamWriter failed writing file"), tmp_path)
    assert not is_disk_full(KeyboardInterrupt(), tmp_path)


def manifest(trust_remote_code: bool = False) -> TrainingManifest:
    return TrainingManifest(
        settings=TrainingSettings(model="tiny", data="DATA", trust_remote_code=trust_remote_code),
        model=ModelFingerprint(
            name="tiny", commit=None, folder_sha256=None, parameters=1, dtype="float32"
        ),
        data=TrainingDataFingerprint(files={}, train={}, held_out={}, leaks=0),
        processes=1,
        versions={},
        git_commit=None,
        started=datetime.now(UTC),
    )


def test_an_interruption_names_the_resume_command(tmp_path: Path) -> None:
    told = train_view.resume_hint
    assert told(tmp_path) == "nothing was written"
    manifest().write(tmp_path)
    assert told(tmp_path).startswith("to resume from the start (no checkpoint yet): python")
    checkpoint(tmp_path, 30)
    assert told(tmp_path) == (
        f"to resume from step 30: python -m proactive_agent train --resume --out {tmp_path}"
    )


def test_the_resume_command_repeats_the_consent_for_custom_code(tmp_path: Path) -> None:
    manifest(trust_remote_code=True).write(tmp_path)
    assert train_view.resume_hint(tmp_path).endswith(f"--out {tmp_path} --trust-remote-code")


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes")
def test_an_interruption_is_told_though_the_manifest_became_a_pipe(tmp_path: Path) -> None:
    manifest().write(tmp_path)
    (tmp_path / "train.json").unlink()
    os.mkfifo(tmp_path / "train.json")
    assert train_view.resume_hint(tmp_path).startswith("it cannot be resumed: ")
    with pytest.raises(NotWrittenError, match="not a regular file"):
        manifest().write(tmp_path)
