"""Tests whether `train` teaches a model to ask, on two CPU cores.

    python -m benchmarks.learning [--out results/learning]

A small vision-language model is trained from scratch until it is reactive, like the paper's
models. `train` then teaches it to ask in two scenarios, with two rewards and several seeds. `run`
evaluates the models on these scenarios and on three unseen ones.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path
from typing import NamedTuple

from benchmarks.learning import scenes
from benchmarks.learning.evaluate import Samples, play, samples_of
from benchmarks.learning.outcome import Outcome, Trained, write

REWARDS = (0.5, 1.0)
EACH_BASE, EACH_TAUGHT, EACH_TEST = 200, 160, 12
"""Scenes per shape and scenario: for the base model, for `train`, for the test."""
NEARLY_ALL = 0.98
"""Share of the scenes that go into the train split."""
STEPS = 40
RECIPE = (
    "--learning-rate", "6e-3", "--lr-warm-up-steps", "5", "--lora-dropout", "0",
    "--lora-target", "q_proj", "--lora-target", "k_proj",
    "--lora-target", "v_proj", "--lora-target", "o_proj",
    "--device-batch-size", "512", "--max-tokens", "16", "--held-out", "0", "--eval-limit", "0",
    "--save-every", "0", "--device", "cpu",
)  # fmt: skip
"""Options of `train` that differ from its defaults, which are the paper's."""


class Place(NamedTuple):
    """Folders of the experiment."""

    base: Path
    taught: Path
    test: Path
    models: Path
    runs: Path


def kept(folder: Path, make: Callable[[Path], object]) -> Path:
    """Makes a folder unless it is there, and returns it.

    A folder gets its name when it is complete, so an experiment that was stopped can go on.
    """
    if not folder.exists():
        part = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        make(part)
        part.rename(folder)
    return folder


def prepared(work: Path) -> Place:
    """Builds the scenes and returns the folders."""
    place = Place(*(work / name for name in Place._fields))
    every = partial(scenes.build, kinds=scenes.SCENARIOS)
    trained = partial(scenes.build, kinds=scenes.TRAINED)
    kept(place.base, partial(every, each=EACH_BASE, seed=1, train_share=NEARLY_ALL))
    kept(place.taught, partial(trained, each=EACH_TAUGHT, seed=2, train_share=NEARLY_ALL))
    kept(place.test, partial(every, each=EACH_TEST, seed=3))
    return place


def reactive(place: Place, cores: int) -> Path:
    """Trains the reactive model and returns its folder."""
    return kept(
        place.models / "reactive",
        lambda out: _python(cores, "benchmarks.learning.reactive", place.base, out),
    )


def taught(place: Place, model: Path, seed: int, reward: float) -> Path:
    """Runs `train` and returns the folder of the model."""
    return kept(
        place.models / f"asking-{seed}-{reward}",
        lambda out: _python(
            1, "proactive_agent", "train", "--model", model, "--data", place.taught,
            "--out", out, "--reward-suggestion", reward, "--seed", seed,
            "--max-steps", STEPS, *RECIPE,
        ),
    )  # fmt: skip


def judged(place: Place, model: Path) -> Samples:
    """Evaluates a model with `run`."""
    options = "--max-tokens", "16", "--batch-size", "64"
    return samples_of(
        kept(place.runs / model.name, lambda out: play(f"local:{model}", place.test, out, *options))
    )


def experiment(place: Place, seeds: Sequence[int], rewards: Sequence[float], cores: int) -> Outcome:
    """Evaluates the model before and after training. One training runs per core."""
    model = reactive(place, cores)
    before = judged(place, model)

    def after(job: tuple[float, int]) -> Trained:
        reward, seed = job
        out = taught(place, model, seed, reward)
        return Trained(seed, reward, judged(place, out), out / "log.jsonl")

    with ThreadPoolExecutor(cores) as pool:
        return Outcome(before, list(pool.map(after, product(rewards, seeds))))


def _python(threads: int, module: str, *words: object) -> None:
    """Runs a module in a subprocess."""
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, "-m", module, *map(str, words)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")


def main() -> None:
    """Runs the experiment in a temporary folder, or in `--work`, where a stopped one goes on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("results/learning"))
    parser.add_argument(
        "--work",
        type=Path,
        help="folder that keeps scenes, models and runs; the same command goes on after a stop",
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--rewards",
        type=float,
        nargs="+",
        default=REWARDS,
        metavar="R_P",
        help="rewards of a valid suggestion",
    )
    parser.add_argument("--cores", type=int, default=2, help="CPU cores to use (2)")
    chosen = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    with tempfile.TemporaryDirectory() as scratch:
        place = prepared(chosen.work or Path(scratch))
        outcome = experiment(place, range(chosen.seeds), chosen.rewards, chosen.cores)
        write(chosen.out, outcome, recipe=f"--max-steps {STEPS} {' '.join(RECIPE)}")
    print((chosen.out / "README.md").read_text())


if __name__ == "__main__":
    main()
