"""QuickDraw: a drawing that begins with its first stroke.

Each valid suggestion adds a stroke. In the last allowed turn only the category counts.
"""

from typing import ClassVar

from proactive_agent.scenarios.environment import Environment, ImageRef
from proactive_agent.scenarios.sample import Sample
from proactive_agent.tools import Intervention

DETAILS = Intervention("add_details")


class QuickDraw(Environment[Sample]):
    """An unfinished drawing."""

    name = "quickdraw"
    stem = "QuickDraw"
    title = "QD"
    published_counts = (3375, 2105)
    sample_type = Sample
    keywords: ClassVar = dict.fromkeys(("details", "quickdraw", "drawing", "sketch"), DETAILS)
    helpful_tools = frozenset({"add_details"})
    open_ended = (DETAILS,)

    def image(self) -> ImageRef:
        return self._strokes(self.frame)

    def reference_image(self) -> ImageRef:
        return self._strokes(self.sample.reference_image)

    def _strokes(self, number: int) -> ImageRef:
        return ImageRef(self.sample.image_template.format(image=str(number).zfill(4)))

    def move(self, intervention: Intervention) -> None:
        self.frame += 1

    def accepts(self, suggestion: str) -> bool:
        return not self.last_allowed_turn

    def toward_reference(self) -> Intervention | None:
        return DETAILS if self.frame < self.sample.reference_image else None
