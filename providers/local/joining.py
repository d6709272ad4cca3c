"""Joins the tensors of pictures that were processed one by one into the input of a batch.

An image processor takes all pictures of a batch at once, and each model family joins them in a
different form. A trial finds this form: the joined tensors must equal those of one call for the
whole batch.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
import transformers
from PIL import ExifTags, Image, ImageOps

log = logging.getLogger(__name__)

Processed = Mapping[str, Any]
"""The outputs of an image processor for one picture, by name."""

Rows = Sequence[Sequence[Any]]
"""One output of an image processor: a value for each picture, by prompt."""

_PROCESSED = "processed"
"""Entry of `Image.info` in which a stand-in carries a processed picture."""


def stand_in(processed: Processed) -> Image.Image:
    """Returns a picture of one pixel that carries a processed picture, also after `convert`."""
    image = Image.new("RGB", (1, 1))
    image.info[_PROCESSED] = processed
    return image


class JoiningProcessor:
    """An image processor that can process pictures one by one.

    It behaves like the image processor `own` until `learn` succeeds. From then on, it takes
    stand-ins instead of pictures. Their floating-point tensors have the type `dtype`, which is
    that of the model, because the model's input is converted to it anyway.
    """

    def __init__(self, own: Any, dtype: torch.dtype) -> None:
        self.own = own
        self.dtype = dtype
        self._forms: dict[str, _Form] | None = None
        self._arguments: dict[str, Any] = {}
        self._turns_upright = False
        """Whether the processor applies the EXIF orientation before it calls this."""
        self._calls: list[_ProcessorCall] | None = None
        """The calls during a trial."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["own"], name)

    @property
    def joins(self) -> bool:
        """Whether `learn` succeeded."""
        return self._forms is not None

    def __call__(self, images: Any, **arguments: Any) -> Any:
        """Processes the pictures, or joins the stand-ins, of several prompts."""
        if self._forms is None:
            output = self.own(images, **arguments)
            if self._calls is not None:
                self._calls.append(_ProcessorCall(images, arguments, dict(output)))
            return output
        rows = [[image.info[_PROCESSED] for image in row] for row in images]
        joined = {name: form(_column(rows, name)) for name, form in self._forms.items()}
        return transformers.BatchFeature(joined)

    def alone(self, image: Image.Image) -> Processed:
        """Processes one picture. Raises the errors of the image processor."""
        if self._turns_upright:
            image = ImageOps.exif_transpose(image)
        output = self.own([[image]], **self._arguments)
        return {name: self._converted(value) for name, value in output.items()}

    def learn(self, process: Callable[[], Mapping[str, Any]]) -> None:
        """Finds the forms by a trial; `joins` tells whether it succeeded.

        `process` makes the input of a batch: from pictures, and once `joins` is true from
        stand-ins. Its prompts should have different numbers of pictures of different sizes. The
        first picture must have an EXIF orientation.
        """
        self.forget()
        self._calls = []
        try:
            expected = process()
            (call,) = self._calls
            self._arguments = call.arguments
            # `exif_transpose` removes the orientation.
            self._turns_upright = ExifTags.Base.Orientation not in call.images[0][0].getexif()
            rows = [[self.alone(image) for image in row] for row in call.images]
            self._forms = {
                name: self._form(name, value, _column(rows, name))
                for name, value in call.output.items()
            }
            if not _same(dict(expected), dict(process())):
                raise ValueError("joined pictures give another input")
        except Exception as error:  # Processors can raise any exception.
            self.forget()
            log.info("pictures are processed again in each batch: %s", error)
        finally:
            self._calls = None

    def forget(self) -> None:
        """Goes back to processing the pictures of a batch in one call."""
        self._forms = None

    def _form(self, name: str, expected: Any, column: Rows) -> "_Form":
        for join in (_one_after_another, _by_prompt, _counted):
            form = _Form(join, getattr(expected, "dtype", None))
            try:
                found = self._converted(form(column))
            except (TypeError, ValueError, RuntimeError, IndexError):
                continue
            if _same(found, self._converted(expected)):
                return form
        raise ValueError(f"{name} of a batch is not that of its pictures")

    def _converted(self, value: Any) -> Any:
        floating = isinstance(value, torch.Tensor) and value.is_floating_point()
        return value.to(self.dtype) if floating else value


class _ProcessorCall(NamedTuple):
    images: list[list[Image.Image]]
    arguments: dict[str, Any]
    output: dict[str, Any]


class _Form(NamedTuple):
    """The form in which one output of a batch is joined. `dtype` is None for a list."""

    join: Callable[[Rows, torch.dtype | None], Any]
    dtype: torch.dtype | None

    def __call__(self, column: Rows) -> Any:
        return self.join(column, self.dtype)


def _column(rows: Sequence[Sequence[Processed]], name: str) -> Rows:
    return [[one[name] for one in row] for row in rows]


def _one_after_another(column: Rows, dtype: torch.dtype | None) -> Any:
    """Joins all pictures along the first axis."""
    return _joined([value for row in column for value in row], 0, dtype)


def _by_prompt(column: Rows, dtype: torch.dtype | None) -> Any:
    """Joins prompts along the first axis, and the pictures of each along the second."""
    if dtype is None:
        return [[item for value in row for item in value[0]] for row in column]
    return _joined([_joined(row, 1, dtype) for row in column], 0, dtype)


def _counted(column: Rows, dtype: torch.dtype | None) -> Any:
    """Sums over the pictures of each prompt, for example to count them."""
    return torch.cat([torch.stack([*row]).sum(0) for row in column])


def _joined(values: Sequence[Any], axis: int, dtype: torch.dtype | None) -> Any:
    """Joins tensors along an axis, padded with zeros along the others; or joins lists."""
    if dtype is None:
        return [item for value in values for item in value]
    shape = [max(sizes) for sizes in zip(*(value.shape for value in values), strict=True)]
    shape[axis] = sum(value.shape[axis] for value in values)
    joined = torch.zeros(shape, dtype=dtype, device=values[0].device)
    start = 0
    for value in values:
        end = start + value.shape[axis]
        window = [slice(size) for size in value.shape]
        window[axis] = slice(start, end)
        joined[tuple(window)] = value
        start = end
    return joined


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    return bool(one == other)
