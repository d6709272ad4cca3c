"""hint: a sentence after the question says that something can be done (paper, Table 7)."""

from dataclasses import replace
from typing import ClassVar

from proactive_agent.play.conditions.base import Condition, Situation
from proactive_agent.scenarios import Observation


class Hint(Condition):
    """The scenario's hint; for open-ended questions the one that fits all scenarios."""

    name: ClassVar = "hint"

    def observe(self, observation: Observation, situation: Situation) -> Observation:
        hint = observation.hint
        if situation.protocol.name == "oeg":
            hint = situation.data.wording.open_ended_hint or hint
        return replace(observation, question=f"{observation.question} {hint}")
