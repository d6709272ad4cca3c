"""The questions and suggestions of the suite, where the builder's own would say less than is known.

Half of the questions name the kind of thing that is asked for; the wrong categories are of the same
kind, so that tells nothing.
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
    """A question of the scenario about a thing of that kind."""
    # "Which flowers is …" would be no English.
    of_a_kind = rng.random() < 0.5 and not kind.endswith("s")
    templates = _OF_A_KIND[scenario] if of_a_kind else QUESTIONS[scenario]
    return rng.choice(templates).format(kind=kind, thing=thing)


def wait_for_passer(passer: str) -> tuple[str, str]:
    """Rewind, and wait until what passes is gone."""
    return REWIND_OPTION, _WAIT[passer]


def wait_for_reveal(reveal: str, rng: random.Random) -> tuple[str, str]:
    """Rewind, and wait for what shows the object."""
    return REWIND_OPTION, rng.choice(_APPEAR[reveal])
