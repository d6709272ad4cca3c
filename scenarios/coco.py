"""COCO: a crop that misses the object. The camera can be moved, or stepped back.

A sample is one picture and a box that grows. As published, the sample's box (left, top, width,
height) is used as (left, upper, right, lower). A step left or up is subtracted from the left or
upper edge. A step right or down is added to the right or lower edge. `zoom` moves all four edges;
then the sample's top is added to the lower edge and its left to the right edge.

The first turn shows one step. After the n-th move along an axis the step becomes
`step / n * (n + 1)`. The order of these floating-point operations is part of the protocol, because
the result is compared with the largest step to decide which moves are still on offer.
"""

from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, model_validator

from proactive_agent.scenarios.clear_window import Box, clear_window, fits
from proactive_agent.scenarios.environment import Environment, ImageRef
from proactive_agent.scenarios.sample import Pixels, Sample, Text, Turns, check_relative, quoted
from proactive_agent.scenarios.wording import Wording
from proactive_agent.tools import Intervention

HORIZONTAL = ("left", "right")
VERTICAL = ("up", "down")

LEFT_OPTION = "Move the camera to the left."
RIGHT_OPTION = "Move the camera to the right."
UP_OPTION = "Move the camera up."
DOWN_OPTION = "Move the camera down."
FARTHER_OPTION = "Move farther from the object."
"""Suggestions that can run out. As in the published code, the whole text is compared."""


class Crop(BaseModel):
    """The initial box, in pixels."""

    model_config = ConfigDict(strict=True, frozen=True)

    top: Pixels
    left: Pixels
    height: Pixels
    width: Pixels


class CocoSample(Sample):
    """A picture, the initial box and the direction in which it grows."""

    direction: Text
    """left, right, up, down, two of them joined by "_", or zoom."""
    granularity: Turns
    """Steps per axis."""
    horizontal_step: Pixels
    vertical_step: Pixels
    crop: Crop

    @model_validator(mode="before")
    @classmethod
    def _unused_fields(cls, fields: Any) -> Any:
        """Accepts null in fields that this sample does not use."""
        if not isinstance(fields, dict):
            return fields
        unused: dict[str, float] = {"first_image": 0, "num_images": 1, "reference_image": 0}
        direction = fields.get("direction")
        if isinstance(direction, str) and direction != "zoom":
            parts = direction.split("_")
            unused |= {} if {*parts} & {*HORIZONTAL} else {"horizontal_step": 0.0}
            unused |= {} if {*parts} & {*VERTICAL} else {"vertical_step": 0.0}
        return fields | {name: unused[name] for name in unused if fields.get(name) is None}

    @model_validator(mode="after")
    def _known_direction(self) -> Self:
        parts = self.directions
        known = all(part in (*HORIZONTAL, *VERTICAL) for part in parts) and len(parts) <= 2
        if self.direction != "zoom" and not (known and len(set(parts)) == len(parts)):
            raise ValueError(f"direction {quoted(self.direction)} is unknown")
        return self

    @property
    def directions(self) -> list[str]:
        """The single directions of `direction`."""
        return self.direction.split("_")


class Coco(Environment[CocoSample]):
    """An object outside the visible crop."""

    name = "coco"
    stem = "coco2014"
    title = "COCO"
    published_counts = (4384, 1240)
    sample_type = CocoSample
    keywords: ClassVar = {
        "to the left": Intervention("move_camera", "left"),
        "to the right": Intervention("move_camera", "right"),
        "up": Intervention("move_camera", "up"),
        "down": Intervention("move_camera", "down"),
        "farther": Intervention("move_camera", "farther"),
    }
    helpful_tools = frozenset({"move_camera"})
    open_ended = (Intervention("move_camera"), Intervention("move_camera", "farther"))

    def __init__(
        self, sample: CocoSample, wording: Wording, *, reference: bool = False, clear: bool = False
    ) -> None:
        super().__init__(sample, wording, reference=reference, clear=clear)
        self.zoom = sample.direction == "zoom"
        self.directions = frozenset(sample.directions)
        self.horizontal = _Axis(sample.horizontal_step, self._steps_along(HORIZONTAL))
        self.vertical = _Axis(sample.vertical_step, self._steps_along(VERTICAL))

    def _steps_along(self, axis: tuple[str, str]) -> int:
        if self.zoom:
            return self.max_steps
        return self.sample.granularity if self.directions & set(axis) else 0

    @classmethod
    def path_problem(cls, template: str) -> str | None:
        # The template is a plain path; braces have no meaning.
        return check_relative(template)

    @classmethod
    def check(cls, sample: CocoSample) -> None:
        super().check(sample)
        if sample.direction == "zoom" and FARTHER_OPTION not in sample.options:
            raise ValueError(f"options lack {FARTHER_OPTION!r}")

    @property
    def max_steps(self) -> int:
        granularity = self.sample.granularity
        if self.zoom:
            return granularity + 1
        return granularity * len(self.directions)

    @property
    def hint(self) -> str:
        return self.wording.hint("coco-zoom" if self.zoom else "coco")

    def image(self) -> ImageRef:
        box = self._grown(self.horizontal.step, self.vertical.step)
        return ImageRef(self.sample.image_template, box)

    def _grown(self, across: float, down: float) -> Box:
        """Returns the crop after growing this far from the sample's box, along each axis."""
        crop = self.sample.crop
        left, upper, right, lower = crop.left, crop.top, crop.width, crop.height
        if self.zoom or "left" in self.directions:
            left -= across
        if self.zoom or "up" in self.directions:
            upper -= down
        if self.zoom or "right" in self.directions:
            right += across
        if self.zoom or "down" in self.directions:
            lower += down
        if self.zoom:
            right += crop.left
            lower += crop.top
        return left, upper, right, lower

    def clear_image(self) -> ImageRef:
        return ImageRef(self.sample.image_template, self._clear_window())

    def has_clear_frame(self) -> bool:
        return fits(self._clear_window(), self._grown(self.horizontal.step, self.vertical.step))

    def _clear_window(self) -> Box:
        return clear_window(
            self._grown(self.horizontal.step, self.vertical.step),
            self._grown(self.horizontal.largest, self.vertical.largest),
            zoom=self.zoom,
        )

    def reference_image(self) -> ImageRef:
        return ImageRef(self.sample.image_template)

    def move(self, intervention: Intervention) -> None:
        if intervention.argument in (*HORIZONTAL, "farther"):
            self.horizontal.advance()
        if intervention.argument in (*VERTICAL, "farther"):
            self.vertical.advance()

    def possible(self, option: str) -> bool:
        if self.zoom:
            # Equality, as published. Rounding can keep the option until the turn limit.
            return option != FARTHER_OPTION or self.horizontal.step != self.horizontal.largest
        if option in (LEFT_OPTION, RIGHT_OPTION):
            return self.horizontal.step < self.horizontal.largest
        if option in (UP_OPTION, DOWN_OPTION):
            return self.vertical.step < self.vertical.largest
        return True

    def admissible(self) -> list[Intervention]:
        # As published: all directions of the sample, even at the edge of the picture.
        arguments = ("farther",) if self.zoom else self.sample.directions
        return [Intervention("move_camera", argument) for argument in arguments]

    def toward_reference(self) -> Intervention | None:
        if self.shows_reference:
            return None
        # The sample's own suggestions, also where foreign ones replace them.
        left = (option for option in self.sample.suggestions if self.possible(option))
        return next(map(self.intervention, left), None)


class _Axis:
    """The growth of the crop along one axis."""

    def __init__(self, step: float, steps: int) -> None:
        self.step = step
        self.largest = step * steps
        self.moves = 0

    def advance(self) -> None:
        self.moves += 1
        self.step = self.step / self.moves * (self.moves + 1)
