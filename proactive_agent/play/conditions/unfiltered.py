"""unfiltered: also the samples that the official filter drops.

Their first frame gives the object away to a model or to a person.
"""

from collections.abc import Sequence
from typing import ClassVar

from proactive_agent.play.conditions.base import Condition
from proactive_agent.scenarios import DataFolder
from proactive_agent.tools import UserError


class Unfiltered(Condition):
    """All samples."""

    name: ClassVar = "unfiltered"
    unfiltered: ClassVar = True

    def check_run(self, scenarios: Sequence[str], data: DataFolder) -> None:
        if data.pack is None:
            raise UserError(f"condition {self.name!r}: without a protocol pack there is no filter")
