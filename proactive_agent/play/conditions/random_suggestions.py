"""Suggestions of other scenarios replace those of the sample.

A model that looks proactive and also takes these only avoids abstaining. With the published
`random-suggestions`, a random intervention of the sample follows and the episode goes on. With
`useless-suggestions`, taking one is wrong and ends the episode. In the protocol `tools`, the
toolset `random` offers the foreign suggestions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import ClassVar

from proactive_agent.play.conditions.base import Condition, Situation
from proactive_agent.scenarios import (
    SCENARIOS,
    DataFolder,
    EnvironmentType,
    ForeignSuggestions,
    Observation,
    Option,
    Sample,
    SampleError,
)
from proactive_agent.scenarios.sample import is_abstention
from proactive_agent.tools import Abstain, Intervention, ToolsetName
from proactive_agent.tools.toolsets import foreign

LOOKED_THROUGH = 200
"""Suggestions are collected from this number of samples at the start of each scenario."""

_NONE_OFFERED = "there are no suggestions to replace"


class RandomSuggestions(Condition):
    """Offers suggestions of other scenarios, each of which leads to a random intervention."""

    name: ClassVar = "random-suggestions"
    toolset: ClassVar[ToolsetName | None] = "random"
    not_with: ClassVar = {
        "oeg": _NONE_OFFERED,
        "reference": _NONE_OFFERED,
        "clear": "no suggestion helps on the clear frame anyway",
    }

    def __init__(self) -> None:
        self._embedded = DataFolder()
        self._collected: dict[tuple[str, bool], list[list[Option]]] = {}

    def check_run(self, scenarios: Sequence[str], data: DataFolder) -> None:
        for scenario in scenarios:
            self._pools(scenario, data)  # Raises if another scenario's file is faulty.

    def foreign_suggestions(
        self, sample: Sample, situation: Situation
    ) -> ForeignSuggestions | None:
        if situation.protocol.name == "tools":
            return ForeignSuggestions(None, frozenset(_foreign_calls(situation.scenario)))
        drawn = self._drawn(situation, len(sample.suggestions))
        left = iter(drawn)
        options = (
            Option(text, Abstain(text)) if is_abstention(text) else next(left)
            for text in sample.options
        )
        accepted = {o.action for o in drawn if isinstance(o.action, Intervention)}
        return ForeignSuggestions(tuple(options), frozenset(accepted))

    def _drawn(self, situation: Situation, count: int) -> list[Option]:
        """Draws different options: one from each scenario before a second one from any scenario."""
        rng = situation.rng("random suggestions")
        for data in (situation.data, self._embedded):
            pools = self._pools(situation.scenario, data)
            shuffled = [rng.sample(pool, len(pool)) for pool in rng.sample(pools, len(pools))]
            in_turn = (option for row in zip_longest(*shuffled) for option in row if option)
            # Two scenarios may have the same wording.
            drawn = list(dict.fromkeys(in_turn))[:count]
            if len(drawn) == count:
                return drawn
        raise SampleError(
            f"sample {situation.sample_id}: the other scenarios have fewer than {count} different "
            "suggestions that can replace its own"
        )

    def _pools(self, scenario: str, data: DataFolder) -> list[list[Option]]:
        """Returns for each other scenario its suggestions that this one does not understand."""
        key = (scenario, data.embedded)
        if key not in self._collected:
            others = [name for name in data.scenarios() if name != scenario]
            self._collected[key] = [
                list(_suggestions(data, other, SCENARIOS[scenario])) for other in others
            ]
        return self._collected[key]


class UselessSuggestions(RandomSuggestions):
    """Offers suggestions of other scenarios, none of which is accepted."""

    name: ClassVar = "useless-suggestions"
    not_with: ClassVar = RandomSuggestions.not_with | {
        "random-suggestions": "both replace the suggestions of the sample",
        "history": "an episode ends when such a suggestion is taken",
    }

    def foreign_suggestions(
        self, sample: Sample, situation: Situation
    ) -> ForeignSuggestions | None:
        return None

    def observe(self, observation: Observation, situation: Situation) -> Observation:
        if situation.protocol.name == "tools":
            return observation
        drawn = iter(self._drawn(situation, len(observation.suggestions)))
        options = (
            next(drawn) if isinstance(option.action, Intervention) else option
            for option in observation.options
        )
        return replace(observation, options=tuple(options))


def _foreign_calls(scenario: str) -> Iterator[Intervention]:
    """Yields every intervention that the toolset `random` offers in a scenario."""
    own = frozenset(i.tool for i in SCENARIOS[scenario].keywords.values())
    for _, _, action in foreign(own, ()).closed_calls():
        if isinstance(action, Intervention):
            yield action


def _suggestions(data: DataFolder, scenario: str, own: EnvironmentType) -> Iterator[Option]:
    samples = data.samples(scenario, LOOKED_THROUGH)
    for text in dict.fromkeys(text for sample in samples for text in sample.suggestions):
        intervention = SCENARIOS[scenario].intervention(text)
        if intervention and not _understood(own, text):
            yield Option(text, intervention)


def _understood(scenario: EnvironmentType, text: str) -> bool:
    try:
        return scenario.intervention(text) is not None
    except ValueError:  # It has several meanings in this scenario.
        return True
