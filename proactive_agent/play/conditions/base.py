"""What a condition can change, and how several are combined.

To add one: a file in this package with a subclass of `Condition`, and its line in `registry`.
"""

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Self

from proactive_agent.play.protocols.base import Protocol
from proactive_agent.providers import ImagePart, Message
from proactive_agent.scenarios import SCENARIOS, DataFolder, ImageRef, Observation
from proactive_agent.settings import PlaySettings
from proactive_agent.settings.condition_label import joined
from proactive_agent.tools import ToolsetName, UserError


class ConditionOptions(NamedTuple):
    """What the user can say about conditions beside their names."""

    history_size: int = PlaySettings.history_size
    icl_reasoning: bool = PlaySettings.icl_reasoning


DEFAULTS = ConditionOptions()


class Situation(NamedTuple):
    """What a condition may look at."""

    scenario: str
    sample_id: int | str
    protocol: Protocol
    data: DataFolder
    conditions: "ConditionSet"
    """All that hold in this run."""
    rng: Callable[[str], random.Random]
    """A generator for a purpose, seeded by run, sample and purpose: a sample that is played again
    is put the same way."""
    show: Callable[[ImageRef], Awaitable[ImagePart]]
    """A picture as a part of a message.  Raises ImageError."""


class Condition:
    """The zero-shot condition: nothing is changed.  Others override what they change."""

    name: ClassVar[str] = "zero-shot"
    labels: ClassVar[tuple[str, ...]] = ()
    """How it is asked for, where that is not its name."""
    reference: ClassVar[bool] = False
    """True: only the reference frame is shown, with the categories alone."""
    clear: ClassVar[bool] = False
    """True: only the reference frame is shown, with what the first state has on offer."""
    unfiltered: ClassVar[bool] = False
    """True: the samples that the official filter drops are played as well."""
    toolset: ClassVar[ToolsetName | None] = None
    """The toolset that the protocol `tools` has to offer; None leaves it to the user."""
    scenarios: ClassVar[frozenset[str] | None] = None
    """Scenarios that it is known for; None is all."""
    keeps_conversation: ClassVar[bool | None] = None
    """Whether earlier turns stay in the conversation; None leaves it to the protocol."""
    not_with: ClassVar[dict[str, str]] = {}
    """Conditions, protocols and toolsets ("toolset NAME") that make no sense together with this
    one, and why."""

    @classmethod
    def create(cls, label: str, options: ConditionOptions) -> Self:
        """The condition as it was asked for.  Raises UserError."""
        return cls()

    @property
    def label(self) -> str:
        """How it was asked for."""
        return self.name

    def check_run(self, scenarios: Sequence[str], data: DataFolder) -> None:
        """Raises UserError where the condition cannot hold for these scenarios of this data."""
        if self.scenarios is None:
            return
        if others := [name for name in scenarios if name not in self.scenarios]:
            known = ", ".join(name for name in SCENARIOS if name in self.scenarios)
            raise UserError(f"condition {self.label!r} is known for {known}; not {others[0]}")

    def observe(self, observation: Observation, situation: Situation) -> Observation:
        """What of a state is shown."""
        return observation

    async def prelude(self, situation: Situation) -> tuple[Message, ...]:
        """Messages that come before the first turn.  Raises ImageError, SampleError."""
        return ()


@dataclass(frozen=True)
class ConditionSet:
    """Conditions that hold together."""

    parts: tuple[Condition, ...]

    @property
    def name(self) -> str:
        """Its parts joined by "+"."""
        return joined(part.label for part in self.parts)

    @property
    def reference(self) -> bool:
        """Whether only the reference frame is shown, with the categories alone."""
        return any(part.reference for part in self.parts)

    @property
    def clear(self) -> bool:
        """Whether only the reference frame is shown, with what the first state has on offer."""
        return any(part.clear for part in self.parts)

    @property
    def unfiltered(self) -> bool:
        """Whether the samples that the official filter drops are played as well."""
        return any(part.unfiltered for part in self.parts)

    @property
    def scenarios(self) -> frozenset[str] | None:
        """Scenarios that all parts are known for; None is all."""
        known = [part.scenarios for part in self.parts if part.scenarios is not None]
        return frozenset.intersection(*known) if known else None

    def toolset(self, asked: ToolsetName) -> ToolsetName:
        """The toolset to offer where the user asks for this one.

        A condition that has its own takes the place of `scenario`, the default, and of no other.
        Raises UserError.
        """
        self._check_against(f"toolset {asked}")
        own = next((part.toolset for part in self.parts if part.toolset), asked)
        if asked not in ("scenario", own):
            raise UserError(f"condition {self.name!r} has the toolset {own!r}; not {asked!r}")
        return own

    def keeps_conversation(self, default: bool) -> bool:
        """Whether earlier turns stay, where the protocol's own way is `default`."""
        decided = [p.keeps_conversation for p in self.parts if p.keeps_conversation is not None]
        return decided[0] if decided else default

    def check_run(self, scenarios: Sequence[str], data: DataFolder) -> None:
        """Raises UserError where a part cannot hold for these scenarios of this data."""
        for part in self.parts:
            part.check_run(scenarios, data)

    def observe(self, observation: Observation, situation: Situation) -> Observation:
        """What of a state is shown."""
        for part in self.parts:
            observation = part.observe(observation, situation)
        return observation

    async def prelude(self, situation: Situation) -> tuple[Message, ...]:
        """Messages that come before the first turn.  Raises ImageError, SampleError."""
        messages: list[Message] = []
        for part in self.parts:
            messages += await part.prelude(situation)
        return tuple(messages)

    def check(self, protocol: str) -> None:
        """Raises UserError where the combination makes no sense."""
        names = [part.name for part in self.parts]
        if len(set(names)) < len(names):
            raise UserError(f"condition {self.name!r} names one of its parts twice")
        if len(names) > 1 and Condition.name in names:
            raise UserError(
                f"condition {self.name!r}: {Condition.name!r} means that nothing is varied"
            )
        self._check_against(*names, protocol)

    def _check_against(self, *others: str) -> None:
        for part in self.parts:
            for other in others:
                if other in part.not_with:
                    raise UserError(
                        f"condition {part.label!r} with {other!r}: {part.not_with[other]}"
                    )
