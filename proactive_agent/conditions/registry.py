"""All conditions by name."""

from proactive_agent.conditions.base import Condition
from proactive_agent.conditions.hint import Hint
from proactive_agent.conditions.reference import Reference
from proactive_agent.conditions.stateless import Stateless

CONDITIONS: dict[str, type[Condition]] = {
    condition.name: condition for condition in (Condition, Hint, Reference, Stateless)
}
