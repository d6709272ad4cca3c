"""Caches processed pictures, because a conversation shows each picture in several turns."""

import copy
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from PIL import Image

from proactive_agent.providers.base import ProviderError
from proactive_agent.providers.local.chat import load_picture
from proactive_agent.providers.local.fitting import as_provider_error
from proactive_agent.providers.local.joining import JoiningProcessor, Processed, stand_in
from proactive_agent.providers.messages import ImagePart

KEPT_BYTES = 2**30
"""Most bytes of processed pictures. The least recently used ones are dropped first; these are
mostly pictures of episodes that have ended."""


class _Kept(NamedTuple):
    processed: Processed
    size: tuple[int, int]
    bytes: int


class ProcessedPictures:
    """Processes pictures before their prompts are put into batches. Thread-safe.

    `processor` is a copy of the model's processor, and the one to call.
    """

    def __init__(self, processor: Any, dtype: torch.dtype, kept_bytes: int = KEPT_BYTES) -> None:
        self.kept_bytes = kept_bytes
        self.bytes = 0
        """Memory of the pictures that are kept."""
        self.processor = processor
        self.joining = JoiningProcessor(getattr(processor, "image_processor", None), dtype)
        if self.joining.own:
            self.processor = copy.copy(processor)
            self.processor.image_processor = self.joining
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def are_kept(self) -> bool:
        """Whether pictures are processed one by one, so that they can be kept."""
        return self.joining.joins

    def learn(self, process: Callable[[], Mapping[str, Any]]) -> None:
        """Finds out whether pictures can be processed one by one; see `JoiningProcessor.learn`."""
        self.joining.learn(process)
        self.clear()

    def prepare(self, picture: ImagePart) -> tuple[int, int]:
        """Processes a picture unless it is kept; returns its width and height in pixels.

        Raises ProviderError if the picture cannot be read or processed.
        """
        try:
            if kept := self._recent(picture.key):
                return kept.size
            image = load_picture(picture)
        except Exception as error:
            raise ProviderError("bad_request", f"{type(error).__name__}: {error}") from error
        if self.are_kept:
            try:
                self._process(picture.key, image)
            except Exception as error:
                raise as_provider_error(error) from error
        return image.size

    def for_processor(self, picture: ImagePart) -> Image.Image:
        """Returns the input of the processor for a picture: a stand-in if pictures are kept."""
        if not self.are_kept:
            return load_picture(picture)
        kept = self._recent(picture.key) or self._process(picture.key, load_picture(picture))
        return stand_in(kept.processed)

    def clear(self) -> None:
        """Frees the memory of all pictures."""
        with self._lock:
            self._kept.clear()
            self.bytes = 0

    def _recent(self, key: str) -> _Kept | None:
        with self._lock:
            if kept := self._kept.get(key):
                self._kept.move_to_end(key)
            return kept

    def _process(self, key: str, image: Image.Image) -> _Kept:
        processed = self.joining.alone(image)
        tensors = (value for value in processed.values() if isinstance(value, torch.Tensor))
        made = _Kept(processed, image.size, sum(tensor.nbytes for tensor in tensors))
        with self._lock:
            if key not in self._kept:
                self._kept[key] = made
                self.bytes += made.bytes
            while self.bytes > self.kept_bytes:
                _, oldest = self._kept.popitem(last=False)
                self.bytes -= oldest.bytes
        return made
