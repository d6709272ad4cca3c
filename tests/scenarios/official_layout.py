"""Builds data folders in the official layout, with random samples and tiny pictures.

The fields are those of the release. The texts are ours and contain the words by which the
published code identifies an option. `random_sample` is pure: the same random generator gives the
same sample.
"""

import json
import random
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

Fields = dict[str, Any]

STEMS = {
    "rod": "Realistic-Occlusion-Dataset",
    "vsod": "OcclusionDataSet-MM20",
    "mvp-n": "MVP-N",
    "imagenet-c": "ImageNet-C",
    "quickdraw": "QuickDraw",
    "changeit": "ChangeIt",
    "coco": "coco2014",
}
SCENARIOS = tuple(STEMS)

ABSTENTIONS = (
    "I cannot answer this question.",
    "I do not know.",
    "This CANNOT be told from the picture.",
    "Do not ask me.",
)

ORDINARY = ("Cat.", "Dog.", "Owl.", "Seal.", "Teapot.", "Bridge.", "Crocodile.", "Ice cream.")
EXTREME = (
    # Texts that are difficult for parsers, terminals or comma-separated lists.
    "Salt, pepper.",
    "Vitamin C.",
    "Hot dog.",
    "Hotdog.",
    "A.",
    "b.",
    "[bold]Cup[/bold].",
    "Crème brûlée.",
    "茶壶.",
    "Mr. T. Rex.",
    "  Padded  name .",
    "{image}.",
    "Cup\twith a tab.",
    "Straße İstanbul.",
    "Very long name " * 40 + "end.",
)

ROTATIONS = (
    "Rotate the object.",
    "Show another view.",
    "Take the picture from a new angle.",
    "Change the orientation.",
    "Show the thing from a different side.",
    "Rotate it to a DIFFERENT angle.",
)
DETAILS = (
    "Add more details.",
    "Go on with the quickdraw.",
    "Continue the drawing.",
    "Finish the sketch.",
)
ENHANCEMENTS = (
    "Correct the brightness.",
    "Raise the contrast.",
    "Lower the saturation.",
    "Deblur the image.",
    "Denoise the image.",
    "Undo the compression.",
    "Increase the resolution.",
    "Remove the artifacts.",
)
MOVES = {
    "left": "Move the camera to the left.",
    "right": "Move the camera to the right.",
    "up": "Move the camera up.",
    "down": "Move the camera down.",
}
FARTHER = "Move farther from the object."

PICTURE_SIZE = (64, 48)


def random_sample(scenario: str, rng: random.Random, sample_id: int | str) -> Fields:
    """Returns a valid sample; one in four has extreme numbers or texts."""
    extreme = rng.random() < 0.25
    own = _OWN_FIELDS[scenario](rng, sample_id, extreme)
    suggestions = own.pop("suggestions")
    options = [*suggestions, rng.choice(ABSTENTIONS)]
    rng.shuffle(options)
    pool = [*ORDINARY, *EXTREME] if extreme else ORDINARY
    categories = rng.sample(pool, 4)
    return {
        "id": sample_id,
        "prompt": rng.choice(("What is it?", "Which object is shown here?")),
        "options": options,
        "categories": categories,
        "answer": rng.choice(categories),
        **own,
    }


def _ring(stem: str, sizes: Sequence[int], place: str) -> Callable[..., Fields]:
    def fields(rng: random.Random, sample_id: int | str, extreme: bool) -> Fields:
        count = rng.choice((1, 2, 3)) if extreme else rng.choice(sizes)
        return {
            "image_template": f"{stem}/{sample_id}/{place}.png",
            "first_image": rng.randrange(count),
            "num_images": count,
            "reference_image": rng.randrange(count),
        }

    return fields


_rod_ring = _ring(STEMS["rod"], (14,), "side-s{image}")
_vsod_ring = _ring(STEMS["vsod"], (12, 23), "{image}")


def _rod(rng: random.Random, sample_id: int | str, extreme: bool) -> Fields:
    thing = rng.choice(("blocks", "occluding object"))
    suggestions = [f"Move the {thing} to the left.", f"Move the {thing} to the right."]
    return {"suggestions": suggestions} | _rod_ring(rng, sample_id, extreme)


def _vsod(rng: random.Random, sample_id: int | str, extreme: bool) -> Fields:
    wait = rng.choice(("Wait for the person to pass.", "Wait for the occlusion to disappear."))
    return {
        "suggestions": ["Rewind the video.", wait],
        "strong_occlusions": rng.random() < 0.7,
    } | _vsod_ring(rng, sample_id, extreme)


def _mvp_n(rng: random.Random, sample_id: int | str, extreme: bool) -> Fields:
    count = rng.choice((1, 2)) if extreme else rng.randint(2, 6)
    views = rng.sample(range(40), count)
    return {
        "suggestions": rng.sample(ROTATIONS, rng.randint(1, 2)),
        "image_template": f"{STEMS['mvp-n']}/{sample_id}/{{informative}}_{{image}}.png",
        "first_image": views[0],
        "num_images": count,
        "reference_image": views[-1],
        "valid_images": views,
    }


def _imagenet_c(rng: random.Random, sample_id: int | str, extreme: bool) -> Fields:
    offered = rng.sample(ENHANCEMENTS, 1 if extreme else 4)
    return {
        "suggestions": offered,
        "quality_answer": rng.choice(offered),
        "image_template": f"{STEMS['imagenet-c']}/{sample_id}/{{level}}.png",
        "first_image": 5,
        "num_images": 5,
        "reference_image": 1,
    }


def _quickdraw(rng: random.Random, sample_id: int | str, extreme: bool) -> Fields:
    count = rng.choice((1, 2, 40)) if extreme else rng.randint(3, 12)
    return {
        "suggestions": rng.sample(DETAILS, rng.randint(1, 2)),
        "image_template": f"{STEMS['quickdraw']}/{sample_id}/{{image}}.png",
        "first_image": 0,
        "num_images": count,
        "reference_image": count - 1,
    }


def _changeit(rng: random.Random, sample_id: int | str, extreme: bool) -> Fields:
    step = rng.choice((1, 7)) if extreme else rng.randint(1, 4)
    # At least two steps long; otherwise "wait" stays on offer although it leaves the video.
    count = max(2 * step, rng.randint(10, 24))
    wait = rng.choice(("Wait for the object to appear.", "Wait for the action to take place."))
    return {
        "suggestions": ["Rewind the video.", wait],
        "image_template": f"{STEMS['changeit']}/{sample_id}/{{image}}.png",
        "first_image": rng.randrange(count) if extreme else 0,
        "num_images": count,
        "reference_image": rng.randrange(count),
        "step_size": step,
        "max_steps": rng.choice((1, 2, 40)) if extreme else rng.randint(3, 12),
    }


def _coco(rng: random.Random, sample_id: int | str, extreme: bool) -> Fields:
    across, along = rng.choice(("left", "right")), rng.choice(("up", "down"))
    ways = ("zoom", across, along, f"{across}_{along}")
    direction = rng.choice(ways)
    suggestions = [FARTHER] if direction == "zoom" else [MOVES[d] for d in direction.split("_")]
    granularity = rng.choice((1, 2, 9)) if extreme else rng.randint(3, 5)
    width, height = PICTURE_SIZE
    # Steps are fractions as often as whole numbers; the release has both kinds.
    horizontal: float = rng.randint(1, 5) if rng.random() < 0.5 else rng.uniform(0.3, 5)
    vertical: float = rng.randint(1, 4) if rng.random() < 0.5 else rng.uniform(0.3, 4)
    return {
        "suggestions": suggestions,
        "image_template": f"{STEMS['coco']}/{sample_id}.png",
        "first_image": 0,
        "num_images": 1,
        "reference_image": 0,
        "direction": direction,
        "granularity": granularity,
        "horizontal_step": horizontal,
        "vertical_step": vertical,
        "crop": {
            "left": rng.randrange(width // 2),
            "top": rng.randrange(height // 2),
            "width": rng.randrange(width // 2 + 1, width),
            "height": rng.randrange(height // 2 + 1, height),
        },
    }


_OWN_FIELDS: dict[str, Callable[[random.Random, int | str, bool], Fields]] = {
    "rod": _rod,
    "vsod": _vsod,
    "mvp-n": _mvp_n,
    "imagenet-c": _imagenet_c,
    "quickdraw": _quickdraw,
    "changeit": _changeit,
    "coco": _coco,
}


def picture_paths(scenario: str, sample: Fields) -> list[str]:
    """Returns the paths of a sample's pictures in the release, relative to the data folder."""
    template = sample["image_template"]
    frames = range(sample["num_images"])
    match scenario:
        case "coco":
            return [template]
        case "imagenet-c":
            return [template.format(level=level) for level in range(1, 6)]
        case "mvp-n":
            views = [(0, view) for view in sample["valid_images"][:-1]]
            views += [(1, sample["valid_images"][-1]), (1, sample["reference_image"])]
            return [template.format(informative=b, image=f"{view:04}") for b, view in views]
        case "vsod" | "quickdraw":
            return [template.format(image=f"{frame:04}") for frame in frames]
        case _:
            return [template.format(image=frame) for frame in frames]


def write_samples(folder: Path, scenario: str, samples: Iterable[Fields]) -> Path:
    """Writes a scenario's data file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{STEMS[scenario]}_preprocessed.jsonl"
    file.write_text("".join(json.dumps(sample) + "\n" for sample in samples), encoding="utf-8")
    return file


def write_picture(file: Path, color: tuple[int, int, int] = (40, 120, 200)) -> None:
    """Writes a tiny picture."""
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", PICTURE_SIZE, color).save(file)


def write_folder(
    folder: Path,
    seed: int = 0,
    *,
    scenarios: Sequence[str] = SCENARIOS,
    samples: int = 3,
    pictures: bool = True,
) -> Path:
    """Writes a data folder with random samples, ids from 0, and returns its path."""
    for scenario in scenarios:
        # A generator per scenario, so that a folder of fewer scenarios holds the same samples.
        rng = random.Random(f"{seed} {scenario}")
        made = [random_sample(scenario, rng, sample_id) for sample_id in range(samples)]
        write_samples(folder, scenario, made)
        if not pictures:
            continue
        for sample in made:
            for path in picture_paths(scenario, sample):
                color = (rng.randrange(256), rng.randrange(256), rng.randrange(256))
                write_picture(folder / path, color)
    return folder
