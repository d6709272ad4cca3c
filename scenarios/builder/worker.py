"""The task of a worker process: builds, checks and writes all samples of one item."""

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
    """The settings for all items of a scenario. Sent to every worker once."""

    scenario: str
    root: Path
    """Folder to which the items' paths are relative."""
    test: Path
    """Folder for the frames."""
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
    """The result of building an item."""

    lines: list[bytes]
    """Lines of the data file."""
    rows: list[TrainRow]
    """Rows of the train split."""
    skipped: str | None = None
    """The reason why not all samples could be built, or None."""


def is_for_training(key: str, seed: int, share: float) -> bool:
    """Returns whether an item belongs to the train split.

    This depends only on the item's key and the seed, so all samples of a picture, in all scenarios,
    are in the same split. About `share` of many items are for training.
    """
    digest = hashlib.sha256(f"{seed}/{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def build_item(job: BuildJob, task: ItemTask) -> ItemResult:
    """Builds the samples of an item and writes the frames of the test split."""
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
