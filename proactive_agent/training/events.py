"""What a training tells while it runs, for whoever shows it."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from proactive_agent.training.selection import FrameCounts

Phase = Literal["warm-up", "grpo", "sft"]


class Note(NamedTuple):
    """Something that the user should know."""

    text: str


class Mixed(NamedTuple):
    """What is trained on; told before it starts."""

    train: dict[str, FrameCounts]
    """Per scenario."""
    held_out: dict[str, FrameCounts]
    unseen: list[str]
    """Scenarios of the train split that are left out."""


class ReadProgress(NamedTuple):
    """Work before the first step: so many more rows are read, or pictures compared."""

    what: Literal["rows", "pictures"]
    done: int


class Working(NamedTuple):
    """Something that takes a while, and cannot be counted."""

    what: Literal["libraries", "model", "benchmark"]


class Started(NamedTuple):
    """The steps begin."""

    phase: Phase
    steps: int
    done: int
    """Steps of an earlier sitting."""


class Stepped(NamedTuple):
    """What a step logged."""

    phase: Phase
    step: int
    values: dict[str, Any]


class Evaluated(NamedTuple):
    """What the small benchmark found."""

    label: str
    values: dict[str, float]


Event = Note | Mixed | ReadProgress | Working | Started | Stepped | Evaluated
Tell = Callable[[Event], None]
