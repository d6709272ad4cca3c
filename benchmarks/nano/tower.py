"""First stage: the tower learns to recognise things, with a head that is thrown away.

Nearly half of a batch are cut-outs on rooms, at first large ones. The others are frames of scenes
that show enough. The head scores every cell of the picture and pools the cells by log-sum-exp, so a
small thing counts as much as a large one. One loss is over all things, another within the four
categories of the scene.
"""

import math
from collections import defaultdict
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from benchmarks.nano.model import TOWER_WIDTHS, features_of
from benchmarks.nano.scenes import SceneSet
from benchmarks.nano.sprites import SpriteMaker, recoloured, varied
from benchmarks.nano.stages import Draws, Stage, run_stage
from proactive_agent.scenarios.fresh.pack import load_pack

SPRITES = 0.45
"""Share of cut-outs in a batch."""
SMALLEST, FIRST_SMALLEST = 0.2, 0.75
"""Smallest size of a cut-out, and that at the start; it falls during the first fifth."""
BUSY = "coco"
"""Scenario whose frames show several things. They only have the loss within four categories."""


def labels_of_pack() -> list[str]:
    """Returns the names of all things and drawings that may be in a train split, sorted."""
    pack = load_pack()
    things = {t.name for group in pack.groups if not group.held_out for t in group.things}
    drawn = {s.name for group in pack.sketches if not group.held_out for s in group.sketches}
    return sorted(things | drawn)


class TowerWithHead(nn.Module):
    """The tower and a head with one logit per thing."""

    def __init__(self, tower: Any, labels: int) -> None:
        super().__init__()
        self.tower = tower
        self.norm = nn.LayerNorm(TOWER_WIDTHS[-1])
        self.head = nn.Linear(TOWER_WIDTHS[-1], labels)

    def forward(self, pictures: Any) -> Any:
        """Returns logits, (pictures, things). Pictures have values from 0 to 1."""
        with torch.autocast("cpu", torch.bfloat16):
            features = features_of(self.tower, pictures)
        cells = self.head(self.norm(features.float()))
        return cells.logsumexp(1) - math.log(cells.shape[1])


class ClearFrames:
    """The frames of a scene set that show enough, with labels."""

    def __init__(self, scenes: SceneSet, labels: list[str]) -> None:
        number = {label: i for i, label in enumerate(labels)}
        rows, things, fours, self.scenarios = [], [], [], []
        for walk in scenes.walks:
            names = sorted(walk.categories)
            for place, turn in enumerate(walk.turns):
                if walk.recognisable(turn):
                    rows.append(walk.first_picture + place)
                    things.append(number[walk.answer.removesuffix(".")])
                    fours.append([number[name.removesuffix(".")] for name in names])
                    self.scenarios.append(walk.scenario)
        self._pictures, self._rows = scenes.pictures, rows
        self.things, self.fours = torch.tensor(things), torch.tensor(fours)
        self.busy = torch.tensor([scenario == BUSY for scenario in self.scenarios])

    def __len__(self) -> int:
        return len(self._rows)

    def pictures(self, which: Any) -> Any:
        """Returns frames with values from 0 to 1: (frames, 3, side, side)."""
        return as_tensor(self._pictures[[self._rows[i] for i in which.tolist()]])


def as_tensor(pixels: Any) -> Any:
    """Turns pixels (pictures, side, side, 3) into values from 0 to 1: (pictures, 3, side, side)."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255


def train_tower(
    tower: Any, train: SceneSet, progress: SceneSet, stage: Stage, *, work: Path, seed: int
) -> None:
    """Trains the tower in place."""
    labels = labels_of_pack()
    torch.manual_seed(seed)
    module = TowerWithHead(tower, len(labels))
    frames, held_out = ClearFrames(train, labels), ClearFrames(progress, labels)
    sprites = SpriteMaker(labels, train.pictures.shape[1])

    def loss_of(stage: Stage, step: int, draws: Draws) -> Any:
        module.train()
        pasted = round(stage.batch * SPRITES)
        done = step / stage.steps
        least = max(SMALLEST, FIRST_SMALLEST - (FIRST_SMALLEST - SMALLEST) * done * 5)
        made, made_things, made_fours = sprites.batch(pasted, least, draws.torch)
        chosen = torch.randint(len(frames), (stage.batch - pasted,), generator=draws.torch)
        real = varied(frames.pictures(chosen), draws.torch)
        logits = module(torch.cat([recoloured(made, draws.torch), real]))
        things = torch.cat([made_things, frames.things[chosen]])
        fours = torch.cat([made_fours, frames.fours[chosen]])
        alone = ~torch.cat([torch.zeros(pasted, dtype=torch.bool), frames.busy[chosen]])
        among_all = functional.cross_entropy(logits[alone], things[alone], label_smoothing=0.05)
        right = (fours == things[:, None]).int().argmax(1)
        return among_all + functional.cross_entropy(logits.gather(1, fours), right)

    run_stage(stage, module, loss_of, lambda: four_way(module, held_out), work=work, seed=seed)


def four_way(module: TowerWithHead, frames: ClearFrames) -> dict[str, float]:
    """Returns the share of clear frames that are right within four categories, by scenario."""
    module.eval()
    right = defaultdict(list)
    numbers: Any = torch.arange(len(frames))
    for which in numbers.split(128):
        logits = module(frames.pictures(which)).gather(1, frames.fours[which])
        named = frames.fours[which].gather(1, logits.argmax(1, keepdim=True))[:, 0]
        for i, found in zip(which.tolist(), (named == frames.things[which]).tolist(), strict=True):
            right[frames.scenarios[i]].append(found)
    every = [found for one in right.values() for found in one]
    shares = {name: round(sum(found) / len(found), 2) for name, found in right.items()}
    return {"right": round(sum(every) / len(every), 3), **shares}
