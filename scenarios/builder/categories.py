"""The four categories of a sample: the right one and three others, preferably similar ones.

A similarity list is a JSON file, `{label: [similar labels, most similar first]}`. It may contain
labels without pictures.
"""

import json
import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from proactive_agent.disk.regular_file import read_regular
from proactive_agent.scenarios.builder.items import BuildError

COUNT = 4

_INITIAL = re.compile(r"[A-Z]\.")
"""A capital letter and a full stop. The published parser takes them for an option's letter and
drops the text before them, so it would not recognise a reply that repeats the category."""


def category(label: str, place: str) -> str:
    """Returns the category of a label: `coffee_cup` becomes `Coffee cup.`.

    Raises BuildError, naming `place`, if the parser could not read it.
    """
    words = " ".join(label.replace("_", " ").split()).rstrip(". ")
    if not words:
        raise BuildError(f"{place}: label: {label!r} is empty")
    if not words.isprintable():
        raise BuildError(f"{place}: label: {label!r} contains control characters")
    capital = words[0].upper()
    text = (capital if len(capital) == 1 else words[0]) + words[1:] + "."
    if found := _INITIAL.search(text):
        raise BuildError(
            f"{place}: label: {label!r} would hold {found.group()!r}, and the published parser "
            "drops everything up to a capital letter and a full stop; write it differently"
        )
    return text


def parser_key(text: str) -> str:
    """Returns the form that the published parser compares: lower case, without spaces."""
    return text.lower().replace(" ", "").strip()


class Labels:
    """Collects the categories of a source and refuses labels that a parser cannot distinguish."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[str, str]] = {}

    def add(self, label: str, place: str) -> str:
        """Adds a label and returns its category. Raises BuildError if it equals another label."""
        text = category(label, place)
        known, first = self._seen.setdefault(parser_key(text), (label, place))
        if known != label:
            raise BuildError(
                f"{place}: label: {label!r} reads like {known!r} ({first}), so that replies could "
                "mean either; rename one"
            )
        return text

    def categories(self) -> list[str]:
        """Returns all categories, sorted."""
        return sorted(category(label, place) for label, place in self._seen.values())


class Categories:
    """Chooses the categories of samples."""

    def __init__(self, every: Sequence[str], near: Mapping[str, Sequence[str]]) -> None:
        """Takes all categories, and similar ones (hard negatives) by category, most similar first.

        Raises BuildError if a category has fewer than three others.
        """
        self.every = list(every)
        own = {parser_key(text): text for text in every}
        self.near: dict[str, list[str]] = {}
        for text, others in near.items():
            # A similar label that has pictures is spelt like its pictures.
            spelt = {parser_key(other): own.get(parser_key(other), other) for other in others}
            spelt.pop(parser_key(text), None)
            self.near[own.get(parser_key(text), text)] = list(spelt.values())
        for text in self.every:
            others_there = {*self.every, *self.near.get(text, ())} - {text}
            if len(others_there) < COUNT - 1:
                raise BuildError(
                    f"{text!r} has only {len(others_there)} other labels; a sample has {COUNT} "
                    f"categories, so at least {COUNT} labels are needed (a similarity list can "
                    "name some that have no pictures)"
                )

    def choose(self, answer: str, rng: random.Random) -> list[str]:
        """Returns the answer and three other categories, shuffled."""
        chosen = self.near.get(answer, [])[: COUNT - 1]
        others = [text for text in self.every if text != answer and text not in chosen]
        chosen = [answer, *chosen, *rng.sample(others, COUNT - 1 - len(chosen))]
        rng.shuffle(chosen)
        return chosen


def read_similar(file: Path) -> dict[str, list[str]]:
    """Returns similar categories by category. Raises BuildError, naming file and label."""
    try:
        content = json.loads(read_regular(file))
    except OSError as error:
        raise BuildError(f"{file}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise BuildError(f"{file}: not valid JSON ({error})") from None
    if not isinstance(content, dict):
        raise BuildError(f"{file}: not an object {{label: [near labels]}}")
    near: dict[str, list[str]] = {}
    for label, others in content.items():
        place = f"{file}, {label!r}"
        if not isinstance(others, list) or not all(isinstance(other, str) for other in others):
            raise BuildError(f"{place}: not a list of labels")
        near[category(label, place)] = [category(other, place) for other in others]
    return near
