"""The interface of a condition, and the combination of several.

To add a condition, subclass `Condition` and add the class to `registry`, or pass it to
`register_condition` at run time.
"""

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Self

from proactive_agent.play.protocols.base import Protocol
from proactive_agent.providers import ImagePart, Message
from proactive_agent.scenarios import (
    SCENARIOS,
    DataFolder,
    ForeignSuggestions,
    ImageRef,
    Observation,
    Sample,
)
from proactive_agent.settings import PlaySettings
from proactive_agent.settings.condition_label import joined
from proactive_agent.tools import ToolsetName, UserError


class ConditionOptions(NamedTuple):
    """Options of conditions that are not part of their labels."""

    history_size: int = PlaySettings.history_size
    """Short edge in pixels of each picture under `history`."""
    icl_reasoning: bool = PlaySettings.icl_reasoning
    """Whether solved examples explain their suggestion in a sentence."""
    icl_reduced: bool = PlaySettings.icl_reduced
    """Whether solved examples have small pictures and at most two turns."""


DEFAULTS = ConditionOptions()


class Prelude(NamedTuple):
    """The messages before the first turn."""

    messages: tuple[Message, ...] = ()
    examples: tuple[Sample, ...] = ()
    """The samples that the messages show, in order; the episode's record names them."""


class Situation(NamedTuple):
    """The sample and the run that a condition is applied to."""

    scenario: str
    sample: Sample
    protocol: Protocol
    data: DataFolder
    conditions: "ConditionSet"
    """All conditions of the run."""
    rng: Callable[[str], random.Random]
    """Returns a random generator for a purpose, seeded by run, sample and purpose. Repeats of a
    sample get the same one."""
    show: Callable[[ImageRef], Awaitable[ImagePart]]
    """Returns a picture as a part of a message. Raises ImageError."""

    @property
    def sample_id(self) -> int | str:
        """The id of the sample."""
        return self.sample.id


class Condition:
    """The zero-shot condition, which changes nothing; subclasses override what they change."""

    name: ClassVar[str] = "zero-shot"
    labels: ClassVar[tuple[str, ...]] = ()
    """The labels that select it, if they differ from its name."""
    reference: ClassVar[bool] = False
    """True if only the reference frame is shown, with the categories alone."""
    clear: ClassVar[bool] = False
    """True if only the reference frame is shown, with the options of the first state."""
    unfiltered: ClassVar[bool] = False
    """True if the samples that the official filter drops are also played."""
    toolset: ClassVar[ToolsetName | None] = None
    """The toolset that the protocol `tools` must offer; None leaves the choice to the user."""
    scenarios: ClassVar[frozenset[str] | None] = None
    """Scenarios that it is defined for; None means all."""
    shows_examples: ClassVar[bool] = False
    """True: solved episodes of other samples come first, with their pictures."""
    keeps_conversation: ClassVar[bool | None] = None
    """Whether earlier turns stay in the conversation; None leaves it to the protocol."""
    not_with: ClassVar[dict[str, str]] = {}
    """Conditions, protocols and toolsets ("toolset NAME") that cannot be combined with this one,
    each with the reason."""

    @classmethod
    def create(cls, label: str, options: ConditionOptions) -> Self:
        """Returns the condition of a label. Raises UserError."""
        return cls()

    @property
    def label(self) -> str:
        """The label that selects this condition."""
        return self.name

    def check_run(self, scenarios: Sequence[str], data: DataFolder) -> None:
        """Raises UserError if the condition cannot be applied to these scenarios of this data."""
        if self.scenarios is None:
            return
        if others := [name for name in scenarios if name not in self.scenarios]:
            known = ", ".join(name for name in SCENARIOS if name in self.scenarios)
            raise UserError(f"condition {self.label!r} is defined for {known}, not for {others[0]}")

    def foreign_suggestions(
        self, sample: Sample, situation: Situation
    ) -> ForeignSuggestions | None:
        """Returns what replaces the sample's suggestions, or None to keep them.

        Raises SampleError.
        """
        return None

    def observe(self, observation: Observation, situation: Situation) -> Observation:
        """Returns the observation that the model sees."""
        return observation

    async def prelude(self, situation: Situation) -> Prelude:
        """Returns the messages before the first turn. Raises ImageError, SampleError."""
        return Prelude()


@dataclass(frozen=True)
class ConditionSet:
    """The conditions of a run."""

    parts: tuple[Condition, ...]

    @property
    def name(self) -> str:
        """The label of all parts, joined by "+"."""
        return joined(part.label for part in self.parts)

    @property
    def reference(self) -> bool:
        """Whether only the reference frame is shown, with the categories alone."""
        return any(part.reference for part in self.parts)

    @property
    def clear(self) -> bool:
        """Whether only the reference frame is shown, with the options of the first state."""
        return any(part.clear for part in self.parts)

    @property
    def unfiltered(self) -> bool:
        """Whether the samples that the official filter drops are also played."""
        return any(part.unfiltered for part in self.parts)

    @property
    def scenarios(self) -> frozenset[str] | None:
        """Scenarios that all parts are defined for; None means all."""
        known = [part.scenarios for part in self.parts if part.scenarios is not None]
        return frozenset.intersection(*known) if known else None

    def toolset(self, asked: ToolsetName) -> ToolsetName:
        """Returns the toolset to offer if the user asks for `asked`.

        The toolset of a condition replaces the default, `scenario` (agents: `episode`). Raises
        UserError if the user asks for a third one.
        """
        self._check_against(f"toolset {asked}")
        own = next((part.toolset for part in self.parts if part.toolset), asked)
        if asked not in ("scenario", "episode", own):
            raise UserError(f"condition {self.name!r} offers the toolset {own!r}, not {asked!r}")
        return own

    def keeps_conversation(self, default: bool) -> bool:
        """Whether earlier turns stay; `default` is the protocol's choice."""
        decided = [p.keeps_conversation for p in self.parts if p.keeps_conversation is not None]
        return decided[0] if decided else default

    def check_run(self, scenarios: Sequence[str], data: DataFolder) -> None:
        """Raises UserError if a part cannot be applied to these scenarios of this data."""
        for part in self.parts:
            part.check_run(scenarios, data)

    def foreign_suggestions(
        self, sample: Sample, situation: Situation
    ) -> ForeignSuggestions | None:
        """Returns what replaces the sample's suggestions, or None. Raises SampleError."""
        found = (part.foreign_suggestions(sample, situation) for part in self.parts)
        return next((foreign for foreign in found if foreign is not None), None)

    def observe(self, observation: Observation, situation: Situation) -> Observation:
        """Returns the observation that the model sees."""
        for part in self.parts:
            observation = part.observe(observation, situation)
        return observation

    async def prelude(self, situation: Situation) -> Prelude:
        """Returns the messages before the first turn. Raises ImageError, SampleError."""
        messages: list[Message] = []
        examples: list[Sample] = []
        for part in self.parts:
            added = await part.prelude(situation)
            messages += added.messages
            examples += added.examples
        return Prelude(tuple(messages), tuple(examples))

    def check(self, protocol: str) -> None:
        """Raises UserError if the parts cannot be combined with each other or the protocol."""
        names = [part.name for part in self.parts]
        if len(set(names)) < len(names):
            raise UserError(f"condition {self.name!r} contains a part twice")
        if len(names) > 1 and Condition.name in names:
            raise UserError(
                f"condition {self.name!r}: {Condition.name!r} changes nothing; leave it out"
            )
        self._check_against(*names, protocol)

    def _check_against(self, *others: str) -> None:
        for part in self.parts:
            for other in others:
                if other in part.not_with:
                    raise UserError(
                        f"condition {part.label!r} with {other!r}: {part.not_with[other]}"
                    )
