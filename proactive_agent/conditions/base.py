"""What a condition can change, and how several are combined.

To add one: a file beside this with a subclass of `Condition`, and its line in `registry`.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from providers import Message
from scenarios import Observation
from tools import UserError


class Situation(NamedTuple):
    """What a condition may look at."""

    scenario: str
    sample_id: int | str
    rng: Callable[[str], random.Random]
    """A generator for a purpose, seeded by run, sample and purpose."""


class Condition:
    """The zero-shot condition: nothing is changed.  Others override what they change."""

    name: ClassVar[str] = "zero-shot"
    reference: ClassVar[bool] = False
    """True: only the reference frame is shown, with the categories alone."""
    keeps_conversation: ClassVar[bool | None] = None
    """Whether earlier turns stay in the conversation; None leaves it to the protocol."""
    not_with: ClassVar[dict[str, str]] = {}
    """Conditions and protocols that make no sense together with this one, and why."""

    def observe(self, observation: Observation, situation: Situation) -> Observation:
        """What of a state is shown."""
        return observation

    def prelude(self, situation: Situation) -> tuple[Message, ...]:
        """Messages that come before the first turn."""
        return ()


@dataclass(frozen=True)
class ConditionSet:
    """Conditions that hold together."""

    parts: tuple[Condition, ...]

    @property
    def name(self) -> str:
        """Its parts joined by "+"."""
        return "+".join(part.name for part in self.parts)

    @property
    def reference(self) -> bool:
        """Whether only the reference frame is shown."""
        return any(part.reference for part in self.parts)

    def keeps_conversation(self, default: bool) -> bool:
        """Whether earlier turns stay, where the protocol's own way is `default`."""
        decided = [p.keeps_conversation for p in self.parts if p.keeps_conversation is not None]
        return decided[0] if decided else default

    def observe(self, observation: Observation, situation: Situation) -> Observation:
        """What of a state is shown."""
        for part in self.parts:
            observation = part.observe(observation, situation)
        return observation

    def prelude(self, situation: Situation) -> tuple[Message, ...]:
        """Messages that come before the first turn."""
        return tuple(message for part in self.parts for message in part.prelude(situation))

    def check(self, protocol: str) -> None:
        """Raises UserError where the combination makes no sense."""
        names = [part.name for part in self.parts]
        if len(set(names)) < len(names):
            raise UserError(f"condition {self.name!r} names one of its parts twice")
        for part in self.parts:
            for other in (*names, protocol):
                if other in part.not_with:
                    raise UserError(
                        f"condition {part.name!r} with {other!r}: {part.not_with[other]}"
                    )


def parse_condition(text: str, protocol: str) -> ConditionSet:
    """The condition of a name, or of several joined by "+".  Raises UserError."""
    from proactive_agent.conditions.registry import CONDITIONS

    parts = []
    for name in text.split("+"):
        if name not in CONDITIONS:
            raise UserError(f"unknown condition {name!r}; known: {', '.join(CONDITIONS)}")
        parts.append(CONDITIONS[name]())
    conditions = ConditionSet(tuple(parts))
    conditions.check(protocol)
    return conditions
