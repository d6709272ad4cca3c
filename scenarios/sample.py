"""A sample: one line of a scenario's data file, validated on load.

The fields are those of the official release (`<stem>_preprocessed.jsonl`).  Unknown fields are
ignored, so that a release with more of them still loads.
"""

import string
from pathlib import PurePosixPath
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Text = Annotated[str, StringConstraints(min_length=1)]
Count = Annotated[int, Field(ge=1)]
FrameIndex = Annotated[int, Field(ge=0)]
SampleId = int | str

ABSTENTION_MARKS = ("cannot", "do not")
"""An option is an abstention if and only if it contains one of these, in any case."""


def is_abstention(option: str) -> bool:
    """Returns whether an option is an abstention."""
    return any(mark in option.lower() for mark in ABSTENTION_MARKS)


class Sample(BaseModel):
    """The fields that all scenarios share."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    id: SampleId
    image_template: Text
    """Path of a frame, relative to the data folder, with a placeholder for the frame's number."""
    first_image: FrameIndex
    num_images: Count
    reference_image: int
    """Number of the frame that holds enough information."""
    prompt: Text
    options: list[Text] = Field(min_length=1)
    """Proactive suggestions and one abstention, in display order."""
    categories: list[Text] = Field(min_length=1)
    answer: Text

    @model_validator(mode="after")
    def _answer_is_a_category(self) -> Self:
        if self.answer not in self.categories:
            raise ValueError(f"answer {self.answer!r} is not among the categories")
        return self

    @property
    def suggestions(self) -> list[str]:
        """The options that are not abstentions."""
        return [option for option in self.options if not is_abstention(option)]


def check_template(template: str, places: frozenset[str]) -> str | None:
    """Returns the fault of an image template, or None.

    A template may contain only the named placeholders, without attribute access or format.  Its
    path must be relative and without `..`, so that a data file cannot read outside its folder.
    """
    try:
        fields = list(string.Formatter().parse(template))
    except ValueError as error:
        return f"image_template {template!r}: {error}"
    for _, name, width, conversion in fields:
        # A width could ask for gigabytes, and it can contain placeholders itself.
        if name is not None and (name not in places or conversion or width):
            allowed = ", ".join(f"{{{place}}}" for place in sorted(places)) or "none"
            place = f"{name}{'!' + conversion if conversion else ''}{':' + width if width else ''}"
            return f"image_template {template!r} has the place {{{place}}}; allowed: {allowed}"
    return check_relative(template)


def check_relative(path: str) -> str | None:
    """Returns the fault of a path that must stay inside the data folder, or None."""
    parts = PurePosixPath(path.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or (len(path) > 1 and path[1] == ":"):
        return f"path {path!r} leads outside the data folder"
    return None
