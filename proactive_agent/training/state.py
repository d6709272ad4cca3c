"""A row in play: an environment that stands still on the row's frame.

So a reply to a row is read and judged by what reads and judges it in a run.
"""

import functools
from typing import Any

from proactive_agent.scenarios import Environment, ImageRef
from proactive_agent.scenarios.registry import SCENARIOS
from proactive_agent.scenarios.sample import Sample
from proactive_agent.scenarios.wording import OWN
from proactive_agent.tools import Intervention
from proactive_agent.training.rows import Row

_NEVER = 1_000_000
"""Turns: the frame of a row is not the last one."""
_TAKEN = ("name", "stem", "title", "keywords", "helpful_tools", "accepts_category")
"""What a row has of its scenario's environment."""
_PICTURE = ImageRef("row")
_WORDING = OWN.model_copy(update={"prefixes": {}, "reference_questions": {}})
"""What a scenario adds to its questions stands in those of the rows already."""


class StandingState(Environment[Sample]):
    """Offers and accepts what a row says."""

    def __init__(self, row: Row, question: str) -> None:
        sample = Sample(
            id=row.index,
            image_template=_PICTURE.path,
            first_image=0,
            num_images=_NEVER,
            reference_image=0,
            prompt=question or "?",
            # A sample has an option at least; what is offered stands below.
            options=list(row.suggestions or row.categories),
            categories=list(row.categories),
            answer=row.answer,
        )
        super().__init__(sample, _WORDING)
        self._row = row
        # A clear frame is never the first of an episode.
        self.turn = int(row.clear)

    @property
    def hint(self) -> str:
        return ""

    def image(self) -> ImageRef:
        return _PICTURE

    def reference_image(self) -> ImageRef:
        return _PICTURE

    def offered(self) -> list[str]:
        return list(self._row.suggestions)

    def accepts(self, suggestion: str) -> bool:
        return suggestion in self._row.accepted

    def move(self, intervention: Intervention) -> None:
        """A row has one frame."""

    def toward_reference(self) -> Intervention | None:
        possible = self.possible_interventions()
        return None if self._row.clear or not possible else possible[0]


def state_of(row: Row, question: str = "") -> StandingState:
    """The state of a row; the question only matters where it is shown."""
    state: StandingState = _kind(row.scenario)(row, question)
    return state


@functools.cache
def _kind(scenario: str) -> Any:
    played = SCENARIOS[scenario]
    taken = {name: getattr(played, name) for name in _TAKEN}
    return type(f"Standing{played.__name__}", (StandingState,), taken)
