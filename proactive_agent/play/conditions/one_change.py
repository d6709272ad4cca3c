"""Conditions that change one thing: the question, the frame, the conversation or the samples."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Self

from proactive_agent.play.conditions.base import Condition, ConditionOptions, Situation
from proactive_agent.scenarios import DataFolder, Observation
from proactive_agent.tools import UserError

_ONE_TURN = "an episode has a single turn, so there are no earlier turns to keep"


class Hint(Condition):
    """`hint`: a sentence after the question says that help is possible (paper, Table 7).

    Each scenario has its own hint; `oeg` uses the one that fits all scenarios.
    """

    name: ClassVar = "hint"

    def observe(self, observation: Observation, situation: Situation) -> Observation:
        hint = observation.hint
        if situation.protocol.name == "oeg":
            hint = situation.data.wording.open_ended_hint or hint
        return replace(observation, question=f"{observation.question} {hint}")


class Reference(Condition):
    """`reference`: the reference frame, with the categories alone (paper, Table 6).

    Accuracy here is recognition ability: what the model could reach if it asked for help.
    """

    name: ClassVar = "reference"
    reference: ClassVar = True
    not_with: ClassVar = {
        "hint": "nothing can be asked for on the reference frame, so a hint at it misleads",
        "stateless": "an episode on the reference frame has a single turn",
    }


class Clear(Condition):
    """`clear`: the reference frame, with the suggestions of the first state on offer.

    No help is needed here, so every request is over-asking. Compared with a condition in which
    help is needed, this separates models that see when to ask from models that always ask. Only
    the content of the picture differs: question, options and picture size are those of the first
    state.
    """

    name: ClassVar = "clear"
    clear: ClassVar = True
    not_with: ClassVar = {
        "reference": "clear offers suggestions and reference removes them",
        "stateless": "an episode on the clear frame has a single turn",
    }


class Stateless(Condition):
    """`stateless`: each turn is asked without the conversation so far (the paper's default)."""

    name: ClassVar = "stateless"
    keeps_conversation: ClassVar = False
    not_with: ClassVar = {
        "mcqa": "each turn of the multiple choice is a new conversation anyway",
        "oeg": "each open-ended turn is a new conversation anyway",
    }


class History(Condition):
    """`history`: earlier turns stay in the conversation, and all pictures are scaled down.

    Every turn is asked in full. Small pictures make room for a dozen of them; the paper takes a
    short edge of 224 pixels.
    """

    name: ClassVar = "history"
    keeps_conversation: ClassVar = True
    not_with: ClassVar = {
        "tools": "tools keep the conversation anyway",
        "oeg": "each open-ended turn is a new conversation, as published",
        "stateless": "history keeps the conversation and stateless drops it",
        "reference": _ONE_TURN,
        "clear": _ONE_TURN,
    }

    def __init__(self, short_edge: int) -> None:
        self.short_edge = short_edge
        """Pixels of the shorter edge of each picture."""

    @classmethod
    def create(cls, label: str, options: ConditionOptions) -> Self:
        if options.history_size < 1:
            raise UserError(
                f"condition 'history': a picture cannot be scaled to {options.history_size} pixels"
            )
        return cls(options.history_size)

    def observe(self, observation: Observation, situation: Situation) -> Observation:
        image = observation.image._replace(short_edge=self.short_edge)
        return replace(observation, image=image)


class Unfiltered(Condition):
    """`unfiltered`: also plays the samples that the filter drops (paper, Table 4).

    The filter drops samples whose first frame gives the object away.
    """

    name: ClassVar = "unfiltered"
    unfiltered: ClassVar = True

    def check_run(self, scenarios: Sequence[str], data: DataFolder) -> None:
        if data.pack is None and data.filter_file is None:
            raise UserError(
                f"condition {self.name!r}: this data has no filter to switch off; "
                "`data protocol DIR` writes that of the official data, `data filter` your own"
            )
