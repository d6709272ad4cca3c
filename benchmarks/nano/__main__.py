"""Trains the base of Nano from scratch and evaluates it, on two CPU cores.

    python -m benchmarks.nano --work DIR [--cores N] [--scale X] [--side 96]

DIR gets the scenes, a checkpoint per stage, the runs of the evaluation, `figures.json` and the
model (`DIR/model`, which `local:DIR/model` loads). The same command goes on after a stop. The same
seed and number of cores give the same figures. `--scale 0.1` makes a tenth of the scenes and steps.

Minutes on two cores with pictures of 96 pixels, measured with other work on the machine:

| stage    | what learns                                               | steps | minutes |
| -------- | --------------------------------------------------------- | ----- | ------- |
| scenes   | nothing: 12,040 scenes are rendered                       |       | 10      |
| tower    | the tower, with a head over all things                    | 3,000 | 13      |
| naming   | the language model: pictures without a question           | 400   | 3       |
| mcqa     | the language model: multiple choice                       | 900   | 10      |
| tools    | the language model: `mcqa` and `tools`, up to three turns | 1,600 | 29      |
| asking   | the language model: to ask                                | 400   | 5       |
| habit    | the language model: to ask rarely                         | 160   | 3       |
| asking-2 | the language model: to ask what helps, on any such frame  | 800   | 10      |
| habit-2  | the language model: to ask rarely                         | 400   | 5       |
| runs     | nothing: 18 runs of `evaluate`                            |       | 8       |
"""

import argparse
import hashlib
import json
import os
from pathlib import Path

FRAME_SIZE = 448
"""Side of a frame before the image processor shrinks it, in pixels; that of `fresh:SEED`."""


def main(words: list[str] | None = None) -> None:
    """Runs all stages."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True, metavar="DIR", help="folder to work in")
    parser.add_argument("--cores", type=int, default=2, help="CPU cores to use (2)")
    parser.add_argument("--scale", type=float, default=1.0, help="share of scenes and steps (1)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the training (0)")
    parser.add_argument(
        "--side", type=int, default=96, help="side of a picture of the model, in pixels (96)"
    )
    parser.add_argument(
        "--frame-size",
        type=int,
        default=FRAME_SIZE,
        help=f"side of a frame before the model shrinks it, in pixels ({FRAME_SIZE})",
    )
    chosen = parser.parse_args(words)
    if chosen.side % 16:
        parser.error(f"--side {chosen.side}: expected a multiple of 16")
    if not 0 < chosen.scale <= 1:
        parser.error(f"--scale {chosen.scale}: expected a number above 0, up to 1")
    os.environ |= {"HF_HUB_OFFLINE": "1"}
    recipe: dict[str, int | float | str] = {
        "seed": chosen.seed,
        "cores": chosen.cores,
        "scale": chosen.scale,
        "side": chosen.side,
        "frame_size": chosen.frame_size,
        "generator": generator_of(chosen.frame_size),
    }
    begin(chosen.work, recipe)
    from benchmarks.nano.course import teach

    teach(chosen.work, recipe)


def generator_of(frame_size: int) -> str:
    """Returns the generator of the scenes, and a hash of samples that shows whether it changed."""
    from proactive_agent.scenarios.fresh.data import FreshData
    from proactive_agent.scenarios.fresh.source import FreshSource

    data = FreshData(FreshSource(0, things="seen", samples=8, size=frame_size))
    samples = "".join(data.scan(scenario).sha256 for scenario in data.scenarios())
    return f"{data.generator}, samples {hashlib.sha256(samples.encode()).hexdigest()[:16]}"


def begin(work: Path, recipe: dict[str, int | float | str]) -> None:
    """Writes the recipe to `recipe.json`. Raises SystemExit if the folder has another one."""
    work.mkdir(parents=True, exist_ok=True)
    file = work / "recipe.json"
    if not file.exists():
        file.write_text(json.dumps(recipe) + "\n")
    elif (was := json.loads(file.read_text())) != recipe:
        raise SystemExit(f"{work} was begun with {was}, not {recipe}; name another --work")


if __name__ == "__main__":
    main()
