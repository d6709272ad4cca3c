"""Runs tasks in parallel processes and yields their results in order."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from proactive_agent.scenarios.builder.items import BuildError

J = TypeVar("J")
T = TypeVar("T")
R = TypeVar("R")

AHEAD = 4
"""Maximum number of unfinished or unread tasks per worker; bounds the memory use."""


def in_order(
    function: Callable[[J, T], R], job: J, tasks: Iterable[T], workers: int
) -> Iterator[R]:
    """Yields `function(job, task)` for every task, in order.

    One worker means this process. With more, `function` must be importable in a new process.
    Raises BuildError if a worker process dies.
    """
    if workers == 1:
        for task in tasks:
            yield function(job, task)
        return
    # Spawned, because a forked copy of a process with threads (the progress bar) can deadlock.
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, fresh, _set_up, (function, job)) as pool:
        waiting: deque[Future[R]] = deque()
        try:
            for task in tasks:
                waiting.append(pool.submit(_work, task))
                if len(waiting) >= AHEAD * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise BuildError("a worker process died (out of memory?)") from None
        finally:
            for future in waiting:
                future.cancel()


_worker: Callable[[Any], Any]


def _set_up(function: Callable[[Any, Any], Any], job: Any) -> None:
    global _worker
    # The parent handles interrupts and ends the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def work(task: Any) -> Any:
        return function(job, task)

    _worker = work


def _end_with_parent() -> None:
    """Ends a worker whose parent was killed; it would wait for tasks forever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(task: Any) -> Any:
    return _worker(task)
