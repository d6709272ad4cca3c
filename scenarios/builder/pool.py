"""Work on many things in parallel, with the results in order and few of them waiting."""

import multiprocessing
import signal
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
"""Tasks under way per worker; results that wait for an earlier one are kept in memory."""


def in_order(
    function: Callable[[J, T], R], job: J, tasks: Iterable[T], workers: int
) -> Iterator[R]:
    """`function(job, task)` for every task, in their order.

    With one worker in this process, else in so many others, where `function` must be importable.
    Raises BuildError where a worker dies.
    """
    if workers == 1:
        for task in tasks:
            yield function(job, task)
        return
    # Processes are started afresh: a copy of one that has threads (a progress bar) can lock up.
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
            raise BuildError("a worker process was ended (out of memory?)") from None
        finally:
            for future in waiting:
                future.cancel()


_worker: Callable[[Any], Any]


def _set_up(function: Callable[[Any, Any], Any], job: Any) -> None:
    global _worker
    # An interrupt is for the parent, which then ends the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def work(task: Any) -> Any:
        return function(job, task)

    _worker = work


def _work(task: Any) -> Any:
    return _worker(task)
