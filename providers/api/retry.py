"""The retry policy of all APIs. The retries of the SDKs are switched off."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import tenacity

from proactive_agent.providers.api.faults import ApiError

T = TypeVar("T")
LONGEST_WAIT = 60.0
"""Maximum wait between two attempts in seconds, unless the server asks for more."""
FIRST_CONNECTIONS = 2
"""Attempts to connect to a server that has never answered: its address may be wrong."""

log = logging.getLogger(__name__)


class Retry:
    """Retries transient failures after exponential waits with jitter, or as the server asks.

    `tries` is the maximum number of attempts. `first_wait`, in seconds, doubles after each one.
    `patience`, in seconds, limits the sum of all waits of one request. `name` is the server's name
    in log messages, which are warnings until it has answered once.
    """

    def __init__(
        self,
        tries: int,
        first_wait: float,
        patience: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        *,
        name: str = "the server",
    ) -> None:
        self._name = name
        self._answered = False
        self._first_wait = first_wait
        self._patience = patience
        self._tries = tries
        self._sleep = sleep

    async def __call__(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Returns the result of the first successful attempt. Raises the last ApiError."""
        observed = self._observed(attempt)
        try:
            return await observed()  # Most requests need no retry, and tenacity is slow.
        except ApiError as fault:
            if not fault.retried:
                raise
            failed = [fault]

        async def again() -> T:
            if failed:
                raise failed.pop()
            return await observed()

        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(lambda e: isinstance(e, ApiError) and e.retried),
            stop=self._stop,
            wait=self._wait,
            sleep=self._sleep,
            before_sleep=self._report,
            reraise=True,
        )
        try:
            return await retrying(again)
        except ApiError as fault:
            tries = retrying.statistics.get("attempt_number", 1)
            if tries == 1:
                raise
            last = ApiError(fault.kind, f"{fault} (tried {tries} times)")
            last.withheld = fault.withheld
            raise last from None

    def _observed(self, attempt: Callable[[], Awaitable[T]]) -> Callable[[], Awaitable[T]]:
        """Notes whether the server answers at all."""

        async def observed() -> T:
            try:
                result = await attempt()
            except ApiError as fault:
                self._answered |= not fault.unreached
                raise
            self._answered = True
            return result

        return observed

    def _report(self, state: tenacity.RetryCallState) -> None:
        fault = state.outcome.exception() if state.outcome else None
        log.log(
            logging.INFO if self._answered else logging.WARNING,
            "%s: %s; try %d of %d in %.0f s",
            self._name, fault, state.attempt_number + 1, self._most(fault), state.upcoming_sleep,
        )  # fmt: skip

    def _most(self, fault: BaseException | None) -> int:
        """Returns the maximum number of attempts after a failure."""
        if isinstance(fault, ApiError) and fault.unreached and not self._answered:
            return min(self._tries, FIRST_CONNECTIONS)
        return self._tries

    def _wait(self, state: tenacity.RetryCallState) -> float:
        fault = state.outcome.exception() if state.outcome else None
        jitter = random.uniform(0.5, 1.0)
        if isinstance(fault, ApiError) and fault.wait is not None:
            # At least the requested wait, plus jitter so that requests do not coincide.
            return fault.wait * (1.5 - 0.5 * jitter)
        return float(min(self._first_wait * 2 ** (state.attempt_number - 1), LONGEST_WAIT) * jitter)

    def _stop(self, state: tenacity.RetryCallState) -> bool:
        waited = state.idle_for + state.upcoming_sleep
        fault = state.outcome.exception() if state.outcome else None
        return state.attempt_number >= self._most(fault) or waited > self._patience
