"""Questions and suggestions of the suite that are more specific than the builder's own.

Half of the questions of a group name the kind of object, if all four categories are of one kind.
"""

import random
from collections.abc import Mapping, Sequence

from proactive_agent.scenarios.builder.wording import QUESTIONS
from proactive_agent.scenarios.changeit import REWIND_OPTION

_OF_A_KIND: Mapping[str, Sequence[str]] = {
    "rod": ("Which {kind} is behind the {thing}?", "Which {kind} do the {thing} hide?"),
    "vsod": ("Which {kind} stands here?", "Which {kind} is this clip about?"),
    "mvp-n": ("Which {kind} is this?", "What kind of {kind} is on the table?"),
    "imagenet-c": ("Which {kind} is in the picture?", "What {kind} does this photo show?"),
    "quickdraw": ("Which {kind} is being drawn?", "What {kind} will this drawing show?"),
    "changeit": ("Which {kind} appears in this video?", "What {kind} is shown in this clip?"),
    "coco": ("Which {kind} can be found in this room?", "What {kind} is there in this room?"),
}

_WAIT: Mapping[str, str] = {
    "armoire": "Wait for the cupboard to be moved away.",
    "city_bus": "Wait for the bus to pass.",
    "coach": "Wait for the coach to drive on.",
    "container": "Wait for the container to be pulled away.",
    "folding_screen": "Wait for the screen to be carried off.",
    "garden_hut": "Wait for the hut to be taken away.",
    "hedge": "Wait for the hedge to go by.",
    "wardrobe": "Wait for the wardrobe to be pushed on.",
}

_APPEAR: Mapping[str, Sequence[str]] = {
    "box": ("Wait for the box to be opened.", "Wait for the object to be taken out."),
    "curtain": ("Wait for the curtain to open.", "Wait for the curtain to be drawn."),
    "door": ("Wait for the door to open.", "Wait for the doors to slide apart."),
    "lid": ("Wait for the lid to be lifted.", "Wait for the object to be uncovered."),
    "push": ("Wait for the object to appear.", "Wait for the object to be pushed in."),
}


def question(scenario: str, kind: str, thing: str, rng: random.Random) -> str:
    """Returns a question of the scenario; `kind` is empty if the objects have no common kind."""
    of_a_kind = rng.random() < 0.5 and kind != ""
    templates = _OF_A_KIND[scenario] if of_a_kind else QUESTIONS[scenario]
    return rng.choice(templates).format(kind=kind, thing=thing)


def wait_for_passer(passer: str) -> tuple[str, str]:
    """Returns the suggestions to rewind, and to wait until the passer is gone."""
    return REWIND_OPTION, _WAIT[passer]


def wait_for_reveal(reveal: str, rng: random.Random) -> tuple[str, str]:
    """Returns the suggestions to rewind, and to wait until the object is revealed."""
    return REWIND_OPTION, rng.choice(_APPEAR[reveal])
