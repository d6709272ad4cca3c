"""Measures how well policies without the needed information do on fresh scenes.

    python -m benchmarks.fresh_shortcuts [--groups 6] [--each 40] [--size 96]

A policy learns from the scenes of many seeds, and guesses one of the four categories. Text policies
read everything but the picture. Picture policies see the first frame: 16 x 16 pixels, colours, the
size of the file, the size of the picture, and the size and proportions of the occluder. Each should
be right in a quarter of the cases; the last column is the largest number that chance exceeds with a
probability of 0.1 %.
"""

import argparse
import io
import math
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.stats import binom

from proactive_agent.scenarios import SCENARIOS, Sample
from proactive_agent.scenarios.fresh.data import FreshData
from proactive_agent.scenarios.fresh.draws import CHOICES, choice_of, groups_of
from proactive_agent.scenarios.fresh.pack import load_pack
from proactive_agent.scenarios.fresh.sliding import SlidingScene
from proactive_agent.scenarios.fresh.source import MOST_SAMPLES, Difficulty, FreshSource

Numbers = npt.NDArray[np.float64]

FOLDS = 5
RIDGE = 30.0
CONFIDENCE = 0.999
SEED = 90_001
"""Scenes of this seed are the training and the test data of picture policies."""


class FirstFrame(NamedTuple):
    """The first frame of a sample."""

    image: Image.Image
    """As the model sees it."""
    occluder: tuple[int, int]
    """Width and height of the occluder in pixels; (0, 0) if there is none."""


class GuessCase(NamedTuple):
    """A sample, as a policy sees it."""

    features: Numbers
    categories: list[str]
    answer: str


def thumbnail(shown: FirstFrame) -> Numbers:
    """Returns 16 x 16 pixels and a colour histogram."""
    small = np.asarray(shown.image.resize((16, 16), Image.Resampling.BOX), np.float64).ravel() / 255
    return np.concatenate([small, 3 * np.sqrt(colours(shown))])


def colours(shown: FirstFrame) -> Numbers:
    """Returns the shares of 5 x 5 x 5 colours."""
    cells = np.asarray(shown.image.resize((64, 64)), np.int64) // 52
    places = (cells[:, :, 0] * 5 + cells[:, :, 1]) * 5 + cells[:, :, 2]
    return np.bincount(places.ravel(), minlength=125) / places.size


def file_size(shown: FirstFrame) -> Numbers:
    """Returns the size of a JPEG file, and of a PNG file."""
    sizes = []
    for kind in ("JPEG", "PNG"):
        stream = io.BytesIO()
        shown.image.save(stream, kind, quality=90)
        sizes.append(math.log(stream.tell()))
    return _powers(sizes)


def picture_size(shown: FirstFrame) -> Numbers:
    """Returns width, height and proportions of the picture."""
    width, height = shown.image.size
    return _powers([width / 100, height / 100, math.log(width / height)])


def occluder(shown: FirstFrame) -> Numbers:
    """Returns width, height and proportions of the occluder."""
    width, height = shown.occluder
    return _powers([width / 100, height / 100, math.log((width + 1) / (height + 1))])


def _powers(values: list[float]) -> Numbers:
    return np.array([value**power for value in values for power in (1, 2, 3)])


POLICIES: dict[str, Callable[[FirstFrame], Numbers]] = {
    "thumbnail": thumbnail,
    "colours": colours,
    "file size": file_size,
    "picture size": picture_size,
    "occluder": occluder,
}


def shown_of(data: FreshData, scenario: str, index: int, *, reference: bool = False) -> FirstFrame:
    """Returns the first frame of a sample, or its reference frame."""
    state = data.environment(scenario, data.sample(scenario, index), reference=reference)
    scene = data.scene(scenario, index)
    size = (scene.width, scene.height) if isinstance(scene, SlidingScene) else (0, 0)
    return FirstFrame(data.images.open(state.observe().image).image, size)


def indices(source: FreshSource, scenario: str, groups: int, each: int) -> Iterator[int]:
    """Yields samples of a few groups, `each` for every category."""
    pack = load_pack()
    every = groups_of(pack, source, scenario)
    step = max(len(every) // groups, 1)
    wanted = {frozenset(group.names) for group in every[::step][:groups]}
    blocks = 0
    for block in range(source.samples // CHOICES):
        if blocks == len(wanted) * each:
            return
        if frozenset(choice_of(pack, source, scenario, CHOICES * block).names) in wanted:
            blocks += 1
            yield from range(CHOICES * block, CHOICES * block + CHOICES)


def picture_cases(
    scenario: str,
    *,
    groups: int,
    each: int,
    size: int,
    difficulty: Difficulty = "normal",
    reference: bool = False,
) -> dict[str, list[GuessCase]]:
    """Returns the cases of every picture policy. With `reference`, it sees the reference frame."""
    source = FreshSource(SEED, difficulty, samples=MOST_SAMPLES, size=size)
    data = FreshData(source)
    cases: dict[str, list[GuessCase]] = {name: [] for name in POLICIES}
    for index in indices(source, scenario, groups, each):
        sample, shown = (
            data.sample(scenario, index),
            shown_of(data, scenario, index, reference=reference),
        )
        for name, policy in POLICIES.items():
            cases[name].append(GuessCase(policy(shown), sample.categories, sample.answer))
    return cases


def right_guesses(cases: list[GuessCase]) -> int:
    """Returns how many cases a ridge regression guesses right in cross-validation."""
    names = sorted({case.answer for case in cases})
    place = {name: number for number, name in enumerate(names)}
    features = np.stack([case.features for case in cases])
    features = features[:, features.std(axis=0) > 1e-9]
    if not features.shape[1]:
        return len(cases) // CHOICES
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    features = np.concatenate([features, np.ones((len(cases), 1))], axis=1)
    targets = np.zeros((len(cases), len(names)))
    for number, case in enumerate(cases):
        targets[number, place[case.answer]] = 1
    # A block of four, in which each category is the answer once, is in one fold.
    folds = np.arange(len(cases)) // CHOICES % FOLDS
    right = 0
    for fold in range(FOLDS):
        known, tested = features[folds != fold], features[folds == fold]
        square = known.T @ known + RIDGE * np.eye(features.shape[1])
        scores = tested @ np.linalg.solve(square, known.T @ targets[folds != fold])
        for number, score in zip(np.flatnonzero(folds == fold), scores, strict=True):
            case = cases[number]
            best = max(case.categories, key=lambda name: score[place[name]])
            right += best == case.answer
    return right


Feature = tuple[object, ...]


def text_features(sample: Sample, category: str) -> list[Feature]:
    """Returns everything about a category that can be read without the picture."""
    position = sample.categories.index(category)
    lengths = sorted(sample.categories, key=lambda text: (len(text), text))
    return [
        ("position", position),
        ("category", category),
        ("length", lengths.index(category)),
        ("alphabet", sorted(sample.categories).index(category)),
        ("question", sample.prompt, category),
        ("question and position", sample.prompt, position),
        *(("option", option, category) for option in sample.options),
        *(("option and position", option, position) for option in sample.options),
        *(("beside", other, category) for other in sample.categories),
        ("order", *sample.categories, position),
    ]


def right_text_guesses(scenario: str, samples: int) -> int:
    """Returns how many samples of one seed naive Bayes guesses right after training on another."""
    known, tested = (FreshData(FreshSource(SEED + i, samples=samples)) for i in (1, 2))
    right: Counter[Feature] = Counter()
    every: Counter[Feature] = Counter()
    for sample in known.samples(scenario):
        for category in sample.categories:
            found = text_features(sample, category)
            every.update(found)
            right.update(found if category == sample.answer else ())

    def score(feature: Feature) -> float:
        return math.log((right[feature] + 0.5) / (every[feature] - right[feature] + 1.5))

    hits = 0
    for sample in tested.samples(scenario):
        scores = {c: sum(map(score, text_features(sample, c))) for c in sample.categories}
        hits += max(scores, key=lambda name: scores[name]) == sample.answer
    return hits


def bound(count: int) -> int:
    """Returns the number of right guesses that chance reaches in 99.9 % of the cases."""
    return int(binom.ppf(CONFIDENCE, count, 1 / CHOICES))


def main() -> None:
    """Prints one line per scenario and policy."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=int, default=6)
    parser.add_argument("--each", type=int, default=40)
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--difficulty", default="normal")
    parser.add_argument("--scenario", nargs="*", default=list(SCENARIOS))
    options = parser.parse_args()
    for scenario in options.scenario:
        print(_line(scenario, "texts", right_text_guesses(scenario, options.texts), options.texts))
        found = picture_cases(
            scenario, groups=options.groups, each=options.each, size=options.size,
            difficulty=options.difficulty,
        )  # fmt: skip
        for name, cases in found.items():
            print(_line(scenario, name, right_guesses(cases), len(cases)), flush=True)


def _line(scenario: str, policy: str, right: int, count: int) -> str:
    limit = bound(count)
    mark = "" if right <= limit else "  ABOVE CHANCE"
    return (
        f"{scenario:11s} {policy:13s} {right / count:6.1%} of {count} ({limit / count:.1%}){mark}"
    )


if __name__ == "__main__":
    main()
