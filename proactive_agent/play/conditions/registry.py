"""All conditions by their labels; `register_condition` adds one at run time."""

from typing import TypeVar, get_args

from proactive_agent.play.conditions.base import DEFAULTS, Condition, ConditionOptions, ConditionSet
from proactive_agent.play.conditions.icl import Icl
from proactive_agent.play.conditions.one_change import (
    Clear,
    Hint,
    History,
    Reference,
    Stateless,
    Unfiltered,
)
from proactive_agent.play.conditions.random_suggestions import (
    RandomSuggestions,
    UselessSuggestions,
)
from proactive_agent.settings import ProtocolName
from proactive_agent.settings.condition_label import is_well_formed, name_of, parts_of
from proactive_agent.tools import UserError
from proactive_agent.tools.suggestions import known_names

_BUILT_IN: tuple[type[Condition], ...] = (
    Condition, Hint, Reference, Stateless, History, Icl, RandomSuggestions, UselessSuggestions,
    Unfiltered, Clear,
)  # fmt: skip

ConditionType = TypeVar("ConditionType", bound=type[Condition])

CONDITIONS: dict[str, type[Condition]] = {
    label: condition for condition in _BUILT_IN for label in condition.labels or (condition.name,)
}
"""Condition classes by label."""


def register_condition(condition: ConditionType) -> ConditionType:
    """Makes a condition of your own available by its labels, in this process.

    Also works as a class decorator. A class that is defined again replaces its older self, as
    happens when a notebook cell is run twice. Raises UserError if a label is taken or malformed.
    """
    labels = condition.labels or (condition.name,)
    for label in labels:
        if not is_well_formed(label) or name_of(label) != condition.name:
            raise UserError(
                f"condition label {label!r} of {condition.__name__}: expected its name "
                f"{condition.name!r} in lower-case letters, digits and hyphens, optionally "
                'followed by ":" and an argument'
            )
    if condition.name in get_args(ProtocolName):
        raise UserError(f"condition name {condition.name!r} is the name of a protocol")
    for other in CONDITIONS.values():
        if other.name == condition.name and not _is_redefined(other, condition):
            raise UserError(
                f"condition name {condition.name!r} of {condition.__name__} is taken by "
                f"{other.__name__}: set another `name`"
            )
    for label in [label for label, other in CONDITIONS.items() if other.name == condition.name]:
        del CONDITIONS[label]
    CONDITIONS.update(dict.fromkeys(labels, condition))
    return condition


def _is_redefined(old: type[Condition], new: type[Condition]) -> bool:
    """Whether both come from the same definition, run twice."""
    return (old.__module__, old.__qualname__) == (new.__module__, new.__qualname__)


def parse_condition(text: str, protocol: str, options: ConditionOptions = DEFAULTS) -> ConditionSet:
    """Returns the conditions of a label such as `hint` or `hint+icl:3`. Raises UserError."""
    parts = []
    for label in parts_of(text):
        if label not in CONDITIONS:
            raise UserError(f"unknown condition {label!r}; {known_names(label, CONDITIONS)}")
        parts.append(CONDITIONS[label].create(label, options))
    conditions = ConditionSet(tuple(parts))
    conditions.check(protocol)
    return conditions
