"""SIGTERM and SIGHUP end a command in the way of Ctrl-C.

Batch systems send SIGTERM before they kill a job, and a closed terminal sends SIGHUP.  Both become
an `EndedBySignal`, which is a KeyboardInterrupt, so that every command ends them like Ctrl-C: its
records are closed, it says how to go on, and the exit code is 128 plus the number of the signal.
A signal that was ignored when the program began (`nohup`) stays ignored.
"""

import os
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")

SIGNALS = tuple(
    number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None
)


class EndedBySignal(KeyboardInterrupt):
    """A signal asks the program to end. `number` is the signal."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def exit_code(error: KeyboardInterrupt) -> int:
    """Returns the exit code of an interrupted command: 130, 143 (SIGTERM) or 129 (SIGHUP)."""
    return 128 + (error.number if isinstance(error, EndedBySignal) else signal.SIGINT)


def _raise(number: int) -> None:
    raise EndedBySignal(number)


@contextmanager
def signals_as_interrupts(act: Callable[[int], None] = _raise) -> Iterator[None]:
    """Calls `act` with the number of the first signal within the block; later ones raise.

    By default the first one raises EndedBySignal, too. Only the main thread can do this; in
    others, the block does nothing. Child processes that inherit the handlers end at once.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    owner = os.getpid()
    came = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal came
        if os.getpid() != owner:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        elif came:
            _raise(number)
        else:
            came = True
            act(number)

    before = {number: signal.getsignal(number) for number in SIGNALS}
    handled = [number for number in SIGNALS if before[number] not in (signal.SIG_IGN, None)]
    for number in handled:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, before[number])


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine like `asyncio.run`; a signal cancels it and then raises EndedBySignal.

    Cancelling lets the work close its records. A second signal does not wait for that.
    """
    import asyncio

    came: list[int] = []

    async def cancellable() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()

        def cancel(number: int) -> None:
            came.append(number)
            if task is not None:
                loop.call_soon_threadsafe(task.cancel)

        with signals_as_interrupts(cancel):
            return await work

    try:
        return asyncio.run(cancellable())
    except asyncio.CancelledError:
        if came:
            raise EndedBySignal(came[0]) from None
        raise
