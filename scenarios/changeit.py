"""ChangeIt: a video in which the object or action appears later, or appeared earlier.

A step is `step_size` frames. "Rewind" is not offered if it would leave the video. Otherwise
"wait" is not offered if it would. Each sample has its own turn limit.
"""

from typing import ClassVar

from proactive_agent.scenarios.environment import AcceptedAnswer, Environment, ImageRef
from proactive_agent.scenarios.sample import Count, Sample, Turns
from proactive_agent.scenarios.vsod import REWIND, WAIT
from proactive_agent.tools import Intervention

REWIND_OPTION = "Rewind the video."
WAIT_WORDS = "Wait for the"
"""The published code compares these words including the capital letter."""


class ChangeItSample(Sample):
    """A video in which something changes."""

    step_size: Count
    max_steps: Turns


class ChangeIt(Environment[ChangeItSample]):
    """An object or action that is not visible yet."""

    name = "changeit"
    stem = "ChangeIt"
    title = "CIT"
    published_counts = (946, 396)
    sample_type = ChangeItSample
    keywords: ClassVar = {"rewind the video.": REWIND, "wait for the": WAIT}
    helpful_tools = frozenset({"seek_video"})
    open_ended = (REWIND,)
    can_lead_away = True

    @classmethod
    def check(cls, sample: ChangeItSample) -> None:
        super().check(sample)
        if REWIND_OPTION not in sample.options:
            raise ValueError(f"options lack {REWIND_OPTION!r}")
        if not any(WAIT_WORDS in option for option in sample.options):
            raise ValueError(f"options lack one with {WAIT_WORDS!r}")

    @property
    def max_steps(self) -> int:
        return self.sample.max_steps

    def image(self) -> ImageRef:
        return ImageRef(self.sample.image_template.format(image=str(self.frame)))

    def reference_image(self) -> ImageRef:
        return ImageRef(self.sample.image_template.format(image=str(self.sample.reference_image)))

    def open_ended_suggestions(self) -> list[AcceptedAnswer]:
        # As published: both directions count in every state, even on the first frame, where only
        # waiting is possible.
        waits = (option for option in self.sample.suggestions if option != REWIND_OPTION)
        answers = [AcceptedAnswer(option.removesuffix("."), WAIT) for option in waits]
        return answers + super().open_ended_suggestions()

    def move(self, intervention: Intervention) -> None:
        step = self.sample.step_size
        self.frame += -step if intervention == REWIND else step

    def possible(self, option: str) -> bool:
        if self.frame - self.sample.step_size < 0:
            return option != REWIND_OPTION
        if self.frame + self.sample.step_size >= self.sample.num_images:
            return WAIT_WORDS not in option
        return True

    def toward_reference(self) -> Intervention | None:
        distance = self.sample.reference_image - self.frame
        if abs(distance) < self.sample.step_size:
            return None
        return WAIT if distance > 0 else REWIND
