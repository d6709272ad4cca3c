"""A sample: one line of a scenario's data file, validated on load.

The fields are those of the official release (`<stem>_preprocessed.jsonl`). Unknown fields are
ignored, so that a release with more of them still loads. Whole numbers may be written as floats
(`14.0`), and fields that an environment does not use may be null.

Every number and every length has a bound, because a data file may come from someone else. The
bounds are part of the types below, so a new field is bounded by its type.
"""

import string
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

MAX_FRAMES = 10_000
"""Most frames of a sample. The release numbers frames with four digits."""

MAX_TURNS = 1000
"""Largest turn limit that a sample can set by itself. Each turn is a request to a model."""

MAX_PIXEL = 1_000_000.0
"""Largest coordinate or step, in pixels."""

MAX_TEXT = 10_000
"""Most characters of a question, an option or a category."""

MAX_PATH = 500
"""Most characters of a path. A real one has some fifty."""

MAX_ID = 1000
"""Most characters of an id."""

MAX_CHOICES = 100
"""Most options, and most categories, of a sample."""

SHOWN = 200
"""Characters of a faulty text that a message shows."""


def _whole(value: Any) -> Any:
    """Turns a float without a fraction into an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _written(text: str) -> str:
    """Refuses text that cannot be written to a file: JSON can spell half a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{text[error.start]!r} is not a character") from None
    return text


def _bounded_id(value: Any) -> int | str:
    number = _whole(value)
    if isinstance(number, int) and not isinstance(number, bool):
        if -(2**63) <= number < 2**63:
            return number
        raise ValueError("an id of more than 64 bits")
    if not isinstance(value, str):
        raise ValueError("expected a text or a whole number")
    if len(value) > MAX_ID:
        raise ValueError(f"an id of more than {MAX_ID} characters")
    return _written(value)


Written = AfterValidator(_written)
Text = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT), Written]
PathText = Annotated[str, StringConstraints(min_length=1, max_length=MAX_PATH), Written]
Whole = BeforeValidator(_whole)
Count = Annotated[int, Field(ge=1, le=MAX_FRAMES), Whole]
Turns = Annotated[int, Field(ge=1, le=MAX_TURNS), Whole]
FrameIndex = Annotated[int, Field(ge=0, lt=MAX_FRAMES), Whole]
AnyFrameIndex = Annotated[int, Field(gt=-MAX_FRAMES, lt=MAX_FRAMES), Whole]
"""The number of a frame that may be missing, so it may be negative, too."""
Pixels = Annotated[float, Field(ge=-MAX_PIXEL, le=MAX_PIXEL, allow_inf_nan=False)]
SampleId = Annotated[int | str, BeforeValidator(_bounded_id)]

ABSTENTION_MARKS = ("cannot", "do not")
"""An option is an abstention if and only if it contains one of these, in any case."""


@lru_cache(maxsize=4096)
def is_abstention(option: str) -> bool:
    """Returns whether an option is an abstention."""
    return any(mark in option.lower() for mark in ABSTENTION_MARKS)


def quoted(value: object) -> str:
    """Returns a faulty value for a message, cut if it is long."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


class Sample(BaseModel):
    """The fields that all scenarios share."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    id: SampleId
    image_template: PathText
    """Path of a frame, relative to the data folder, with a placeholder for the frame's number."""
    first_image: FrameIndex
    num_images: Count
    reference_image: AnyFrameIndex
    """Number of the frame that shows the object clearly."""
    prompt: Text
    options: list[Text] = Field(min_length=1, max_length=MAX_CHOICES)
    """Proactive suggestions and one abstention, in display order."""
    categories: list[Text] = Field(min_length=2, max_length=MAX_CHOICES)
    """All different."""
    answer: Text
    enough: Annotated[list[FrameIndex], Field(max_length=MAX_FRAMES)] | None = None
    """Numbers of the frames that show enough to answer, if the data lists them."""
    unseen: bool | None = None
    """Whether the object never appears in a train share. Null if that is not known."""

    @model_validator(mode="after")
    def _answer_is_a_category(self) -> Self:
        if self.answer not in self.categories:
            raise ValueError(f"answer {quoted(self.answer)} is not among the categories")
        return self

    @model_validator(mode="after")
    def _categories_differ(self) -> Self:
        for category in self.categories:
            if self.categories.count(category) > 1:
                raise ValueError(f"categories: {quoted(category)} occurs twice")
        return self

    @property
    def suggestions(self) -> list[str]:
        """The options that are not abstentions."""
        return [option for option in self.options if not is_abstention(option)]


def check_template(template: str, places: frozenset[str]) -> str | None:
    """Returns the fault of an image template, or None.

    A template may contain only the named placeholders, without attribute access or format. Its
    path must be relative and without `..`, so that a data file cannot read outside its folder.
    """
    try:
        fields = list(string.Formatter().parse(template))
    except ValueError as error:
        return f"image_template {quoted(template)}: {error}"
    for _, name, width, conversion in fields:
        # A width could ask for gigabytes, and it can contain placeholders itself.
        if name is not None and (name not in places or conversion or width):
            allowed = ", ".join(f"{{{place}}}" for place in sorted(places)) or "none"
            place = f"{name}{'!' + conversion if conversion else ''}{':' + width if width else ''}"
            return (
                f"image_template {quoted(template)} has the place {{{place[:SHOWN]}}}; "
                f"allowed: {allowed}"
            )
    return check_relative(template)


def check_relative(path: str) -> str | None:
    """Returns the fault of a path that must stay inside the data folder, or None."""
    parts = PurePosixPath(path.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or (len(path) > 1 and path[1] == ":"):
        return f"path {quoted(path)} leads outside the data folder"
    return None
