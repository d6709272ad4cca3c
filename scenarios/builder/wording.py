"""All questions, suggestions and abstentions that the builder writes.

A suggestion contains exactly one keyword of its environment, which a test checks. If the published
code compares whole texts, the environment's constants are used.
"""

import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from proactive_agent.scenarios.changeit import REWIND_OPTION
from proactive_agent.scenarios.coco import (
    DOWN_OPTION,
    FARTHER_OPTION,
    LEFT_OPTION,
    RIGHT_OPTION,
    UP_OPTION,
)

QUESTIONS: Mapping[str, Sequence[str]] = {
    "rod": (
        "What is behind the {thing}?",
        "Which object stands behind the {thing}?",
        "Something is hidden by the {thing}. What is it?",
        "What do the {thing} hide from view?",
        "Name the object that the {thing} cover.",
        "Can you say what is placed behind the {thing}?",
    ),
    "vsod": (
        "What is the main object of this scene?",
        "Which object did the camera film here?",
        "What is being passed in this video?",
        "Name the object at the centre of the scene.",
        "What was the camera pointed at?",
        "Which thing does this clip show?",
    ),
    "mvp-n": (
        "What is this object?",
        "Which object is it?",
        "Name the object in the picture.",
        "What kind of object do you see?",
        "Can you tell which object this is?",
        "Which of these is the object?",
    ),
    "imagenet-c": (
        "What does this picture show?",
        "Which object is in the picture?",
        "What is the subject of this photo?",
        "Name what you see in this picture.",
        "What can be seen here?",
        "Which of these is in the photo?",
    ),
    "quickdraw": (
        "What is being drawn?",
        "Which object will this become?",
        "What does the sketch show?",
        "Name the thing in this doodle.",
        "What did the artist have in mind?",
        "Can you tell what these lines are meant to be?",
    ),
    "changeit": (
        "What is shown in this video?",
        "Which object is the video about?",
        "What is this clip about?",
        "Which of these appears in the video?",
        "What can be seen in this clip?",
        "Name the subject of the video.",
    ),
    "coco": (
        "What did the photographer want to show?",
        "What object is the photographer looking for?",
        "Which of these is in the scene?",
        "What is the object in this scene?",
        "Name the object that belongs to this scene.",
        "Which thing was photographed here?",
    ),
}

ABSTENTIONS = (
    "I cannot answer this question.",
    "I do not know.",
    "I cannot tell from this image.",
    "I do not have enough information to answer.",
    "This cannot be determined.",
    "I do not see enough to say.",
    "I cannot say for certain.",
    "I do not recognise it.",
)

BLOCKS = "blocks"
OBJECTS = "obstacles"
"""Names of the occluder: the drawn wall, or a picture of the user's own."""

SLIDE = (
    "Move the {thing} to the {side}.",
    "Slide the {thing} to the {side}.",
    "Push the {thing} to the {side}.",
    "Shift the {thing} a little to the {side}.",
    "Take the {thing} one step to the {side}.",
)

BUS = "bus"
PASSER = "view"
WAIT: Mapping[str, Sequence[str]] = {
    BUS: (
        "Wait for the bus to pass.",
        "Wait for the bus to drive on.",
        "Wait for the bus to leave the scene.",
        "Wait for the road to be clear.",
    ),
    PASSER: (
        "Wait for the view to be clear.",
        "Wait for the obstacle to pass.",
        "Wait for the occlusion to end.",
        "Wait for the scene to be visible again.",
    ),
}

ROTATE = (
    "Rotate the object.",
    "Rotate it a little further.",
    "Show the object from another angle.",
    "Show a different side of the object.",
    "Turn it to a new orientation.",
    "Take the picture from another angle.",
    "Change the viewing angle.",
    "Let me see another view.",
    "Present a different face of it.",
)

ENHANCE: Mapping[str, Sequence[str]] = {
    "brightness": (
        "Correct the brightness.",
        "Adjust the brightness of the picture.",
        "Bring the brightness back to normal.",
    ),
    "contrast": (
        "Correct the contrast.",
        "Adjust the contrast of the picture.",
        "Bring the contrast back to normal.",
    ),
    "saturation": (
        "Correct the saturation.",
        "Adjust the saturation of the picture.",
        "Bring the saturation back to normal.",
    ),
    "deblur": ("Deblur the picture.", "Deblur it.", "Deblur the image a little."),
    "denoise": ("Denoise the picture.", "Denoise it.", "Denoise the image a little."),
    "compression": (
        "Undo the compression.",
        "Repair the damage of the compression.",
        "Reduce the compression of the image.",
    ),
    "resolution": (
        "Increase the resolution.",
        "Raise the resolution of the picture.",
        "Restore the resolution of the image.",
    ),
    "artifacts": (
        "Remove the artifacts.",
        "Clean the picture of artifacts.",
        "Clear away the artifacts in the image.",
    ),
}
"""By family of corruption."""

DETAILS = (
    "Add more details.",
    "Add a few details to it.",
    "Continue the drawing.",
    "Go on with the drawing.",
    "Finish the sketch.",
    "Add strokes to the sketch.",
    "Draw some of the missing details.",
    "Show a later state of the drawing.",
)

APPEAR = (
    "Wait for the object to appear.",
    "Wait for the action to happen.",
    "Wait for the next part of the video.",
    "Wait for the video to show more.",
    "Wait for the relevant moment.",
)

MOVES: Mapping[str, str] = {
    "left": LEFT_OPTION,
    "right": RIGHT_OPTION,
    "up": UP_OPTION,
    "down": DOWN_OPTION,
    "zoom": FARTHER_OPTION,
}


class SampleTexts(NamedTuple):
    """The texts of a sample, without its categories."""

    question: str
    suggestions: tuple[str, ...]
    abstention: str


def texts_for(
    scenario: str,
    suggestions: Sequence[str],
    rng: random.Random,
    *,
    question: str | None = None,
    thing: str = "",
) -> SampleTexts:
    """Returns a sample's texts. Draws a question of the scenario unless one is given."""
    chosen = rng.choice(QUESTIONS[scenario]).format(thing=thing)
    return SampleTexts(question or chosen, tuple(suggestions), rng.choice(ABSTENTIONS))


def slide_suggestions(thing: str, rng: random.Random) -> tuple[str, str]:
    """Returns the suggestions for both sides, in one wording."""
    wording = rng.choice(SLIDE)
    return wording.format(thing=thing, side="left"), wording.format(thing=thing, side="right")


def wait_suggestions(thing: str, rng: random.Random) -> tuple[str, str]:
    """Returns the suggestions to rewind, and to wait for `thing` (a key of `WAIT`)."""
    return REWIND_OPTION, rng.choice(WAIT[thing])


def appear_suggestions(rng: random.Random) -> tuple[str, str]:
    """Returns the suggestions to rewind, and to wait for the object or action."""
    return REWIND_OPTION, rng.choice(APPEAR)


def rotate_suggestions(rng: random.Random) -> tuple[str]:
    """Returns a suggestion to show another view."""
    return (rng.choice(ROTATE),)


def details_suggestions(rng: random.Random) -> tuple[str]:
    """Returns a suggestion to continue the drawing."""
    return (rng.choice(DETAILS),)


def move_suggestions(direction: str) -> tuple[str, ...]:
    """Returns the camera moves of a COCO direction such as `up_left` or `zoom`."""
    return tuple(MOVES[part] for part in direction.split("_"))


def enhance_suggestions(family: str, rng: random.Random) -> tuple[str, ...]:
    """Returns four enhancements. The first one repairs the family of corruption."""
    others = rng.sample([name for name in ENHANCE if name != family], 3)
    return tuple(rng.choice(ENHANCE[name]) for name in (family, *others))
