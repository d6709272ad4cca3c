"""What a worker process does: all samples of one item, written and checked."""

import hashlib
import random
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from proactive_agent.scenarios.builder.categories import Categories, category
from proactive_agent.scenarios.builder.items import Item, SkipError
from proactive_agent.scenarios.builder.recipe import Appearance
from proactive_agent.scenarios.builder.recipes import RECIPES
from proactive_agent.scenarios.builder.training import TrainRow, rows_of
from proactive_agent.scenarios.builder.writer import make_sample


@dataclass(frozen=True)
class BuildJob:
    """What a scenario's items are made into.  Sent to every worker once."""

    scenario: str
    root: Path
    """Where the items' paths start."""
    test: Path
    """Where the frames go."""
    look: Appearance
    categories: Categories
    seed: int
    quality: int
    train_share: float


class ItemTask(NamedTuple):
    """An item and the number of its first sample."""

    number: int
    item: Item


class ItemResult(NamedTuple):
    """What became of an item."""

    lines: list[bytes]
    """Of the data file."""
    rows: list[TrainRow]
    """Of the train split."""
    skipped: str | None = None
    """Why nothing, or not everything, was made of it."""


def is_for_training(key: str, seed: int, share: float) -> bool:
    """Whether a source is in the train split.

    It depends on the source's key alone: all samples of a picture, in all scenarios, are on the
    same side.  Of many sources about `share` are for training.
    """
    digest = hashlib.sha256(f"{seed}/{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def build_item(job: BuildJob, task: ItemTask) -> ItemResult:
    """Makes the samples of an item; those for the test split are written into the job's folder."""
    lines: list[bytes] = []
    rows: list[TrainRow] = []
    number, item = task
    train = is_for_training(item.key, job.seed, job.train_share)
    seed = f"{job.seed}/{job.scenario}/{item.identity}"
    answer = category(item.label, item.place)
    try:
        drafts = RECIPES[job.scenario].make(job.root, item, job.look, seed)
        for variant, (built, texts) in enumerate(drafts):
            rng = random.Random(f"{seed}/{variant}/texts")
            categories = job.categories.choose(answer, rng)
            made = make_sample(
                job.scenario, number + variant, built, texts, categories, answer, rng,
                quality=job.quality,
            )  # fmt: skip
            if train:
                rows += rows_of(job.scenario, made.sample, made.frames, job.quality)
            else:
                made.write_frames(job.test)
                lines.append(made.line)
    except SkipError as error:
        return ItemResult(lines, rows, f"{item.place}: {error}")
    return ItemResult(lines, rows)
