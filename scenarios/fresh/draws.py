"""Draws the categories and the answer of each sample, independently of the picture.

Samples come in groups of four with the same four categories. Each category is the answer once, and
the answer has each position once. The order of the groups depends only on seed and scenario.
"""

import random
from functools import lru_cache
from typing import NamedTuple

from proactive_agent.scenarios.fresh.pack import Pack
from proactive_agent.scenarios.fresh.source import VERSION, FreshSource

CHOICES = 4


_ROWS = (0, 2, 3, 1)
"""Row of a Latin square for each answer. The rows are a permutation, and so is answer XOR row.
Therefore each category and each answer has each position once."""


class DrawnChoice(NamedTuple):
    """Categories and answer of a sample."""

    names: tuple[str, ...]
    """The four categories, in the order in which they are listed."""
    answer: int
    """Position of the answer."""
    unseen: bool
    """Whether the things of this sample never appear in a train share."""

    @property
    def name(self) -> str:
        """Name of the right category."""
        return self.names[self.answer]


class CategoryGroup(NamedTuple):
    """Four categories that are listed together."""

    names: tuple[str, ...]
    unseen: bool


def generator(source: FreshSource, scenario: str, *keys: object) -> random.Random:
    """Returns the random generator for one aspect of a seed."""
    words = (VERSION, source.seed, source.difficulty, scenario, *keys)
    return random.Random("/".join(map(str, words)))


def choice_of(pack: Pack, source: FreshSource, scenario: str, index: int) -> DrawnChoice:
    """Draws categories and answer of the sample with this index."""
    block, member = divmod(index, CHOICES)
    groups = groups_of(pack, source, scenario)
    cycle, number = divmod(block, len(groups))
    order = list(range(len(groups)))
    generator(source, scenario, "cycle", cycle).shuffle(order)
    group = groups[order[number]]
    rng = generator(source, scenario, "block", block)
    names = rng.sample(group.names, CHOICES)
    answer = rng.sample(range(CHOICES), CHOICES)[member]
    row = _ROWS[answer] ^ rng.randrange(CHOICES)
    listed = tuple(names[place ^ row] for place in range(CHOICES))
    return DrawnChoice(listed, answer ^ row, group.unseen)


def groups_of(pack: Pack, source: FreshSource, scenario: str) -> tuple[CategoryGroup, ...]:
    """Returns the groups from which a scenario draws its categories.

    With the difficulty `easy` the categories of a group are not similar to each other.
    """
    return _groups(pack, scenario, source.difficulty == "easy", source.things)


@lru_cache(maxsize=64)
def _groups(pack: Pack, scenario: str, mixed: bool, things: str) -> tuple[CategoryGroup, ...]:
    found = [
        group for group in _near_groups(pack, scenario)
        if things == "all" or group.unseen == (things == "unseen")
    ]  # fmt: skip
    return tuple(_mixed(found) if mixed else found)


def _near_groups(pack: Pack, scenario: str) -> list[CategoryGroup]:
    if scenario == "quickdraw":
        return [
            CategoryGroup(tuple(sketch.name for sketch in group.sketches), group.held_out)
            for group in pack.sketches
        ]
    return [
        CategoryGroup(tuple(thing.name for thing in group.things), group.held_out)
        for group in pack.groups
    ]


def _mixed(groups: list[CategoryGroup]) -> list[CategoryGroup]:
    """Returns the same number of groups, each with members from four different groups.

    Seen and unseen things are not mixed. With fewer than four groups they stay as they are.
    """
    found: list[CategoryGroup] = []
    for unseen in (False, True):
        part = [group for group in groups if group.unseen is unseen]
        if len(part) < CHOICES:
            found += part
            continue
        for number in range(len(part)):
            names = tuple(part[(number + i) % len(part)].names[i] for i in range(CHOICES))
            found.append(CategoryGroup(names, unseen))
    return found
