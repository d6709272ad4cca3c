"""Texts of the suite: without the pictures, every answer is equally likely.

`groups.tsv` puts the episodes into groups of four. The four objects of a group are the categories
of all its episodes, so that each category is the answer once. In a group, each category has each
place once, and the answer has each place once. Therefore the categories and their order tell
nothing about the answer. In imagenet-c, the wrong enhancements are drawn from the right ones of all
episodes.

    python scenarios/suite_build/texts.py scenarios/suite

writes the texts of a built suite again. Its frames stay. `make.py` calls the same function.
"""

import argparse
import csv
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE)]

import words  # noqa: E402

from proactive_agent.scenarios import SCENARIOS  # noqa: E402
from proactive_agent.scenarios.builder.categories import COUNT, category  # noqa: E402
from proactive_agent.scenarios.builder.wording import (  # noqa: E402
    ABSTENTIONS,
    BLOCKS,
    ENHANCE,
)
from proactive_agent.scenarios.changeit import REWIND_OPTION  # noqa: E402

SEED = 20261125

Member: TypeAlias = tuple[str, str]
"""Scenario and label of an episode. A scenario shows each label once."""
Fields: TypeAlias = dict[str, Any]
"""A line of a data file."""


class EpisodeGroup(NamedTuple):
    """Four episodes with the same categories."""

    kind: str
    """What all four objects are, for the questions; empty if they have no such word."""
    members: tuple[Member, ...]

    @property
    def labels(self) -> list[str]:
        """The labels of its objects."""
        return [label for _, label in self.members]


@cache
def groups() -> tuple[EpisodeGroup, ...]:
    """Returns the groups of `groups.tsv`. Raises ValueError if the table is not balanced."""
    with (HERE / "groups.tsv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file, delimiter="\t"))[1:]
    found = tuple(EpisodeGroup(row[0], tuple(_member(cell) for cell in row[1:])) for row in rows)
    for group in found:
        if len(set(group.labels)) != COUNT or len(group.members) != COUNT:
            raise ValueError(f"groups.tsv: expected {COUNT} different labels: {group.members}")
    for member, count in Counter(m for group in found for m in group.members).items():
        if count > 1:
            raise ValueError(f"groups.tsv: {':'.join(member)} is in {count} groups")
    return found


def _member(cell: str) -> Member:
    scenario, label = cell.split(":")
    return scenario, label


@cache
def group_of(scenario: str, label: str) -> EpisodeGroup | None:
    """Returns the group of an episode, or None if it is in no group."""
    return next((group for group in groups() if (scenario, label) in group.members), None)


def rewrite(folder: Path) -> None:
    """Writes categories, questions and options of all samples in a suite's folder.

    The result depends only on `groups.tsv` and on the frames and suggestions of the samples.
    """
    orders = _category_orders()
    for name, environment in SCENARIOS.items():
        file = folder / f"{environment.stem}_preprocessed.jsonl"
        samples = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
        labels = [sample["answer"].removesuffix(".") for sample in samples]
        wanted = {
            label for group in groups() for scenario, label in group.members if scenario == name
        }
        if differing := set(labels) ^ wanted:
            raise ValueError(f"{name}: groups.tsv and the episodes differ in {sorted(differing)}")
        suggestions = list(_suggestions(name, samples))
        places = _balanced(f"{SEED}/{name}", [len(offered) + 1 for offered in suggestions])
        for sample, label, offered, place in zip(samples, labels, suggestions, places, strict=True):
            rng = random.Random(f"{SEED}/{name}/{label}")
            group = group_of(name, label)
            assert group is not None
            abstention = rng.choice(ABSTENTIONS)
            sample["prompt"] = words.question(name, group.kind, BLOCKS, rng)
            sample["options"] = _options(name, sample, offered, abstention, place, rng)
            sample["categories"] = [category(text, label) for text in orders[name, label]]
        file.write_text(
            "".join(json.dumps(sample, ensure_ascii=False) + "\n" for sample in samples), "utf-8"
        )


def _category_orders() -> dict[Member, list[str]]:
    """Returns the order of the categories by episode.

    Each group has a random Latin square with four different places of the answer on its diagonal.
    """
    rng = random.Random(SEED)
    orders: dict[Member, list[str]] = {}
    for group in groups():
        order, places = (rng.sample(range(COUNT), COUNT) for _ in range(2))
        square = _square(rng.choice((2, 3)), order, places)
        for row, member in zip(square, group.members, strict=True):
            placed = dict(zip(row, group.labels, strict=True))
            orders[member] = [placed[place] for place in range(COUNT)]
    return orders


def _square(factor: int, order: Sequence[int], places: Sequence[int]) -> list[list[int]]:
    """Returns the place of each label (column) in each episode (row).

    `factor * row + column` over the field of four elements is a Latin square. Its diagonal holds
    four different values unless the factor is 0 or 1.
    """
    return [[places[_times(factor, row) ^ column] for column in order] for row in order]


def _times(left: int, right: int) -> int:
    """Multiplies in the field of four elements."""
    return 0 if not left or not right else (left + right - 2) % 3 + 1


def _balanced(seed: str, sizes: Sequence[int]) -> list[int]:
    """Returns a place below each size. Samples of one size use all places equally often."""
    rng = random.Random(seed)
    stock: dict[int, list[int]] = {}
    for size in sorted(set(sizes)):
        stock[size] = [number % size for number in range(sizes.count(size))]
        rng.shuffle(stock[size])
    return [stock[size].pop() for size in sizes]


def _options(
    scenario: str,
    sample: Fields,
    offered: Sequence[str],
    abstention: str,
    place: int,
    rng: random.Random,
) -> list[str]:
    """Returns the options with the only right suggestion, else the abstention, at `place`."""
    right = {"imagenet-c": lambda: sample["quality_answer"], "changeit": lambda: _seek(sample)}
    key = right[scenario]() if scenario in right else abstention
    others = sorted({*offered, abstention} - {key})
    rng.shuffle(others)
    others.insert(place, key)
    return others


def _seek(sample: Fields) -> str:
    """Returns the suggestion that leads to the informative part of a video."""
    back = sample["reference_image"] < sample["first_image"]
    found: str = next(text for text in sample["options"] if (text == REWIND_OPTION) is back
                      and text not in ABSTENTIONS)  # fmt: skip
    return found


def _suggestions(scenario: str, samples: Sequence[Fields]) -> Iterator[list[str]]:
    if scenario != "imagenet-c":
        for sample in samples:
            yield [text for text in sample["options"] if text not in ABSTENTIONS]
        return
    right = [_family(sample["quality_answer"]) for sample in samples]
    for sample, families in zip(samples, _wrong_families(right), strict=True):
        rng = random.Random(f"{SEED}/{scenario}/{sample['answer']}/enhancements")
        yield [sample["quality_answer"], *(rng.choice(ENHANCE[name]) for name in families)]


def _family(enhancement: str) -> str:
    return next(name for name, texts in ENHANCE.items() if enhancement in texts)


def _wrong_families(right: Sequence[str]) -> Iterator[list[str]]:
    """Yields three wrong families per sample, drawn in proportion to how often they are right.

    So no family is right particularly often when it is offered.
    """
    rng = random.Random(f"{SEED}/enhancements")
    for own in right:
        chosen: list[str] = []
        while len(chosen) < COUNT - 1:
            drawn = rng.choice(right)
            if drawn not in (own, *chosen):
                chosen.append(drawn)
        yield chosen


def main() -> None:
    """Writes the texts of a suite again."""
    parser = argparse.ArgumentParser(description="Writes the texts of a built suite again.")
    parser.add_argument("suite", type=Path)
    rewrite(parser.parse_args().suite)


if __name__ == "__main__":
    main()
