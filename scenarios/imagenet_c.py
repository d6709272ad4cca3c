"""ImageNet-C: a corrupted picture. One of four offered enhancements repairs it step by step.

The severity starts at `first_image` (5) and falls by 1 with each valid suggestion. Only the
sample's `quality_answer` is valid. In the last allowed turn only the category counts.
"""

from typing import ClassVar, Self

from pydantic import model_validator

from proactive_agent.scenarios.environment import AcceptedAnswer, Environment, ImageRef
from proactive_agent.scenarios.sample import Sample, Text, quoted
from proactive_agent.tools import Intervention

SEVERITIES = range(1, 6)
OPERATIONS = (
    "brightness", "contrast", "saturation", "deblur",
    "denoise", "compression", "resolution", "artifacts",
)  # fmt: skip


class ImageNetCSample(Sample):
    """A picture in five severities of one corruption."""

    quality_answer: Text
    """The one valid enhancement, as the options word it."""

    @model_validator(mode="after")
    def _quality_answer_is_an_option(self) -> Self:
        if self.quality_answer not in self.options:
            raise ValueError(
                f"quality_answer {quoted(self.quality_answer)} is not among the options"
            )
        return self


class ImageNetC(Environment[ImageNetCSample]):
    """A corrupted picture that can be enhanced."""

    name = "imagenet-c"
    stem = "ImageNet-C"
    title = "IN-C"
    published_counts = (4856, 1095)
    sample_type = ImageNetCSample
    places = frozenset({"level"})
    keywords: ClassVar = {name: Intervention("enhance_image", name) for name in OPERATIONS}
    # Only the right enhancement helps; a request for another one counts as wrong.
    helpful_tools = frozenset()

    def image(self) -> ImageRef:
        return ImageRef(self.sample.image_template.format(level=self.frame))

    def reference_image(self) -> ImageRef:
        return ImageRef(self.sample.image_template.format(level=self.sample.reference_image))

    def open_ended_suggestions(self) -> list[AcceptedAnswer]:
        if self.last_allowed_turn:
            return []
        wanted = self.sample.quality_answer
        return [AcceptedAnswer(wanted.removesuffix("."), self.intervention(wanted))]

    def move(self, intervention: Intervention) -> None:
        self.frame -= 1

    def frame_exists(self, frame: int) -> bool:
        return frame in SEVERITIES

    def accepts(self, suggestion: str) -> bool:
        return suggestion == self.sample.quality_answer and not self.last_allowed_turn

    def toward_reference(self) -> Intervention | None:
        if self.frame <= self.sample.reference_image:
            return None
        return self.intervention(self.sample.quality_answer)
