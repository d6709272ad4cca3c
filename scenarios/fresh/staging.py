"""Composes a room and the things in it, from back to front."""

import random
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from proactive_agent.scenarios.fresh.laying import Actor, Spot, fitted
from proactive_agent.scenarios.fresh.pack import Pack, Thing, View
from proactive_agent.scenarios.fresh.place import THOUSAND, SceneRoom, light_of
from proactive_agent.scenarios.fresh.raster import Pixels, divided_by_255
from proactive_agent.scenarios.fresh.source import Difficulty, FreshSource

CLUTTER: dict[Difficulty, tuple[int, int]] = {"easy": (0, 0), "normal": (0, 1), "hard": (1, 2)}
"""Least and most other things on the table."""


class Part(NamedTuple):
    """A thing and its place in the frame."""

    actor: Actor
    spot: Spot
    asked: bool = False
    """Whether the question is about this thing."""


class Composed(NamedTuple):
    """A composed scene."""

    picture: Pixels
    """Ungraded."""
    mask: Pixels
    """Opacity of the thing in question, where nothing is in front of it."""


def compose(pack: Pack, place: SceneRoom, side: int, parts: Sequence[Part]) -> Composed:
    """Puts the parts into a room, those with a higher foot first."""
    picture = place.picture(side)
    light = light_of(picture)
    mask = np.zeros((side, side), np.uint8)
    for part in sorted(parts, key=lambda one: one.spot.foot):
        opacity = part.actor.lay(pack, picture, light, part.spot, place.sun)
        if part.asked:
            mask = opacity
        elif mask.any():
            mask = divided_by_255(mask * (255 - opacity.astype(np.uint16)))
    return Composed(picture, mask)


def main_view(thing: Thing, rng: random.Random) -> View:
    """Draws a view that shows what the thing is."""
    # The model comes first, so that a model with more views is not drawn more often.
    model = rng.choice(thing.models)
    return rng.choice(model.views)


def unrelated_things(
    pack: Pack, names: Sequence[str], rng: random.Random, count: int, *, unseen: bool
) -> list[Thing]:
    """Draws things of groups that contain none of these names.

    Scenes of things that may be in a train share contain no held-out things.
    """
    groups = [
        group for group in pack.groups
        if not {thing.name for thing in group.things} & {*names}
        and group.held_out is unseen
    ]  # fmt: skip
    return [rng.choice(group.things) for group in rng.sample(groups, min(count, len(groups)))]


def clutter(
    pack: Pack,
    source: FreshSource,
    names: Sequence[str],
    rng: random.Random,
    free: Sequence[tuple[int, int]],
    feet: tuple[int, int],
    *,
    unseen: bool,
) -> list[Part]:
    """Draws small things in the free columns of a frame, at most one in each.

    `free` and `feet` are ranges in thousandths of the frame's side.
    """
    side = source.size
    count = rng.randint(*CLUTTER[source.difficulty])
    places = rng.sample(list(free), len(free))
    parts = []
    others = unrelated_things(pack, names, rng, len(places), unseen=unseen)
    for (start, end), thing in list(zip(places, others, strict=False))[:count]:
        view = main_view(thing, rng)
        actor = Actor(thing, view, rng)
        wide = min(end - start, rng.randint(150, 230)) * side // THOUSAND
        tall = rng.randint(150, 230) * side // THOUSAND
        width, height = fitted(view, wide, tall)
        middle = rng.randint(start, end) * side // THOUSAND
        foot = rng.randint(*feet) * side // THOUSAND
        parts.append(Part(actor, Spot(middle, foot, width, height)))
    return parts
