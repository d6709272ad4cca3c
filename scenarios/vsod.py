"""VSOD: a video in which a person or thing passes in front of an object.

The frames form a ring. Rewinding leads to frame - 1, waiting to frame + 1.
"""

from typing import ClassVar

from proactive_agent.scenarios.environment import ImageRef
from proactive_agent.scenarios.ring import RingEnvironment
from proactive_agent.scenarios.sample import Sample
from proactive_agent.tools import Intervention

REWIND = Intervention("seek_video", "rewind")
WAIT = Intervention("seek_video", "wait")


class VsodSample(Sample):
    """A video in which an object is hidden for a while."""

    strong_occlusions: bool | None
    """False if the first frame already shows the object; the official filter drops such samples.
    Null if that is not known."""


class Vsod(RingEnvironment[VsodSample]):
    """An object behind a passer-by, in a video that can be rewound."""

    name = "vsod"
    stem = "OcclusionDataSet-MM20"
    title = "VSOD"
    published_counts = (63, 42)
    sample_type = VsodSample
    previous = REWIND
    following = WAIT
    keywords: ClassVar = {"rewind the video.": REWIND, "wait for the": WAIT}
    helpful_tools = frozenset({"seek_video", "move_camera"})
    open_ended = (WAIT, REWIND, Intervention("move_camera"))

    def image(self) -> ImageRef:
        return self._frame(self.frame)

    def reference_image(self) -> ImageRef:
        return self._frame(self.sample.reference_image)

    def _frame(self, number: int) -> ImageRef:
        return ImageRef(self.sample.image_template.format(image=str(number).zfill(4)))
