"""All conditions, by how they are asked for."""

from proactive_agent.play.conditions.base import DEFAULTS, Condition, ConditionOptions, ConditionSet
from proactive_agent.play.conditions.clear import Clear
from proactive_agent.play.conditions.hint import Hint
from proactive_agent.play.conditions.history import History
from proactive_agent.play.conditions.icl import Icl
from proactive_agent.play.conditions.random_suggestions import RandomSuggestions
from proactive_agent.play.conditions.reference import Reference
from proactive_agent.play.conditions.stateless import Stateless
from proactive_agent.play.conditions.unfiltered import Unfiltered
from proactive_agent.settings.condition_label import parts_of
from proactive_agent.tools import UserError

_ALL: tuple[type[Condition], ...] = (
    Condition, Hint, Reference, Stateless, History, Icl, RandomSuggestions, Unfiltered, Clear,
)  # fmt: skip

CONDITIONS: dict[str, type[Condition]] = {
    label: condition for condition in _ALL for label in condition.labels or (condition.name,)
}


def parse_condition(text: str, protocol: str, options: ConditionOptions = DEFAULTS) -> ConditionSet:
    """The condition of a name, or of several joined by "+".  Raises UserError."""
    parts = []
    for label in parts_of(text):
        if label not in CONDITIONS:
            raise UserError(f"unknown condition {label!r}; known: {', '.join(CONDITIONS)}")
        parts.append(CONDITIONS[label].create(label, options))
    conditions = ConditionSet(tuple(parts))
    conditions.check(protocol)
    return conditions
