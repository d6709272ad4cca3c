"""Splits batches that do not fit into memory or contain a faulty item."""

import gc
import logging
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import torch

from proactive_agent.providers.base import ProviderError

log = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")

_OUT_OF_MEMORY = ("out of memory", "alloc_failed", "not enough memory", "can't allocate memory")


class Fitting(Generic[T, R]):
    """Calls `work` with as many items as fit into memory.

    `size` is the current batch size. It is halved when memory runs out.
    """

    def __init__(self, work: Callable[[Sequence[T]], Sequence[R]], size: int) -> None:
        self.size = size
        self._work = work

    def __call__(self, items: Sequence[T]) -> list[R | ProviderError]:
        """Returns a result or an error for each item, in the order of the items."""
        results: list[R | ProviderError] = []
        before, one_is_too_large = self.size, False
        while len(results) < len(items):
            part = items[len(results) : len(results) + self.size]
            outcome = self._attempt(part)
            if not isinstance(outcome, Exception):
                results.extend(outcome)
            elif _is_out_of_memory(outcome) and len(part) > 1:
                self.size = len(part) // 2
                log.info("out of memory: batches of %d from now on", self.size)
            elif len(part) > 1:
                log.info("a batch of %d fails: %s", len(part), outcome)
                # Any item may be faulty, so each one is tried alone.
                results.extend(self._alone(item) for item in part)
            else:
                one_is_too_large |= _is_out_of_memory(outcome)
                results.append(as_provider_error(outcome))
        if one_is_too_large:
            # The large item caused the failures; batches without it can keep their size.
            self.size = before
        return results

    def _alone(self, item: T) -> R | ProviderError:
        outcome = self._attempt([item])
        return as_provider_error(outcome) if isinstance(outcome, Exception) else outcome[0]

    def _attempt(self, items: Sequence[T]) -> Sequence[R] | Exception:
        try:
            return self._work(items)
        except Exception as error:
            failure = error
        # The frames of the traceback keep references to tensors.
        failure.__traceback__ = failure.__context__ = failure.__cause__ = None
        if _is_out_of_memory(failure):
            free_memory()
        return failure


def free_memory() -> None:
    """Releases the memory that PyTorch has cached on the accelerator."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()


def _is_out_of_memory(error: Exception) -> bool:
    if isinstance(error, torch.OutOfMemoryError):
        return True
    words = str(error).lower()
    return isinstance(error, RuntimeError) and any(sign in words for sign in _OUT_OF_MEMORY)


def as_provider_error(error: Exception) -> ProviderError:
    """Returns the error of a request that cannot be answered."""
    if isinstance(error, ProviderError):
        return error
    if _is_out_of_memory(error):
        return ProviderError("out_of_memory", "this request alone does not fit into memory")
    return ProviderError("generation_failed", f"{type(error).__name__}: {error}")
