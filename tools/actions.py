"""What a model can do in one turn.

An *intervention* is a change that the user can make to the scene; it is named by the tool that asks
for it and, where the tool has one, by its argument: `Intervention("move_object", "left")`.
"""

from dataclasses import dataclass
from typing import Literal

InvalidReason = Literal[
    "empty",
    "unreadable",
    "bad_json",
    "unknown_tool",
    "bad_arguments",
    "several_calls",
]


@dataclass(frozen=True, slots=True)
class Intervention:
    """A proactive suggestion: the wish that the user changes the scene."""

    tool: str
    argument: str | None = None

    def __str__(self) -> str:
        return f"{self.tool}({self.argument or ''})"


@dataclass(frozen=True, slots=True)
class Answer:
    """A prediction: one of the sample's categories, spelled as in the data."""

    category: str


@dataclass(frozen=True, slots=True)
class Abstain:
    """The model gives up."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Invalid:
    """A reply that stands for no action; `detail` shows what was wrong with it."""

    why: InvalidReason
    detail: str = ""


Action = Intervention | Answer | Abstain | Invalid


@dataclass(frozen=True, slots=True)
class Question:
    """A request in free words; the simulated user turns it into an intervention, or does not."""

    text: str


UNRELATED_REQUEST = Intervention("ask_clarification")
"""A question that no intervention answers.  No state accepts it: it is a suggestion that fails."""
