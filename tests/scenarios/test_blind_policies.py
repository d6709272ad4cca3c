"""Policies that see no picture are right by chance in the embedded suite.

A policy scores the four categories of an episode by their texts, by the question and by the answers
of other episodes. With equal scores it guesses. The bound is the 99.9 % quantile of the number of
right guesses among as many episodes.
"""

import math
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from scipy.stats import binom

from proactive_agent.scenarios import SCENARIOS, DataFolder
from proactive_agent.scenarios.dataset import EMBEDDED
from proactive_agent.scenarios.sample import Sample

ROOT = Path(__file__).parents[2]
CONFIDENCE = 0.999
FOLDS = 8


class Episode(NamedTuple):
    scenario: str
    sample: Sample
    group: frozenset[str]
    """The categories. Episodes with the same ones are a group."""


Policy = Callable[[Episode, str], float]
"""Score of a category of an episode."""
Features = dict[str, float]
Classifier = Callable[[Features], float]


@cache
def episodes() -> tuple[Episode, ...]:
    data = DataFolder()
    return tuple(
        Episode(name, sample, frozenset(sample.categories))
        for name in SCENARIOS
        for sample in data.samples(name)
    )


def bound(count: int, chance: float) -> int:
    """Returns the largest number of right guesses that chance reaches in 99.9 % of the cases."""
    return int(binom.ppf(CONFIDENCE, count, chance))


def share(texts: Sequence[str], right: str, score: Callable[[str], float]) -> float:
    """Returns the probability that the text with the highest score is right; ties are guessed."""
    scores = {text: score(text) for text in texts}
    best = [text for text, value in scores.items() if value == max(scores.values())]
    return (right in best) / len(best)


def right_share(episode: Episode, policy: Policy) -> float:
    sample = episode.sample
    return share(sample.categories, sample.answer, lambda text: policy(episode, text))


def words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())


def alike(text: str, other: str) -> int:
    """Returns how many words start with the same four letters."""
    return len({word[:4] for word in words(text)} & {word[:4] for word in words(other)})


@cache
def answers(group: frozenset[str], scenario: str | None = None) -> Counter[str]:
    """Counts the answers of the other groups, or those in one scenario."""
    return Counter(
        e.sample.answer for e in episodes() if e.group != group and scenario in (None, e.scenario)
    )


@cache
def listed(group: frozenset[str]) -> Counter[str]:
    return Counter(text for e in episodes() if e.group != group for text in e.sample.categories)


def other_answers(episode: Episode) -> Counter[str]:
    """Counts the answers of all other episodes, also of the same group."""
    return Counter(e.sample.answer for e in episodes()) - Counter([episode.sample.answer])


def at_place(place: int) -> Policy:
    return lambda e, t: e.sample.categories.index(t) == place


def at_rank(rank: int) -> Policy:
    return lambda e, t: sorted(e.group).index(t) == rank


def at_length(rank: int) -> Policy:
    return lambda e, t: sorted(e.group, key=lambda text: (len(text), text)).index(t) == rank


def rate(episode: Episode, text: str) -> float:
    """Returns how often a listed category is the answer in other groups, smoothed."""
    return (answers(episode.group)[text] + 0.25) / (listed(episode.group)[text] + 1)


NO_GROUP: frozenset[str] = frozenset()

POLICIES: dict[str, Policy] = {
    "longest name": lambda e, t: len(t),
    "shortest name": lambda e, t: -len(t),
    "most words": lambda e, t: len(words(t)),
    "fewest words": lambda e, t: -len(words(t)),
    **{f"place {place}": at_place(place) for place in range(4)},
    **{f"alphabetical rank {rank}": at_rank(rank) for rank in range(4)},
    **{f"rank {rank} by length": at_length(rank) for rank in range(4)},
    "words of the question": lambda e, t: alike(t, e.sample.prompt),
    "no words of the question": lambda e, t: -alike(t, e.sample.prompt),
    "letters of the question": lambda e, t: len(set(t.lower()) & set(e.sample.prompt.lower())),
    "words of the suggestions": lambda e, t: alike(t, " ".join(e.sample.options)),
    "most like the other categories": lambda e, t: alike(t, " ".join(e.group - {t})),
    "least like the other categories": lambda e, t: -alike(t, " ".join(e.group - {t})),
    "most frequent answer elsewhere": lambda e, t: answers(e.group)[t],
    "least frequent answer elsewhere": lambda e, t: -answers(e.group)[t],
    "most frequent answer of all other episodes": lambda e, t: other_answers(e)[t],
    "ever an answer elsewhere": lambda e, t: answers(e.group)[t] > 0,
    "never an answer elsewhere": lambda e, t: answers(e.group)[t] == 0,
    "ever an answer of the scenario elsewhere": lambda e, t: answers(e.group, e.scenario)[t] > 0,
    "never an answer of the scenario elsewhere": lambda e, t: answers(e.group, e.scenario)[t] == 0,
    "ever an answer, this episode included": lambda e, t: answers(NO_GROUP)[t] > 0,
    "most frequent answer, this episode included": lambda e, t: answers(NO_GROUP)[t],
    "listed most often elsewhere": lambda e, t: listed(e.group)[t],
    "listed least often elsewhere": lambda e, t: -listed(e.group)[t],
    "highest rate elsewhere": rate,
    "lowest rate elsewhere": lambda e, t: -rate(e, t),
}


@pytest.mark.parametrize("name", POLICIES)
def test_no_rule_beats_chance(name: str) -> None:
    found = sum(right_share(episode, POLICIES[name]) for episode in episodes())
    assert found <= bound(len(episodes()), 1 / 4)


def features(episode: Episode, text: str) -> Features:
    """Returns all that a classifier could use of a category."""
    return _features()[episode.scenario, episode.sample.id, text]


@cache
def _features() -> dict[tuple[str, int | str, str], Features]:
    return {
        (e.scenario, e.sample.id, text): found_in(e, text)
        for e in episodes()
        for text in e.sample.categories
    }


def found_in(episode: Episode, text: str) -> Features:
    """Returns places, ranks, words and neighbours of a category."""
    categories = episode.sample.categories
    found: Features = {
        f"place {categories.index(text)}": 1,
        f"place {categories.index(text)} {episode.scenario}": 1,
        f"rank {sorted(categories).index(text)}": 1,
        f"rank by length {sorted(categories, key=len).index(text)}": 1,
        "length": len(text) / 10,
        "words": len(words(text)),
        "like the question": alike(text, episode.sample.prompt),
        f"first letter {text[0]}": 1,
        f"last letters {text[-3:]}": 1,
        text: 1,
        f"{text} in {episode.scenario}": 1,
    }
    found |= {f"word {word}": 1 for word in words(text)}
    found |= {f"word {word} in {episode.scenario}": 1 for word in words(text)}
    found |= {f"beside {other}": 1 for other in categories if other != text}
    return found


def logistic(known: Sequence[Episode]) -> Classifier:
    """Trains a conditional logistic regression on episodes."""
    weights: defaultdict[str, float] = defaultdict(float)
    examples = [
        [(features(e, text), text == e.sample.answer) for text in e.sample.categories]
        for e in known
    ]

    def score(found: Features) -> float:
        return sum(weights[name] * value for name, value in found.items())

    for _ in range(8):
        for example in examples:
            scores = [math.exp(score(found)) for found, _ in example]
            for (found, right), value in zip(example, scores, strict=True):
                step = 0.1 * (right - value / sum(scores))
                for name, amount in found.items():
                    weights[name] += step * amount
    return score


def naive_bayes(known: Sequence[Episode]) -> Classifier:
    """Trains a naive Bayes classifier on episodes."""
    right: Counter[str] = Counter()
    every: Counter[str] = Counter()
    for e in known:
        for text in e.sample.categories:
            names = [name for name, value in features(e, text).items() if value]
            every.update(names)
            right.update(names if text == e.sample.answer else ())

    def score(found: Features) -> float:
        return sum(
            math.log((right[name] + 0.5) / (every[name] - right[name] + 1.5))
            for name, value in found.items()
            if value
        )

    return score


@pytest.mark.parametrize("train", [logistic, naive_bayes])
def test_no_classifier_beats_chance(train: Callable[[Sequence[Episode]], Classifier]) -> None:
    """Neither the most nor the least likely category is right more often than by chance.

    The classifier knows the other groups. The other answers of a group would tell its last one.
    """
    groups = sorted({e.group for e in episodes()}, key=sorted)
    fold = {group: number % FOLDS for number, group in enumerate(groups)}
    most = least = 0.0
    for tested in range(FOLDS):
        score = train([e for e in episodes() if fold[e.group] != tested])
        for episode in episodes():
            if fold[episode.group] == tested:
                most += right_share(episode, lambda e, t: score(features(e, t)))  # noqa: B023
                least += right_share(episode, lambda e, t: -score(features(e, t)))  # noqa: B023
    assert max(most, least) <= bound(len(episodes()), 1 / 4)


def one_right_suggestion() -> Iterator[tuple[Episode, str]]:
    """Yields the episodes where one suggestion of several is right, and that suggestion."""
    for e in episodes():
        if e.scenario == "imagenet-c":
            yield e, e.sample.model_dump()["quality_answer"]
        if e.scenario == "changeit":
            back = e.sample.reference_image < e.sample.first_image
            yield e, next(o for o in e.sample.suggestions if ("Rewind" in o) is back)


def often_right(episode: Episode, text: str) -> float:
    """Returns how often a suggestion is right when other episodes of the scenario offer it."""
    others = [(e, right) for e, right in one_right_suggestion() if e.scenario == episode.scenario]
    offered = [
        alike(text, right) for e, right in others if e is not episode
        for other in e.sample.suggestions if alike(text, other)
    ]  # fmt: skip
    return (sum(offered) + 0.5) / (len(offered) + 2)


SUGGESTIONS: dict[str, Policy] = {
    "longest": lambda e, t: len(t),
    "shortest": lambda e, t: -len(t),
    "first": lambda e, t: -e.sample.options.index(t),
    "last": lambda e, t: e.sample.options.index(t),
    "first in the alphabet": lambda e, t: -sorted(e.sample.options).index(t),
    "last in the alphabet": lambda e, t: sorted(e.sample.options).index(t),
    "words of the question": lambda e, t: alike(t, e.sample.prompt),
    "words of the categories": lambda e, t: alike(t, " ".join(e.group)),
    "often right elsewhere": often_right,
    "rarely right elsewhere": lambda e, t: -often_right(e, t),
}


@pytest.mark.parametrize("name", SUGGESTIONS)
@pytest.mark.parametrize(("scenario", "chance"), [("imagenet-c", 1 / 4), ("changeit", 1 / 2)])
def test_the_right_suggestion_is_not_told_by_the_texts(
    name: str, scenario: str, chance: float
) -> None:
    policy = SUGGESTIONS[name]
    shares = [
        share(e.sample.suggestions, right, lambda text, e=e: policy(e, text))  # type: ignore[misc]
        for e, right in one_right_suggestion()
        if e.scenario == scenario
    ]
    assert sum(shares) <= bound(len(shares), chance)


def test_each_category_of_a_group_is_the_answer_once() -> None:
    for group in {e.group for e in episodes()}:
        found = [e.sample.answer for e in episodes() if e.group == group]
        assert sorted(found) == sorted(group)


def test_each_category_of_a_group_has_each_place_once() -> None:
    for group in {e.group for e in episodes()}:
        orders = [e.sample.categories for e in episodes() if e.group == group]
        assert all(len(set(column)) == 4 for column in zip(*orders, strict=True))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_place_is_the_answer_too_often_in_a_scenario(scenario: str) -> None:
    found = [e.sample for e in episodes() if e.scenario == scenario]
    counts = Counter(sample.categories.index(sample.answer) for sample in found)
    assert max(counts.values()) <= bound(len(found), 1 / 4)


def test_the_texts_are_those_of_the_build_script(tmp_path: Path) -> None:
    """The script needs only the frames' fields, the answers and the suggestions."""
    for file in EMBEDDED.glob("*.jsonl"):
        shutil.copy(file, tmp_path)
    script = ROOT / "scenarios" / "suite_build" / "texts.py"
    subprocess.run([sys.executable, str(script), str(tmp_path)], check=True)
    for file in tmp_path.iterdir():
        assert file.read_bytes() == (EMBEDDED / file.name).read_bytes()
