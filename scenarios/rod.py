"""ROD, the realistic occlusion data set: blocks hide an object and can be pushed aside.

The fourteen frames form a ring. Moving the blocks left leads to frame - 1, moving them right to
frame + 1. No category counts before the blocks have been moved, because the object is completely
hidden.
"""

from typing import ClassVar

from proactive_agent.scenarios.environment import ExampleForm, ImageRef
from proactive_agent.scenarios.ring import RingEnvironment
from proactive_agent.scenarios.sample import Sample
from proactive_agent.tools import Intervention

LEFT = Intervention("move_object", "left")
RIGHT = Intervention("move_object", "right")

CORRUPT_FRAME = "natural_bluebl_greenr-banana-s6"
"""A file of the release that cannot be read. The published code shows a neighbour instead."""


class Rod(RingEnvironment[Sample]):
    """An object behind blocks that can be moved left and right."""

    name = "rod"
    stem = "Realistic-Occlusion-Dataset"
    title = "ROD"
    published_counts = (88, 88)
    sample_type = Sample
    example_form = ExampleForm(suggestions=1, reduced_edge=512)
    previous = LEFT
    following = RIGHT
    keywords: ClassVar = {"to the left": LEFT, "to the right": RIGHT}
    helpful_tools = frozenset({"move_object", "move_camera"})
    open_ended = (Intervention("move_object"), Intervention("move_camera"))
    first_frame_tells = False

    def image(self) -> ImageRef:
        path = self.sample.image_template.format(image=self.frame)
        if CORRUPT_FRAME in path:
            path = path.replace("s6", "s5" if self.last_intervention == LEFT else "s7")
        return ImageRef(path)

    def reference_image(self) -> ImageRef:
        return ImageRef(self.sample.image_template.format(image=self.sample.reference_image))

    def accepts_category(self) -> bool:
        return self.turn > self.idle_turns
