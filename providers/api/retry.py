"""The retry policy of all APIs. The retries of the SDKs are switched off."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import tenacity

from proactive_agent.providers.api.faults import ApiError

T = TypeVar("T")
LONGEST_WAIT = 60.0
"""Maximum wait between two attempts in seconds, unless the server asks for more."""


class Retry:
    """Retries transient failures after exponential waits with jitter, or as the server asks.

    `tries` is the maximum number of attempts. `first_wait`, in seconds, doubles after each one.
    `patience`, in seconds, limits the sum of all waits of one request.
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
        """Returns the result of the first successful attempt. Raises the last ApiError."""
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
            # At least the requested wait, plus jitter so that requests do not coincide.
            return fault.wait * (1.5 - 0.5 * jitter)
        return float(min(self._first_wait * 2 ** (state.attempt_number - 1), LONGEST_WAIT) * jitter)

    def _stop(self, state: tenacity.RetryCallState) -> bool:
        waited = state.idle_for + state.upcoming_sleep
        return state.attempt_number >= self._tries or waited > self._patience
