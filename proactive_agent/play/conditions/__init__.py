"""Conditions: changes of what the model is shown. `a+b` combines two."""

from proactive_agent.play.conditions.base import (
    Condition,
    ConditionOptions,
    ConditionSet,
    Prelude,
    Situation,
)
from proactive_agent.play.conditions.registry import parse_condition, register_condition

__all__ = [
    "Condition",
    "ConditionOptions",
    "ConditionSet",
    "Prelude",
    "Situation",
    "parse_condition",
    "register_condition",
]
