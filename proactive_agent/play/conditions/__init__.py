"""Conditions: what a run varies.  One small file each; `a+b` combines two."""

from proactive_agent.play.conditions.base import (
    Condition,
    ConditionOptions,
    ConditionSet,
)
from proactive_agent.play.conditions.registry import parse_condition

__all__ = ["Condition", "ConditionOptions", "ConditionSet", "parse_condition"]
