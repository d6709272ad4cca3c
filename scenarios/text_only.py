"""The best guess of a policy that sees no picture, for `baseline:text-only`.

It knows the question, the categories, and how often each text was the right answer in all other
samples of the data, also those of other scenarios. A benchmark for vision should give it little
more than chance.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from proactive_agent.scenarios.sample import Sample

_Feature = tuple[object, ...]


class _Seen(NamedTuple):
    """How often a feature of a category was on offer, and how often it was right."""

    offered: Counter[_Feature]
    right: Counter[_Feature]


Rule = Literal["word", "word in question", "ever", "position", "length"]
RULES: tuple[Rule, ...] = ("word", "word in question", "ever", "position", "length")
"""Each rule looks at one feature of a category and takes the category whose feature was right most
often: in proportion to how often it was offered, or (`ever`) at least once."""


class TextOnlyGuesses:
    """Guesses the category of each sample from all other samples.

    For each sample it applies the rule that guesses the other samples best.
    """

    def __init__(self, samples: Iterable[Sample]) -> None:
        every = list(samples)
        self._seen = {rule: _count(rule, every) for rule in RULES}
        self._totals = {rule: sum(self._hit(rule, sample) for sample in every) for rule in RULES}

    def best(self, sample: Sample) -> list[str]:
        """Returns the best category of one of the samples, or several if they are equally good."""
        rule = max(RULES, key=lambda one: self._totals[one] - self._hit(one, sample))
        return self._guess(rule, sample)

    def _hit(self, rule: Rule, sample: Sample) -> float:
        """Returns the probability that a rule guesses a sample right."""
        guess = self._guess(rule, sample)
        return (sample.answer in guess) / len(guess)

    def _guess(self, rule: Rule, sample: Sample) -> list[str]:
        seen, scores = self._seen[rule], []
        for category, feature in zip(sample.categories, _features(rule, sample), strict=True):
            # The sample does not count for itself.
            right = seen.right[feature] - (category == sample.answer)
            offered = seen.offered[feature] - 1
            scores.append(right > 0 if rule == "ever" else right / offered if offered > 0 else 0.0)
        most = max(scores)
        return [c for c, score in zip(sample.categories, scores, strict=True) if score == most]


def _count(rule: Rule, samples: Iterable[Sample]) -> _Seen:
    seen = _Seen(Counter(), Counter())
    for sample in samples:
        for category, feature in zip(sample.categories, _features(rule, sample), strict=True):
            seen.offered[feature] += 1
            seen.right[feature] += category == sample.answer
    return seen


def _features(rule: Rule, sample: Sample) -> Sequence[_Feature]:
    """Returns the feature of each category of a sample."""
    categories = sample.categories
    match rule:
        case "position":
            return [(index,) for index in range(len(categories))]
        case "length":
            by_length = sorted(categories, key=len)
            return [(by_length.index(category),) for category in categories]
        case "word in question":
            return [(sample.prompt, category) for category in categories]
        case _:
            return [(category,) for category in categories]
