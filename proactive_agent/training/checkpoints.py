"""The checkpoints of a training, `checkpoints/checkpoint-STEP`.

The trainers write a checkpoint file by file. When all files have reached the disk, `complete.json`
is written, which lists them with their sizes. A training resumes only from a checkpoint with this
marker and these files. So neither a killed process nor a power cut leaves a checkpoint that counts
although it is damaged.

A training that started before the marker existed resumes from its newest checkpoint whose files
look whole. That checkpoint is then marked.
"""

import json
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

from proactive_agent.disk.durable import force_folder_to_disk, force_names_to_disk
from proactive_agent.disk.regular_file import open_regular, read_regular
from proactive_agent.disk.whole_files import write_whole

CHECKPOINTS = "checkpoints"
MARKER = "complete.json"
_STATE = "trainer_state.json"
_PREFIX = "checkpoint-"
_WEIGHTS = (".safetensors", "model_states.pt")
"""Ends of the names of files with weights, those of DeepSpeed included."""
_MOST_BYTES = 256 * 2**20
"""Most bytes of the trainer's state, which holds the log of every step."""


def mark_complete(checkpoint: Path) -> None:
    """Forces the files of a checkpoint to the disk, then writes its marker.

    Raises OSError and NotWrittenError.
    """
    (checkpoint / MARKER).unlink(missing_ok=True)
    force_folder_to_disk(checkpoint)
    sizes = {
        file.relative_to(checkpoint).as_posix(): file.stat().st_size
        for file in sorted(checkpoint.rglob("*"))
        if file.is_file()
    }
    write_whole(checkpoint / MARKER, json.dumps(sizes, indent=2) + "\n")
    force_names_to_disk(checkpoint.parent)


def remove_old(checkpoints: Path, keep: int) -> None:
    """Removes every checkpoint, complete or not, that is older than the `keep` newest ones.

    Only complete checkpoints count, so the newest complete one stays.
    """
    complete = sorted(filter(_is_complete, _folders(checkpoints)), key=step_of)[-keep:]
    for folder in _folders(checkpoints):
        if complete and step_of(folder) < step_of(complete[0]):
            (folder / MARKER).unlink(missing_ok=True)
            shutil.rmtree(folder, ignore_errors=True)


def last_checkpoint(out: Path, *, marked: bool = True) -> Path | None:
    """Returns the newest complete checkpoint of a training, or None.

    If the training's checkpoints are not `marked`, those without a marker count if they look whole.
    """
    complete = [
        folder
        for folder in _folders(out / CHECKPOINTS)
        if _is_complete(folder) or (not marked and _looks_whole(folder))
    ]
    return max(complete, key=step_of, default=None)


def step_of(checkpoint: Path) -> int:
    """Returns the step after which a checkpoint was written."""
    return int(checkpoint.name.removeprefix(_PREFIX))


def train_from(trainer: Any, checkpoint: Path | None) -> None:
    """Trains from a checkpoint, or from the start if it is None."""
    if checkpoint is None:
        trainer.train()
    elif (state := _read(checkpoint / _STATE)) and state["global_step"] >= state["max_steps"]:
        # The trainers would take one more step before they compare it with the maximum.
        trainer._load_from_checkpoint(str(checkpoint))
        trainer.state = type(trainer.state).load_from_json(str(checkpoint / _STATE))
    else:
        trainer.train(resume_from_checkpoint=str(checkpoint))


def _folders(checkpoints: Path) -> list[Path]:
    """Returns the folders of checkpoints, complete or not."""
    return [
        folder
        for folder in checkpoints.glob(f"{_PREFIX}*")
        if folder.name.removeprefix(_PREFIX).isdecimal() and not folder.is_symlink()
    ]


def _is_complete(folder: Path) -> bool:
    sizes = _read(folder / MARKER)
    if sizes is None or _STATE not in sizes or _read(folder / _STATE) is None:
        return False
    return all(_size(folder / name) == size for name, size in sizes.items())


def _looks_whole(folder: Path) -> bool:
    """Whether a checkpoint without a marker has a state, weights, and no file that is cut off.

    The trainers write the state after the weights and the optimizer.
    """
    state = _read(folder / _STATE)
    if state is None or state.get("global_step") != step_of(folder):
        return False
    if os.path.lexists(folder / MARKER):
        return False
    files = [file for file in folder.rglob("*") if not file.is_dir()]
    try:
        return any(file.name.endswith(_WEIGHTS) for file in files) and not any(map(_is_cut, files))
    except (OSError, ValueError, KeyError, TypeError, RecursionError, zipfile.BadZipFile):
        return False


def _is_cut(file: Path) -> bool:
    """Whether the end of a file is missing, as far as its format shows it.

    Raises OSError, ValueError, KeyError, TypeError and BadZipFile for a damaged file.
    """
    with open_regular(file) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size == 0:
            return True
        if file.suffix == ".safetensors":
            head = int.from_bytes(stream.read(8), "little")
            if head > min(size, _MOST_BYTES):
                return True
            tensors = json.loads(stream.read(head))
            tensors.pop("__metadata__", None)
            ends = (tensor["data_offsets"][1] for tensor in tensors.values())
            return bool(8 + head + max(ends, default=0) != size)
        if stream.read(2) == b"PK":  # PyTorch's files are archives.
            zipfile.ZipFile(stream).close()
    return False


def _size(file: Path) -> int | None:
    try:
        return file.stat().st_size
    except (OSError, ValueError):
        return None


def _read(file: Path) -> dict[str, Any] | None:
    """Returns the object in a JSON file; None if it is missing or damaged."""
    try:
        content = json.loads(read_regular(file, _MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
