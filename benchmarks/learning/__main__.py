"""Tests whether `train` teaches Nano to ask, on two CPU cores.

    python -m benchmarks.learning [--work DIR] [--out results/learning]

`train` teaches `local:nano` on generated scenes of two scenarios, with several seeds. `run`
evaluates the models on new scenes of all seven scenarios. With `--work DIR`, the same command
continues a stopped experiment, and `DIR/nano-asks` is the first trained model, which
`local:nano-asks` loads.
"""

import argparse
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

from benchmarks.learning.arms import ARMS, Arm
from benchmarks.learning.evaluate import TEST_SCENES, Samples, call_program, play, samples_of
from benchmarks.learning.outcome import Outcome, Trained, write
from proactive_agent.training.card import write_card
from proactive_agent.training.folder import JOURNAL, read_manifest

BASE = "local:nano"
TRAIN_SCENES = "fresh:train:n=600"


def kept(folder: Path, make: Callable[[Path], object]) -> Path:
    """Makes a folder unless it is there, and returns it.

    A folder gets its name when it is complete, so a stopped experiment can be continued.
    """
    if not folder.exists():
        part = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        make(part)
        part.rename(folder)
    return folder


def taught(work: Path, arm: Arm, seed: int) -> Path:
    """Runs `train` with its own settings for Nano and returns the folder of the model."""

    def train(out: Path) -> None:
        scenarios = [word for name in arm.trained for word in ("--scenario", name)]
        call_program(
            "train", "--model", BASE, "--data", TRAIN_SCENES, "--out", str(out), *scenarios,
            "--reward-suggestion", str(arm.reward), "--seed", str(seed), "--eval-limit", "0",
            *arm.options,
        )  # fmt: skip

    return kept(work / "models" / f"{arm.slug}-seed-{seed}", train)


def judged(work: Path, model: str, name: str) -> Samples:
    """Evaluates a model with `run`."""
    return samples_of(kept(work / "runs" / name, lambda out: play(model, TEST_SCENES, out)))


def experiment(work: Path, arms: Sequence[Arm], seeds: Sequence[int], cores: int) -> Outcome:
    """Evaluates the model before and after training. One training runs per core."""
    for name in ("models", "runs"):
        (work / name).mkdir(parents=True, exist_ok=True)
    before = judged(work, BASE, "before")

    def after(job: tuple[Arm, int]) -> Trained:
        arm, seed = job
        out = taught(work, arm, seed)
        return Trained(arm, seed, judged(work, f"local:{out}", out.name), out)

    with ThreadPoolExecutor(cores) as pool:
        return Outcome(before, list(pool.map(after, product(arms, seeds))))


def pack_model(model: Path, out: Path) -> None:
    """Copies a trained model without its journal and checkpoints, and writes its card anew."""
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(model, out, ignore=shutil.ignore_patterns("checkpoints", "*.lock"))
    write_card(out, read_manifest(out))
    (out / JOURNAL).unlink()


def main() -> None:
    """Runs the experiment in a temporary folder, or in `--work`, where it can be continued."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("results/learning"))
    parser.add_argument(
        "--work",
        type=Path,
        help="folder that keeps models and runs; the same command goes on after a stop",
    )
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each arm (3)")
    parser.add_argument(
        "--arms", type=int, default=len(ARMS), help=f"use the first N arms ({len(ARMS)})"
    )
    parser.add_argument("--cores", type=int, default=2, help="CPU cores to use (2)")
    chosen = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    with tempfile.TemporaryDirectory() as scratch:
        work = chosen.work or Path(scratch)
        outcome = experiment(work, ARMS[: chosen.arms], range(chosen.seeds), chosen.cores)
        write(chosen.out, outcome)
        pack_model(outcome.after[0].folder, work / "nano-asks")
    print((chosen.out / "README.md").read_text())


if __name__ == "__main__":
    main()
