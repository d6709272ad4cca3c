"""Rate limits of one API: concurrent requests, requests per minute and tokens per minute.

Runs set the limit of concurrent requests. It is halved when the API reports overload, and grows by
one after as many successes as the limit.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

HEAD_START = 1
"""Iterations of the event loop between two requests. Without them, all waiting requests are
prepared before the first one is sent, so processor and network work in turns instead of in
parallel."""

AHEAD = 2
"""Requests at once for each further request that is prepared meanwhile."""


@dataclass(slots=True)
class Slot:
    """Permission for one request."""

    tokens: float
    """Tokens reserved for it."""
    epoch: int
    """Number of slowdowns before it started."""


class Pace:
    """The limits of one provider. Waiting requests start in the order of their arrival."""

    def __init__(
        self,
        rpm: float | None = None,
        tpm: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.limit = math.inf
        """Maximum number of concurrent requests."""
        self.most = 0
        """Concurrent requests that all runs want together; 0 outside of runs: no limit."""
        self.in_flight = 0
        self._per_request = 60 / rpm if rpm else 0.0
        self._per_token = 60 / tpm if tpm else 0.0
        self._clock = clock
        self._sleep = sleep
        self._next_request = self._next_tokens = self._paused_until = -math.inf
        self._epoch = 0
        self._good = 0
        self._turn = asyncio.Lock()
        self._freed = asyncio.Event()

    @contextmanager
    def at_most(self, requests: int) -> Iterator[int]:
        """Allows a run this many concurrent requests. Returns the number of episodes to play.

        There are more episodes than requests. So the next request is ready when a reply arrives,
        and the API does not wait until the reply is read, recorded, and a picture is encoded.
        """
        self.most += requests
        try:
            yield requests + requests // AHEAD
        finally:
            self.most -= requests
            self._freed.set()

    @asynccontextmanager
    async def slot(self, tokens: float) -> AsyncIterator[Slot]:
        """Waits until one more request may start. `tokens` is its expected number of tokens."""
        async with self._turn:
            for _ in range(HEAD_START):
                await asyncio.sleep(0)
            await self._until_free()
            now = self._clock()
            self._next_request = max(self._next_request, now) + self._per_request
            self._next_tokens = max(self._next_tokens, now) + tokens * self._per_token
            self.in_flight += 1
            slot = Slot(tokens, self._epoch)
        try:
            yield slot
        finally:
            self.in_flight -= 1
            self._freed.set()

    def went_well(self, slot: Slot, tokens: int | None) -> None:
        """Records a success. `tokens` is the number of tokens used, None if unknown."""
        if tokens is not None:
            self._next_tokens += (tokens - slot.tokens) * self._per_token
        self._good += 1
        if self._good >= self.limit:
            self._good = 0
            self.limit += 1
            self._freed.set()

    def was_too_fast(self, slot: Slot, wait: float | None) -> None:
        """Records a rejection for overload. `wait` is the pause in seconds that the API wants."""
        if wait:
            self._paused_until = max(self._paused_until, self._clock() + wait)
        if slot.epoch < self._epoch:
            return  # It started before the last slowdown; one burst counts once.
        self._epoch += 1
        self._good = 0
        self.limit = max(1, min(self.limit, self.in_flight) // 2)

    async def _until_free(self) -> None:
        while True:
            if self.in_flight >= min(self.limit, self.most or math.inf):
                self._freed.clear()
                await self._freed.wait()
                continue
            free = max(self._next_request, self._next_tokens, self._paused_until)
            if (delay := free - self._clock()) <= 0:
                return
            await self._sleep(delay)
