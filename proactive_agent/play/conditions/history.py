"""history: earlier turns stay in the conversation, and its pictures are small.

A small picture is what makes room for a dozen of them; the paper takes a short edge of 224 pixels.
"""

from dataclasses import replace
from typing import ClassVar, Self

from proactive_agent.play.conditions.base import Condition, ConditionOptions, Situation
from proactive_agent.scenarios import Observation
from proactive_agent.tools import UserError

_ONE_TURN = "there is one turn, so none is an earlier one"


class History(Condition):
    """The conversation goes on, and every turn is asked in full."""

    name: ClassVar = "history"
    keeps_conversation: ClassVar = True
    not_with: ClassVar = {
        "tools": "tools keep the conversation anyway",
        "oeg": "open-ended turns are asked afresh, as published",
        "stateless": "the one keeps the conversation, the other drops it",
        "reference": _ONE_TURN,
        "clear": _ONE_TURN,
        "random-suggestions": "whoever takes such a suggestion has no further turn",
    }

    def __init__(self, short_edge: int) -> None:
        self.short_edge = short_edge

    @classmethod
    def create(cls, label: str, options: ConditionOptions) -> Self:
        if options.history_size < 1:
            raise UserError(f"a picture cannot be scaled to {options.history_size} pixels")
        return cls(options.history_size)

    def observe(self, observation: Observation, situation: Situation) -> Observation:
        image = observation.image._replace(short_edge=self.short_edge)
        return replace(observation, image=image)
