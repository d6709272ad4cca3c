"""hint: a sentence after the question says that something can be done (paper, Table 7)."""

from dataclasses import replace
from typing import ClassVar

from proactive_agent.conditions.base import Condition, Situation
from scenarios import Observation


class Hint(Condition):
    """The scenario's hint."""

    name: ClassVar = "hint"

    def observe(self, observation: Observation, situation: Situation) -> Observation:
        return replace(observation, question=f"{observation.question} {observation.hint}")
