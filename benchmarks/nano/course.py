"""The course of the training: scenes, eight stages, evaluation, model folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from benchmarks.nano.examples import texts_of
from benchmarks.nano.language import LanguageTrainer
from benchmarks.nano.model import build_model, build_processor
from benchmarks.nano.outcome import judged, write_figures
from benchmarks.nano.scenes import CROPPED, PROGRESS_SEED, TRAINING_SEEDS, collect
from benchmarks.nano.stages import Stage
from benchmarks.nano.tower import train_tower
from proactive_agent.providers import ProviderOptions
from proactive_agent.providers.local.provider import Local

SCENES, PROGRESS_SCENES, TEST_SCENES = 1720, 60, 60
"""Scenes of each scenario: to train on, to measure progress on, for the evaluation."""
TOWER = Stage("tower", steps=3000, batch=64, rate=1.5e-3, decay=0.05)
FIRST_ROUND = (
    Stage("naming", steps=400, batch=128, rate=2e-3),
    Stage("mcqa", steps=900, batch=64, rate=1.5e-3),
    Stage("tools", steps=1600, batch=48, rate=1e-3),
    Stage("asking", steps=400, batch=48, rate=1e-3),
    Stage("habit", steps=160, batch=48, rate=5e-4),
)
"""Stages in which only the language model learns. Tuning all weights afterwards did not help."""
SECOND_ROUND = (
    Stage("asking-2", steps=800, batch=48, rate=1e-3),
    Stage("habit-2", steps=400, batch=48, rate=5e-4),
)
"""Stages in which it learns to ask until a frame shows most of the thing."""
BATCH = 64
"""Requests in a batch of the evaluation."""


def teach(work: Path, recipe: Mapping[str, Any]) -> None:
    """Trains and evaluates a model with the recipe of `__main__`."""
    seed, cores, scale, side = (recipe[name] for name in ("seed", "cores", "scale", "side"))
    torch.set_num_threads(cores)
    how = {"size": recipe["frame_size"], "side": side, "cores": cores}
    train = collect(work / "scenes", TRAINING_SEEDS, _scenes(SCENES, scale), **how)
    clear = collect(
        work / "scenes",
        TRAINING_SEEDS,
        _scenes(SCENES, scale),
        scenarios=[CROPPED],
        condition="clear",
        **how,
    )
    progress = collect(work / "progress", [PROGRESS_SEED], _scenes(PROGRESS_SCENES, scale), **how)
    processor = build_processor(texts_of(train.walks), side)
    model = build_model(processor, side, seed)
    print(f"model: {model.num_parameters():,} parameters", flush=True)

    stages = work / "stages"
    # On CPUs, convolutions in this layout are faster.
    tower = model.model.vision_tower.to(memory_format=torch.channels_last)
    train_tower(tower, train, progress, _scaled(TOWER, scale), work=stages, seed=seed)
    trainer = LanguageTrainer(model, processor, train, clear, progress, stages, seed)
    trainer.train_language([_scaled(stage, scale) for stage in FIRST_ROUND])
    # The first round once ended here, with a model in half precision. The second began with it.
    model.half().float()
    trainer.train_language([_scaled(stage, scale) for stage in SECOND_ROUND])

    out = work / "model"
    parameters = model.num_parameters()
    model.eval().half().to(memory_format=torch.contiguous_format).save_pretrained(out)
    processor.save_pretrained(out)
    # Processors are slow in half precision.
    local = Local.create(str(out), ProviderOptions(dtype="float32", batch_size=BATCH))
    runs = judged(
        local,
        work / "runs",
        samples=_scenes(TEST_SCENES, scale),
        size=recipe["frame_size"],
        suite_limit=None if scale >= 1 else 1,
    )
    write_figures(work, out, recipe, parameters, runs)
    print((out / "README.md").read_text(), flush=True)


def _scenes(number: int, scale: float) -> int:
    return max(round(number * scale), 1)


def _scaled(stage: Stage, scale: float) -> Stage:
    return stage._replace(steps=max(round(stage.steps * scale), 1))
