"""stateless: each turn is asked afresh, without the conversation so far (the paper's default)."""

from typing import ClassVar

from proactive_agent.play.conditions.base import Condition


class Stateless(Condition):
    """Each turn afresh."""

    name: ClassVar = "stateless"
    keeps_conversation: ClassVar = False
    not_with: ClassVar = {
        "mcqa": "the multiple choice asks each turn afresh anyway",
        "oeg": "open-ended turns are asked afresh anyway",
    }
