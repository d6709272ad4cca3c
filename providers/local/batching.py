"""Collects waiting requests into batches and processes the batches in one thread."""

import threading
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

LINGER = 0.005
"""Seconds without a new request after which an incomplete batch starts."""
PATIENCE = 0.25
"""The same while a request is announced, that is, while its pictures are decoded."""


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting(Generic[T, R]):
    item: T
    group: Hashable
    length: int
    future: "Future[R]"


class Batcher(Generic[T, R]):
    """Turns single items into batches.

    `work` gets items of the same `group`, sorted by `length`, and returns a result or an exception
    for each. A batch has at most `size` items.
    """

    def __init__(
        self,
        work: Callable[[Sequence[T]], Sequence[R | Exception]],
        *,
        size: int,
        group: Callable[[T], Hashable],
        length: Callable[[T], int],
    ) -> None:
        self._work = work
        self._size = size
        self._group = group
        self._length = length
        self._waiting: list[_Waiting[T, R]] = []
        self._announced = 0
        self._latest = 0.0
        self._closed = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    @contextmanager
    def announced(self) -> Iterator[None]:
        """Announces an item, so that an incomplete batch waits a little longer for it."""
        with self._changed:
            self._announced += 1
        try:
            yield
        finally:
            with self._changed:
                self._announced -= 1
                self._changed.notify()

    def submit(self, item: T) -> "Future[R]":
        """Queues an item. Raises RuntimeError after `close`.

        If the future is cancelled before its batch starts, the item is dropped.
        """
        future: Future[R] = Future()
        waiting = _Waiting(item, self._group(item), self._length(item), future)
        with self._changed:
            if self._closed:
                raise RuntimeError("the batcher is closed")
            self._waiting.append(waiting)
            self._latest = time.monotonic()
            if self._thread is None:
                # A daemon thread: a program that exits without `close` must not wait for the model.
                self._thread = threading.Thread(target=self._run, name="local-model", daemon=True)
                self._thread.start()
            self._changed.notify()
        return future

    def close(self) -> None:
        """Cancels waiting items and waits until the current batch is finished."""
        with self._changed:
            self._closed = True
            for waiting in self._waiting:
                waiting.future.cancel()
            self._waiting.clear()
            self._changed.notify()
        if self._thread:
            self._thread.join()

    def _run(self) -> None:
        while (batch := self._next()) is not None:
            taken = [w for w in batch if w.future.set_running_or_notify_cancel()]
            if taken:
                self._finish(taken)

    def _finish(self, batch: list[_Waiting[T, R]]) -> None:
        results: Sequence[R | Exception]
        try:
            results = self._work([waiting.item for waiting in batch])
        except Exception as error:  # Passed on through the futures.
            results = [error] * len(batch)
        for waiting, result in zip(batch, results, strict=True):
            if isinstance(result, Exception):
                waiting.future.set_exception(result)
            else:
                waiting.future.set_result(result)

    def _next(self) -> list[_Waiting[T, R]] | None:
        """Waits for the next batch and returns it; None after `close`."""
        with self._changed:
            while not self._closed:
                self._waiting = [w for w in self._waiting if not w.future.cancelled()]
                remaining = self._until_start()
                if remaining is not None and remaining <= 0:
                    return self._take()
                self._changed.wait(remaining)
        return None

    def _until_start(self) -> float | None:
        """Seconds until a batch starts; None if no item is waiting."""
        if not self._waiting:
            return None
        if len(self._waiting) >= self._size:
            return 0
        pause = PATIENCE if self._announced else LINGER
        return self._latest + pause - time.monotonic()

    def _take(self) -> list[_Waiting[T, R]]:
        # The oldest item comes first, so that none starves. Items of similar length join it, which
        # keeps padding small.
        oldest = self._waiting[0]
        alike = [w for w in self._waiting if w.group == oldest.group]
        alike.sort(key=lambda w: abs(w.length - oldest.length))
        batch = alike[: self._size]
        chosen = set(map(id, batch))
        self._waiting = [w for w in self._waiting if id(w) not in chosen]
        return sorted(batch, key=lambda w: w.length)
