"""All conditions, by how they are asked for."""

from proactive_agent.conditions.base import Condition
from proactive_agent.conditions.clear import Clear
from proactive_agent.conditions.hint import Hint
from proactive_agent.conditions.history import History
from proactive_agent.conditions.icl import Icl
from proactive_agent.conditions.random_suggestions import RandomSuggestions
from proactive_agent.conditions.reference import Reference
from proactive_agent.conditions.stateless import Stateless
from proactive_agent.conditions.unfiltered import Unfiltered

_ALL: tuple[type[Condition], ...] = (
    Condition, Hint, Reference, Stateless, History, Icl, RandomSuggestions, Unfiltered, Clear,
)  # fmt: skip

CONDITIONS: dict[str, type[Condition]] = {
    label: condition for condition in _ALL for label in condition.labels or (condition.name,)
}
