"""reference: the frame that holds enough information, and the categories alone (paper, Table 6).

Accuracy here is recognition ability: what the model could reach if it asked.
"""

from typing import ClassVar

from proactive_agent.play.conditions.base import Condition


class Reference(Condition):
    """Only the reference frame."""

    name: ClassVar = "reference"
    reference: ClassVar = True
    not_with: ClassVar = {
        "hint": "nothing can be asked for on the reference frame, so a hint at it misleads",
        "stateless": "the reference frame is a single turn",
    }
