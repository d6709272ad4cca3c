"""The actions that a model can take in one turn.

An *intervention* is a change that the user can make to the scene. It is identified by the tool
that asks for it and by the tool's argument, if it has one: `Intervention("move_object", "left")`.
"""

from dataclasses import dataclass
from typing import Literal

InvalidReason = Literal[
    "empty",
    "unreadable",
    "bad_json",
    "cut_off",
    "unknown_tool",
    "bad_arguments",
    "several_calls",
]


@dataclass(frozen=True, slots=True)
class Intervention:
    """A proactive suggestion: the model asks the user to change the scene."""

    tool: str
    argument: str | None = None

    def __str__(self) -> str:
        return f"{self.tool}({self.argument or ''})"


@dataclass(frozen=True, slots=True)
class Answer:
    """A prediction: one of the sample's categories, with the spelling of the data."""

    category: str


@dataclass(frozen=True, slots=True)
class Abstain:
    """The model gives up."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Invalid:
    """A reply that is not a valid action. `detail` describes the fault."""

    why: InvalidReason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Vague:
    """A wish without a concrete change, such as "a clearer picture". The user asks back."""

    wish: str


Action = Intervention | Answer | Abstain | Invalid | Vague


@dataclass(frozen=True, slots=True)
class Question:
    """A free-text request that the simulated user has not read yet."""

    text: str


UNRELATED_REQUEST = Intervention("ask_clarification")
"""Stands for a question that matches no intervention. No state accepts it, so it always fails."""
