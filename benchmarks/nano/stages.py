"""One stage of the training: seeded steps that can be stopped and go on with equal results."""

import json
import math
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch

from proactive_agent.disk.whole_files import written_aside

SAVE_EVERY = 100
"""Steps between two checkpoints."""
REPORTS = 10
"""Reports in a long stage."""
LEAST_STEPS_OF_REPORT = 20
"""Fewest steps between two reports."""


class Stage(NamedTuple):
    """A part of the training."""

    name: str
    steps: int
    batch: int
    rate: float
    """The highest learning rate."""
    decay: float = 0.01
    """Weight decay of matrices."""


class Draws(NamedTuple):
    """Generators of one step. They depend on the seed, the stage and the step only."""

    python: random.Random
    torch: Any


def draws_of(seed: int, name: str, step: int) -> Draws:
    """Returns the generators of a step."""
    python = random.Random(f"nano/{seed}/{name}/{step}")
    return Draws(python, torch.Generator().manual_seed(python.getrandbits(63)))


def run_stage(
    stage: Stage,
    module: Any,
    loss_of: Callable[[Stage, int, Draws], Any],
    report: Callable[[], dict[str, Any]],
    *,
    work: Path,
    seed: int,
) -> None:
    """Trains the parameters of a module that require gradients.

    `loss_of` returns the loss of a step. The checkpoint is `work/NAME.pt`; a stage that has ended
    is only loaded. `report` measures held-out accuracy.
    """
    file = work / f"{stage.name}.pt"
    weights = [weight for weight in module.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(
        [
            {"params": [w for w in weights if w.ndim > 1], "weight_decay": stage.decay},
            {"params": [w for w in weights if w.ndim <= 1], "weight_decay": 0.0},
        ],
        betas=(0.9, 0.98),
    )
    begin = _restored(file, module, optimizer)
    started, losses = time.monotonic(), [0.0]
    for step in range(begin, stage.steps):
        for group in optimizer.param_groups:
            group["lr"] = stage.rate * pace(step, stage.steps)
        optimizer.zero_grad()
        loss = loss_of(stage, step, draws_of(seed, stage.name, step))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        losses = [*losses[-99:], loss.item()] if step > begin else [loss.item()]
        done = step + 1
        if done % SAVE_EVERY == 0 or done == stage.steps:
            _save(file, module, optimizer, done)
        if done % max(stage.steps // REPORTS, LEAST_STEPS_OF_REPORT) == 0 or done == stage.steps:
            spent = time.monotonic() - started
            shown = {
                "stage": stage.name,
                "step": f"{done}/{stage.steps}",
                "minutes": round(spent / 60, 1),
                "minutes_left": round(spent / (done - begin) * (stage.steps - done) / 60, 1),
                "loss": round(sum(losses) / len(losses), 3),
            }
            with torch.no_grad():
                print(json.dumps(shown | report()), flush=True)


def pace(step: int, steps: int) -> float:
    """Returns the share of the learning rate: it rises for 5 % of the steps, then falls."""
    rise = min(1.0, (step + 1) / (steps / 20))
    return rise * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / steps)))


def _restored(file: Path, module: Any, optimizer: Any) -> int:
    """Loads the checkpoint, if there is one, and returns the number of steps that it has seen."""
    if not file.exists():
        return 0
    saved = torch.load(file, weights_only=True)
    module.load_state_dict(saved["module"])
    optimizer.load_state_dict(saved["optimizer"])
    return int(saved["steps"])


def _save(file: Path, module: Any, optimizer: Any, steps: int) -> None:
    content = {
        "module": module.state_dict(),
        "optimizer": optimizer.state_dict(),
        "steps": steps,
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    with written_aside(file) as partial:
        torch.save(content, partial)
