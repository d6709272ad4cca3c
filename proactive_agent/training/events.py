"""Events of a training, which the command line shows as they happen."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from proactive_agent.training.selection import FrameCounts

Phase = Literal["warm-up", "grpo", "sft"]


class Note(NamedTuple):
    """A remark for the user."""

    text: str


class Mixed(NamedTuple):
    """The rows of a training; sent before it starts."""

    train: dict[str, FrameCounts]
    """Rows to train on, by scenario."""
    held_out: dict[str, FrameCounts]
    unseen: list[str]
    """Scenarios of the train split that are not trained on."""


class ReadProgress(NamedTuple):
    """Progress before the first step: `done` more rows were read, or pictures compared."""

    what: Literal["rows", "pictures"]
    done: int


class Working(NamedTuple):
    """The start of long work without a count."""

    what: Literal["libraries", "model", "benchmark"]


class Started(NamedTuple):
    """The start of the steps of a phase."""

    phase: Phase
    steps: int
    done: int
    """Steps that were done before a resumed training."""


class Stepped(NamedTuple):
    """Values that a step or a held-out evaluation logged."""

    phase: Phase
    step: int
    values: dict[str, Any]


class Evaluated(NamedTuple):
    """Results of the small benchmark."""

    label: str
    values: dict[str, float]


Event = Note | Mixed | ReadProgress | Working | Started | Stepped | Evaluated
OnEvent = Callable[[Event], None]
