"""Random samples and replies for the differential test, both ordinary and extreme."""

import random
from collections.abc import Callable
from typing import Any

from proactive_agent.providers import Choice

ABSTENTIONS = (
    "I cannot answer.",
    "I do not know.",
    "It CANNOT be told from this image.",
    "The picture does not help, so I Do Not answer.",
    "That cannot be said",
)
CATEGORIES = (
    "Apple.", "Pear.", "Coffee cup.", "Cup.", "Saucepan", "Fire truck.", "Truck.", "Dog.",
    "dog", "Great Dane.", "Ibis.", "İbis.", "Straße.", "Rock 'n' roll.", "Plan B.", "TV.",
    "Vitamin C. tablet.", "A", "b.", "T-shirt.", "Move.", "7.", "I.", "K", "red  apple.",
    "Left.", "Cat", "two\nlines.", "tab\tbed.",
)  # fmt: skip
ROD_LEFT = ("Move the blocks to the left.", "Push it to the left", "Slide the screen to the LEFT.")
ROD_RIGHT = ("Move the blocks to the right.", "Take it To The Right.")
WAIT = ("Wait for the occlusion to disappear.", "Wait for the object to appear.", "Wait for the")
ROTATE = (
    "Rotate the object.", "Change the view.", "Show another angle.", "Change its orientation.",
    "Show a different side.", "Rotate to a different view angle",
)  # fmt: skip
ENHANCE = {
    "brightness": "Adjust the brightness.", "contrast": "Change contrast.",
    "saturation": "Correct the saturation.", "deblur": "Deblur it.", "denoise": "Denoise.",
    "compression": "Undo compression", "resolution": "Raise the resolution.",
    "artifacts": "Remove artifacts.",
}  # fmt: skip
DETAILS = ("Add details.", "Finish the drawing.", "Improve the quickdraw", "Go on with the sketch.")
MOVES = {
    "left": "Move the camera to the left.", "right": "Move the camera to the right.",
    "up": "Move the camera up.", "down": "Move the camera down.",
}  # fmt: skip
FARTHER = "Move farther from the object."
DIRECTIONS = (
    "left", "right", "up", "down", "up_left", "left_up", "up_right", "down_left", "down_right",
    "right_down", "zoom", "zoom", "zoom",
)  # fmt: skip

Fields = dict[str, Any]


def random_sample(stem: str, number: int, rng: random.Random) -> Fields:
    """Returns the fields of a valid sample."""
    categories = rng.sample(CATEGORIES, rng.choice((2, 4, 4, 4, 5)))
    sample: Fields = {
        "id": number,
        "prompt": rng.choice(
            ("What is this?", "Name the object:", "Wo ist der Hut?\nUnd der Ball")
        ),
        "categories": categories,
        "answer": rng.choice(categories),
    }
    sample.update(_OF_STEM[stem](rng))
    sample["options"] = [*sample["options"], rng.choice(ABSTENTIONS)]
    rng.shuffle(sample["options"])
    return sample


def _rod(rng: random.Random) -> Fields:
    frames = rng.choice((14, 14, 14, 1, 2, 3))
    corrupt = "rod/natural_bluebl_greenr-banana-s{image}.png"
    template = corrupt if rng.random() < 0.3 else f"rod/s{rng.randrange(99)}" + "/{image}.png"
    options = [rng.choice(ROD_LEFT), rng.choice(ROD_RIGHT)]
    return _frames(template, frames, rng) | {"options": options}


def _vsod(rng: random.Random) -> Fields:
    frames = rng.choice((1, 2, 3, 9, 230))
    options = ["Rewind the video.", rng.choice(WAIT)]
    fields = _frames("vsod/{image}.jpg", frames, rng)
    return fields | {"options": options, "strong_occlusions": rng.random() < 0.8}


def _mvp_n(rng: random.Random) -> Fields:
    views = rng.sample(range(40), rng.randint(1, 6))
    return {
        "image_template": "mvp/{informative}/v{image}.png",
        "first_image": views[0],
        "num_images": len(views),
        "reference_image": views[-1],
        "valid_images": views,
        "options": rng.sample(ROTATE, rng.randint(1, 3)),
    }


def _imagenet_c(rng: random.Random) -> Fields:
    severities = rng.choice((5, 5, 5, 5, 3, 1))
    offered = rng.sample(list(ENHANCE.values()), 4)
    return {
        "image_template": "inc/{level}/x.jpeg",
        "first_image": severities,
        "num_images": severities,
        "reference_image": rng.choice((1, 0)),
        "quality_answer": rng.choice(offered),
        "options": offered,
    }


def _quickdraw(rng: random.Random) -> Fields:
    strokes = rng.randint(1, 12)
    fields = _frames("qd/{image}.png", strokes, rng) | {"first_image": 0}
    return fields | {"options": rng.sample(DETAILS, rng.randint(1, 3))}


def _changeit(rng: random.Random) -> Fields:
    fields = _frames("cit/{image}.jpg", rng.choice((1, 2, 5, 20, 20, 40)), rng)
    return fields | {
        "step_size": rng.randint(1, 7),
        "max_steps": rng.randint(1, 12),
        "options": ["Rewind the video.", rng.choice(WAIT)],
    }


def _coco(rng: random.Random) -> Fields:
    direction = rng.choice(DIRECTIONS)
    options = [FARTHER] if direction == "zoom" else [MOVES[p] for p in direction.split("_")]
    if direction != "zoom" and rng.random() < 0.2:
        options = list(MOVES.values())
    horizontal, vertical = _step(rng), _step(rng)
    if rng.random() < 0.5:
        vertical = horizontal
    return {
        "image_template": rng.choice(("coco/1.jpg", "coco/{odd}.jpg", "coco/a b%20.jpg")),
        "first_image": 0,
        "num_images": 1,
        "reference_image": 0,
        "direction": direction,
        "granularity": rng.randint(1, 6),
        "horizontal_step": horizontal,
        "vertical_step": vertical,
        "crop": {edge: _step(rng) for edge in ("top", "left", "height", "width")},
        "options": options,
    }


def _step(rng: random.Random) -> float:
    return rng.choice((rng.randint(1, 90), rng.uniform(0.01, 90), 0.1, 1 / 3, 33.3, 7, 0))


def _frames(template: str, frames: int, rng: random.Random) -> Fields:
    return {
        "image_template": template,
        "num_images": frames,
        "first_image": rng.choice((0, frames - 1, rng.randrange(frames))),
        "reference_image": rng.randrange(frames),
    }


_OF_STEM: dict[str, Callable[[random.Random], Fields]] = {
    "Realistic-Occlusion-Dataset": _rod,
    "OcclusionDataSet-MM20": _vsod,
    "MVP-N": _mvp_n,
    "ImageNet-C": _imagenet_c,
    "QuickDraw": _quickdraw,
    "ChangeIt": _changeit,
    "coco2014": _coco,
}

FORMS: tuple[Callable[[str, str], str], ...] = (
    lambda letter, text: f"{letter}. {text}",
    lambda letter, text: f"{letter}.",
    lambda letter, text: letter,
    lambda letter, text: text,
    lambda letter, text: f" {letter.lower()}. {text} ",
    lambda letter, text: f"{letter}.{text}",
    lambda letter, text: f"{letter}.\n{text}",
    lambda letter, text: f"{letter}. {text.replace(' ', '   ')}",
    lambda letter, text: f"I see. So: {letter}. {text}",
)
"""Forms of a choice that the published parser usually understands."""

ODD_FORMS: tuple[Callable[[str, str], str], ...] = (
    lambda letter, text: letter.lower(),
    lambda letter, text: text.lower(),
    lambda letter, text: text.upper(),
    lambda letter, text: text.removesuffix("."),
    lambda letter, text: f"{letter}) {text}",
    lambda letter, text: f"({letter})",
    lambda letter, text: f"**{letter}. {text}**",
    lambda letter, text: f"**{letter}**",
    lambda letter, text: f"Answer: {letter}",
    lambda letter, text: f"The answer is {letter}.",
    lambda letter, text: f"{letter}. {text}\nBecause I. Think so.",
    lambda letter, text: f"Hm.\n{letter}. {text}",
    lambda letter, text: f"{letter}\u00a0. {text}",
    lambda letter, text: f"\n{letter}. {text}",
    lambda letter, text: f"A. B. {letter}. {text}",
    lambda letter, text: f"{letter}: {text}",
    lambda letter, text: f"{letter}.\t{text}",
    lambda letter, text: text.replace(" ", "\u00a0"),
    lambda letter, text: text.replace(" ", "\t"),
    lambda letter, text: f"{text} {text}",
    lambda letter, text: "",
    lambda letter, text: ".",
    lambda letter, text: "  ",
    lambda letter, text: "\u212a",  # the Kelvin sign; its lower case is a k
    lambda letter, text: "Z.",
    lambda letter, text: "[.",
    lambda letter, text: "#",
    lambda letter, text: "Move the blocks to the left.",
    lambda letter, text: "Rewind the video.",
)


def random_reply(choices: tuple[Choice, ...], best: str, rng: random.Random) -> str:
    """Returns a reply to a multiple choice; suggestions are frequent, so that episodes are long."""
    draw = rng.random()
    asks = [c.text for c in choices if c.kind == "ask"]
    if draw < 0.25:
        chosen = best
    elif draw < 0.85 and asks:
        chosen = rng.choice(asks)
    else:
        chosen = rng.choice(choices).text
    letter, _, text = chosen.partition(". ")
    forms = FORMS if rng.random() < 0.8 else ODD_FORMS
    return rng.choice(forms)(letter, text)
