"""The one retry policy for all APIs; the SDKs' own are off."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import tenacity

from proactive_agent.providers.api.faults import ApiError

T = TypeVar("T")
LONGEST_WAIT = 60.0
"""Seconds between two tries, where the server does not ask for more."""


class Retry:
    """Asks again while that can help: exponential waits with jitter, or what the server asks for.

    `first_wait` is in seconds and doubles; `patience` bounds the sum of all waits of one request.
    """

    def __init__(
        self,
        tries: int,
        first_wait: float,
        patience: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._first_wait = first_wait
        self._patience = patience
        self._tries = tries
        self._sleep = sleep

    async def __call__(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """The result of the first attempt that succeeds.  Raises the last ApiError."""
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(lambda e: isinstance(e, ApiError) and e.retried),
            stop=self._stop,
            wait=self._wait,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return await retrying(attempt)
        except ApiError as fault:
            tries = retrying.statistics.get("attempt_number", 1)
            if tries == 1:
                raise
            raise ApiError(fault.kind, f"{fault} (tried {tries} times)") from None

    def _wait(self, state: tenacity.RetryCallState) -> float:
        fault = state.outcome.exception() if state.outcome else None
        jitter = random.uniform(0.5, 1.0)
        if isinstance(fault, ApiError) and fault.wait is not None:
            # Never sooner than asked for, and not all at the same moment.
            return fault.wait * (1.5 - 0.5 * jitter)
        return float(min(self._first_wait * 2 ** (state.attempt_number - 1), LONGEST_WAIT) * jitter)

    def _stop(self, state: tenacity.RetryCallState) -> bool:
        waited = state.idle_for + state.upcoming_sleep
        return state.attempt_number >= self._tries or waited > self._patience
