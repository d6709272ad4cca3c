"""MVP-N: an object seen from an ambiguous side. It can be turned.

Turn t shows view `valid_images[t]`; the first turn shows `first_image`. The last allowed turn and
the reference frame show the informative view. In the last allowed turn only the category counts.
"""

from functools import cached_property
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field, model_validator

from proactive_agent.scenarios.environment import Environment, ExampleForm, ImageRef
from proactive_agent.scenarios.sample import MAX_FRAMES, FrameIndex, Sample
from proactive_agent.scenarios.wording import Wording
from proactive_agent.tools import Intervention

ROTATE = Intervention("rotate_object")


def _views(value: Any) -> Any:
    return [] if value is None else value


class MvpNSample(Sample):
    """An object and its views."""

    valid_images: Annotated[list[FrameIndex], Field(max_length=MAX_FRAMES), BeforeValidator(_views)]
    """The view shown in each turn; empty or null for all views in order."""

    @model_validator(mode="after")
    def _a_view_per_turn(self) -> Self:
        if self.valid_images and len(self.valid_images) < self.num_images:
            raise ValueError(
                f"valid_images has {len(self.valid_images)} views for {self.num_images} turns"
            )
        return self

    @cached_property
    def views(self) -> list[int]:
        """The view shown in each turn."""
        return self.valid_images or list(range(self.num_images))


class MvpN(Environment[MvpNSample]):
    """An object seen from an uninformative side, which can be turned."""

    name = "mvp-n"
    stem = "MVP-N"
    title = "MVP-N"
    published_counts = (4197, 2591)
    sample_type = MvpNSample
    example_form = ExampleForm(suggestions=None, reduced_edge=112)
    places = frozenset({"informative", "image"})
    keywords: ClassVar = dict.fromkeys(
        ("rotate", "view", "angle", "orientation", "different"), ROTATE
    )
    helpful_tools = frozenset({"rotate_object", "move_camera"})
    open_ended = (ROTATE, Intervention("move_camera"))
    first_frame_tells = False

    def __init__(
        self, sample: MvpNSample, wording: Wording, *, reference: bool = False, clear: bool = False
    ) -> None:
        super().__init__(sample, wording, reference=reference, clear=clear)
        # Equals the turn, except that a turn lost in forgiving play rotates nothing. Only the last
        # view exists as an informative picture.
        self.rotations = 0

    def at_reference(self) -> bool:
        return self.rotations + 1 == self.sample.num_images

    def image(self) -> ImageRef:
        return self._view(self.frame, informative=self.at_reference())

    def reference_image(self) -> ImageRef:
        return self._view(self.sample.reference_image, informative=True)

    def _view(self, number: int, *, informative: bool) -> ImageRef:
        path = self.sample.image_template.format(
            informative=int(informative), image=str(number).zfill(4)
        )
        return ImageRef(path)

    def move(self, intervention: Intervention) -> None:
        self.rotations += 1
        self.frame = self.sample.views[self.rotations]

    def frame_exists(self, frame: int) -> bool:
        return frame in self.sample.views

    def accepts(self, suggestion: str) -> bool:
        return not self.last_allowed_turn

    def toward_reference(self) -> Intervention | None:
        return None if self.last_allowed_turn else ROTATE
