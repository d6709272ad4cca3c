"""Checkpoints, from which an interrupted training goes on."""

import errno
import json
import shutil
from pathlib import Path
from typing import Any

FOLDER = "checkpoints"
_PREFIX = "checkpoint-"
_LAST_FILE = "trainer_state.json"
"""What the trainers write after all the rest that a training needs to go on."""
_SCARCE = 1_000_000
"""Bytes."""


def last_checkpoint(out: Path) -> Path | None:
    """The newest one that is whole: the process can have died while it wrote one."""
    found = (folder for folder in (out / FOLDER).glob(f"{_PREFIX}*") if _is_whole(folder))
    return max(found, key=step_of, default=None)


def step_of(checkpoint: Path) -> int:
    """The step after which it was written."""
    return int(checkpoint.name.removeprefix(_PREFIX))


def go_on(trainer: Any, checkpoint: Path | None) -> None:
    """Trains from a checkpoint, or from the start."""
    if checkpoint is None:
        trainer.train()
    elif (state := _state(checkpoint)) and state["global_step"] >= state["max_steps"]:
        # The trainers would take one step more before they look at how many there are.
        trainer._load_from_checkpoint(str(checkpoint))
        trainer.state = type(trainer.state).load_from_json(str(checkpoint / _LAST_FILE))
    else:
        trainer.train(resume_from_checkpoint=str(checkpoint))


def _is_whole(folder: Path) -> bool:
    return folder.name.removeprefix(_PREFIX).isdecimal() and _state(folder) is not None


def _state(folder: Path) -> dict[str, Any] | None:
    try:
        state: dict[str, Any] = json.loads((folder / _LAST_FILE).read_bytes())
    except (OSError, ValueError):
        return None
    return state


def is_full(error: BaseException, folder: Path) -> bool:
    """Whether an error is that of a full disk, which every library tells in its own way."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    failed = isinstance(error, Exception)
    return failed and shutil.disk_usage(folder).free < _SCARCE
