"""Waves: requests are held back until every episode waits for a reply, then submitted together.

    async with Waves(folder, within=run, workers=3) as waves:
        ...  # three tasks, each within `waves.worker()`

While the block runs, the providers that use a batch API find the object by `current_waves`. A
reply is stored in the run's folder before it is used. So a run that was killed finds its batches
and replies again and pays for nothing twice.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from proactive_agent.providers.api.batch import exchange
from proactive_agent.providers.api.batch.exchange import Exchange
from proactive_agent.providers.api.batch.interface import BatchApi, BatchState
from proactive_agent.providers.api.batch.spool import Spool, SpoolPlace
from proactive_agent.providers.api.batch.submissions import Submission, Submissions
from proactive_agent.providers.api.cache import ReplyCache
from proactive_agent.providers.api.faults import STOPPING, ApiError
from proactive_agent.providers.base import StoppedError
from proactive_agent.tools import UserError

log = logging.getLogger(__name__)

ACTIVE = 32
"""Number of episodes that are active at the same time. The others wait for replies and hold no
picture."""


class Allowance(Protocol):
    """The budget of a run."""

    @property
    def left(self) -> float:
        """US dollars that are neither spent nor reserved."""

    def reserve(self, usd: float) -> None:
        """Reserves the expected cost of a wave; a negative number frees it."""

    def paid_before(self, usd: float) -> None:
        """Records that an earlier process paid for the next reply."""

    def too_small(self, usd: float) -> StoppedError:
        """Returns the error for requests that would cost about `usd`."""


@dataclass(frozen=True, slots=True)
class WaveProgress:
    """The state of a wave."""

    number: int
    """From 1; 0 for batches that an earlier process submitted."""
    batches: int
    requests: int
    done: int
    """Requests that have a result."""
    waits: bool
    """False when the batches have just been submitted, and when the wave has ended."""

    @property
    def begins(self) -> bool:
        """Whether the batches have just been submitted."""
        return not (self.waits or self.done)


@dataclass(frozen=True, slots=True)
class WaveItem:
    """A request for a wave."""

    custom_id: str
    content: bytes
    """The request as `BatchApi.item` formats it."""
    turn: int
    usd: float
    """Estimated cost."""


@dataclass(slots=True, eq=False)
class Ticket:
    """A request that waits for its wave or for its result."""

    api: BatchApi
    custom_id: str
    place: SpoolPlace
    turn: int
    usd: float
    result: asyncio.Future[dict[str, Any]]

    def answer(self, result: dict[str, Any] | Exception) -> None:
        """Ends the wait."""
        if self.result.done():
            return
        if isinstance(result, Exception):
            self.result.set_exception(result)
        else:
            self.result.set_result(result)


@dataclass(slots=True)
class _Wave:
    number: int
    spool: Spool
    batches: int = 0
    requests: int = 0
    done: int = 0
    """Requests of batches that have ended."""
    chunks: deque[list[Ticket]] = field(default_factory=deque)
    """Requests that are still to be submitted, by batch."""
    running: dict[str, tuple[Submission, list[Ticket]]] = field(default_factory=dict)
    """Batches in process, by id."""
    one_by_one: bool = False
    """Whether each batch is submitted only after the previous one has ended."""


_current: ContextVar["Waves | None"] = ContextVar("waves", default=None)


def current_waves() -> "Waves | None":
    """The waves of the run that the calling task plays, or None."""
    return _current.get()


class Waves:
    """The waves of one run."""

    def __init__(
        self,
        folder: Path,
        *,
        within: Path,
        workers: int,
        several_turns: bool = True,
        active: int = ACTIVE,
        allowance: Allowance | None = None,
        report: Callable[[WaveProgress], None] = lambda progress: None,
        sleep: Callable[[float], Any] = asyncio.sleep,
    ) -> None:
        """`folder`, inside the folder `within`, keeps the ids of batches and the replies.

        `workers` is the number of tasks that play episodes. `several_turns`: a request may be
        followed by others, for which a part of the budget is kept. `active` is the number of tasks
        that work at the same time. Raises UserError.
        """
        self._folder = folder
        self.submissions = Submissions(folder, within)
        self._earlier = list(self.submissions.open)
        """Batches of earlier processes."""
        self._store = ReplyCache(folder)
        self._exchange = Exchange(self.submissions, self._store, sleep)
        self._playing = workers
        self._several_turns = several_turns
        self._allowance = allowance
        self._report = report
        self._sleep = sleep
        self._active = asyncio.Semaphore(active)
        self._spool: Spool | None = None
        self._waiting: list[Ticket] = []
        self._number = 0
        self._task: asyncio.Task[None] | None = None
        self._collecting: dict[str, asyncio.Task[None]] = {}
        self._estimated = self._paid = 0.0
        self._halted: Exception | None = None
        """Why no further wave may begin, or None."""
        self._token: Token[Waves | None] | None = None

    async def __aenter__(self) -> Self:
        self._token = _current.set(self)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._token:
            _current.reset(self._token)
        tasks = [*self._collecting.values(), *([self._task] if self._task else [])]
        for task in tasks if error else ():
            task.cancel()
        # Without an error, only the note that the last batch has been read is left to do.
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._spool:
            self._spool.close()
        self._store.close()

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[None]:
        """Context of one task that plays episodes, from its beginning to its end."""
        try:
            async with self._active:
                yield
        except BaseException as error:
            # The run ends, so nothing more may be paid for.
            self._halt(error if isinstance(error, Exception) else StoppedError("cancelled"))
            raise
        finally:
            self._playing -= 1
            self._begin_wave()

    async def kept(self, api: BatchApi, custom_id: str) -> dict[str, Any] | None:
        """Returns the reply to a request that was answered before, or None.

        First waits until all batches of an earlier process are read.
        """
        if any(one.place == api.place for one in self._earlier):
            task = self._collecting.get(api.place)
            if task is None:
                task = self._collecting[api.place] = asyncio.create_task(self._collect(api))
            await asyncio.shield(task)
        return await self._store.get(custom_id)

    async def discard(self, custom_id: str) -> None:
        """Removes a reply that cannot be used."""
        await self._store.discard(custom_id)

    def hold(self, api: BatchApi, item: WaveItem) -> Ticket:
        """Holds a request back for the next wave.

        Raises NotWrittenError, and the error after which no further wave begins.
        """
        if self._halted:
            raise self._halted
        if self._spool is None:
            self._spool = Spool(self._folder)
        place = self._spool.add(item.content)
        result = asyncio.get_running_loop().create_future()
        ticket = Ticket(api, item.custom_id, place, item.turn, item.usd, result)
        self._waiting.append(ticket)
        self._begin_wave()
        return ticket

    async def reply(self, ticket: Ticket) -> dict[str, Any]:
        """Waits for the result of a request and returns the body of the response.

        Raises ApiError if the request failed, UserError if the API refuses the batch, and
        StoppedError if the run has to stop.
        """
        self._active.release()
        try:
            return await ticket.result
        finally:
            await self._active.acquire()

    def paid(self, estimated: float, usd: float) -> None:
        """Compares the cost of a reply with its estimate, to correct later estimates."""
        self._estimated += estimated
        self._paid += usd

    def paid_before(self, usd: float) -> None:
        """Leaves the cost of a reply out of the budget, because an earlier process paid for it."""
        if self._allowance:
            self._allowance.paid_before(usd)

    def _begin_wave(self) -> None:
        """Begins a wave if every task that still plays waits for a reply."""
        if self._halted or self._task or len(self._waiting) < self._playing:
            return
        # The request of a task that was cancelled must not be paid for.
        self._waiting = [ticket for ticket in self._waiting if not ticket.result.done()]
        if not self._waiting:
            return
        tickets, self._waiting = self._waiting, []
        spool, self._spool = self._spool, None
        if spool is None:
            raise RuntimeError("requests are held without a spool")
        self._number += 1
        self._task = asyncio.create_task(self._play_wave(_Wave(self._number, spool), tickets))

    async def _play_wave(self, wave: _Wave, tickets: list[Ticket]) -> None:
        reserved = 0.0
        try:
            tickets = self._affordable(tickets)
            reserved = sum(map(self._expected, tickets))
            self._reserve(reserved)
            wave.chunks.extend(_chunks(tickets))
            wave.requests = len(tickets)
            await self._submit_and_read(wave)
        except Exception as error:
            for ticket in tickets:
                ticket.answer(error)
            self._halt(error)
        finally:
            self._reserve(-reserved)
            wave.spool.close()
            self._task = None
            self._begin_wave()

    async def _submit_and_read(self, wave: _Wave) -> None:
        pause = exchange.FIRST_POLL
        while wave.chunks or wave.running:
            submitted = False
            while wave.chunks and not (wave.one_by_one and wave.running):
                await self._submit(wave, wave.chunks.popleft())
                submitted = True
            if submitted:
                self._tell(wave, waits=False)
            if not wave.running:
                continue
            await self._sleep(pause)
            pause = exchange.longer(pause)
            done = 0
            for batch, (submission, tickets) in list(wave.running.items()):
                state = await self._exchange.state(tickets[0].api, submission)
                if state.ended:
                    del wave.running[batch]
                    await self._end(wave, submission, tickets, state)
                    pause = exchange.FIRST_POLL
                else:
                    done += state.done
            self._tell(wave, waits=bool(wave.chunks or wave.running), more=done)

    def _tell(self, wave: _Wave, *, waits: bool, more: int = 0) -> None:
        done = wave.done + more
        self._report(WaveProgress(wave.number, wave.batches, wave.requests, done, waits))

    async def _submit(self, wave: _Wave, tickets: list[Ticket]) -> None:
        api = tickets[0].api
        items = await asyncio.to_thread(wave.spool.read, [ticket.place for ticket in tickets])
        try:
            submission = await self._exchange.submit(api, items)
        except ApiError as fault:
            if fault.kind == "too_large":
                _split(wave, tickets, fault)
            elif fault.kind in STOPPING:
                raise
            elif fault.retried:
                raise StoppedError(f"{api.spec}: cannot submit a batch: {fault}") from None
            else:
                raise UserError(f"{api.spec}: the API refuses the batch: {fault}") from None
            return
        wave.running[submission.batch] = (submission, tickets)
        wave.batches += 1

    async def _end(
        self, wave: _Wave, submission: Submission, tickets: list[Ticket], state: BatchState
    ) -> None:
        api = tickets[0].api
        if (refusal := state.refusal) is None:
            wave.done += len(tickets)
            waiting = {one.custom_id: one for one in tickets}
            await self._exchange.read(
                api,
                submission,
                state,
                waiting.keys(),
                lambda custom_id, result: self._answer(waiting[custom_id], result),
            )
            return
        self.submissions.closed(submission, state.status)
        wave.batches -= 1
        if state.too_many_tokens:
            log.info("%s: %s", api.spec, refusal)
            wave.one_by_one = True
            if wave.running:
                wave.chunks.appendleft(tickets)
            else:
                _split(wave, tickets, refusal)
        elif refusal.kind in STOPPING:
            raise refusal
        else:
            raise UserError(f"{api.spec}: the API refuses the batch: {refusal}")

    def _answer(self, ticket: Ticket, result: dict[str, Any] | ApiError) -> None:
        """Ends the wait for a request. If its failure stops the run, no wave follows."""
        ticket.answer(result)
        if isinstance(result, ApiError) and result.kind in STOPPING:
            self._halt(result)

    def _halt(self, error: Exception) -> None:
        """Ends the wait of all requests that are held. No further wave begins."""
        self._halted = error
        for ticket in self._waiting:
            ticket.answer(error)
        self._waiting = []

    async def _collect(self, api: BatchApi) -> None:
        """Reads the batches that an earlier process has submitted. Raises StoppedError."""
        running: list[Submission] = []
        for one in [one for one in self._earlier if one.place == api.place]:
            if not one.batch:
                if found := await self._exchange.found(api, one):
                    self.submissions.submitted(one, found)
                else:
                    self.submissions.closed(one, "never accepted")
                    continue
            running.append(one)
        requests, batches, done = sum(one.requests for one in running), len(running), 0
        if not running:
            return
        self._report(WaveProgress(0, batches, requests, 0, waits=False))
        pause = exchange.FIRST_POLL
        while running:
            more = 0
            for one in list(running):
                state = await self._exchange.state(api, one)
                if not state.ended:
                    more += state.done
                    continue
                running.remove(one)
                done += one.requests
                await self._exchange.read(api, one, state)
            self._report(WaveProgress(0, batches, requests, done + more, waits=bool(running)))
            if running:
                await self._sleep(pause)
                pause = exchange.longer(pause)

    def _affordable(self, tickets: list[Ticket]) -> list[Ticket]:
        """Stops the requests that the budget does not allow and returns the others.

        Episodes with the most turns come first, because their earlier replies are paid for.
        """
        if self._allowance is None:
            return tickets
        left = self._allowance.left
        chosen, refused = [], []
        for ticket in sorted(tickets, key=lambda one: -one.turn):
            usd = self._expected(ticket) * (2 if self._several_turns else 1)
            if usd <= left:
                left -= usd
                chosen.append(ticket)
            else:
                refused.append(ticket)
        if refused:
            error = self._allowance.too_small(sum(map(self._expected, refused)))
            for ticket in refused:
                ticket.answer(error)
        return chosen

    def _expected(self, ticket: Ticket) -> float:
        """The expected cost of a request in US dollars."""
        return ticket.usd * (self._paid / self._estimated if self._estimated else 1.0)

    def _reserve(self, usd: float) -> None:
        if self._allowance:
            self._allowance.reserve(usd)


def _chunks(tickets: Iterable[Ticket]) -> Iterable[list[Ticket]]:
    """Splits requests by API and at the limits of a batch."""
    by_api: dict[BatchApi, list[list[Ticket]]] = {}
    sizes: dict[BatchApi, int] = {}
    for ticket in tickets:
        api, length = ticket.api, ticket.place.length + 1
        chunks = by_api.setdefault(api, [])
        full = chunks and len(chunks[-1]) >= api.most_requests
        if not chunks or full or sizes[api] + length > api.most_bytes:
            chunks.append([])
            sizes[api] = 0
        chunks[-1].append(ticket)
        sizes[api] += length
    return [chunk for chunks in by_api.values() for chunk in chunks]


def _split(wave: _Wave, tickets: list[Ticket], fault: ApiError) -> None:
    """Submits the halves of a batch that is too large. A single request fails."""
    if len(tickets) == 1:
        tickets[0].answer(ApiError("too_large", str(fault)))
        return
    half = len(tickets) // 2
    wave.chunks.extendleft((tickets[half:], tickets[:half]))
