"""clear: the frame that holds enough information, with what the first state has on offer.

Nobody needs help here, so whoever asks for it over-asks.  Beside a condition in which help is
needed this tells a model that sees when to ask from one that always does.
"""

from typing import ClassVar

from proactive_agent.play.conditions.base import Condition


class Clear(Condition):
    """The reference frame, and the first state's suggestions."""

    name: ClassVar = "clear"
    clear: ClassVar = True
    not_with: ClassVar = {
        "reference": "the one offers what could be asked for, the other takes it away",
        "stateless": "the clear frame is a single turn",
    }
