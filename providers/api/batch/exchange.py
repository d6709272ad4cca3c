"""Submits each batch once, polls its state, and stores its results."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from proactive_agent.providers.api.batch.interface import BatchApi, BatchState
from proactive_agent.providers.api.batch.submissions import Submission, Submissions
from proactive_agent.providers.api.cache import ReplyCache
from proactive_agent.providers.api.faults import ApiError
from proactive_agent.providers.base import StoppedError

log = logging.getLogger(__name__)

FIRST_POLL = 5.0
"""Seconds between the submission of a batch and the first poll of its state."""
LONGEST_POLL = 60.0
"""Longest time between two polls of the state of a batch, in seconds."""
SILENCE = 60
"""Consecutive polls without an answer after which the run stops."""
STORED = 512
"""Results that are stored in one transaction."""
READS = 2
"""Times that the results of a batch are read if some are missing."""
_UNCERTAIN = frozenset({"connection", "timeout", "server", "conflict", "bad_reply", "malformed"})
"""Failures of a submission after which the batch may exist."""

OnResult = Callable[[str, dict[str, Any] | ApiError], None]
"""Receives the id of a request, and the body of its response or its failure."""


def longer(pause: float) -> float:
    """Returns the time until the next poll, after a pause of this length."""
    return min(pause * 1.5, LONGEST_POLL)


class Exchange:
    """Exchanges batches with an API. A result is stored before it is passed on."""

    def __init__(
        self,
        submissions: Submissions,
        store: ReplyCache,
        sleep: Callable[[float], Any] = asyncio.sleep,
    ) -> None:
        self.submissions = submissions
        self._store = store
        self._sleep = sleep

    async def submit(self, api: BatchApi, items: Sequence[bytes]) -> Submission:
        """Submits a batch.

        Raises ApiError if the API certainly did not accept it, and StoppedError if that is unknown.
        """
        submission = self.submissions.intend(api.place, len(items))
        try:
            batch = await self._accepted(api, submission, items)
        except ApiError as fault:
            self.submissions.closed(submission, f"refused: {fault.kind}")
            raise
        self.submissions.submitted(submission, batch)
        log.info("%s: submitted batch %s with %d requests", api.spec, batch, len(items))
        return submission

    async def _accepted(self, api: BatchApi, submission: Submission, items: Sequence[bytes]) -> str:
        """Submits a batch and returns its id. Raises ApiError if it was certainly not accepted."""
        wait = api.first_wait
        for attempt in range(1, api.tries + 1):
            try:
                return await api.submit(items, submission.token)
            except ApiError as error:
                fault = error
            uncertain = fault.kind in _UNCERTAIN
            if not uncertain and (not fault.retried or attempt == api.tries):
                raise fault
            log.info("%s: the submission of a batch failed: %s", api.spec, fault)
            await self._sleep(min(fault.wait or wait, LONGEST_POLL))
            wait *= 2
            if uncertain and (found := await self.found(api, submission)):
                return found
        raise StoppedError(f"{api.spec}: cannot submit a batch: {fault} (tried {api.tries} times)")

    async def found(self, api: BatchApi, submission: Submission) -> str:
        """Looks for a batch whose submission was not confirmed. Raises StoppedError."""
        try:
            return await api.find(
                submission.token, submission.requests, submission.at, self.submissions.known
            )
        except ApiError as fault:
            raise StoppedError(
                f"{api.spec}: it is not known whether a batch was accepted: {fault}"
            ) from None

    async def state(self, api: BatchApi, submission: Submission) -> BatchState:
        """Polls the state of a batch until the API answers. Raises StoppedError."""
        for silent in range(SILENCE):
            try:
                return await api.state(submission.batch)
            except ApiError as fault:
                if not fault.retried:
                    raise self._unreadable(api, submission, fault) from None
                log.info("%s: no news of batch %s: %s", api.spec, submission.batch, fault)
                last = fault
            if silent < SILENCE - 1:
                await self._sleep(LONGEST_POLL)
        raise StoppedError(f"{api.spec}: no news of batch {submission.batch}: {last}")

    def _unreadable(self, api: BatchApi, submission: Submission, fault: ApiError) -> StoppedError:
        told = f"{api.spec}: cannot read batch {submission.batch}: {fault}"
        if fault.kind == "not_found":
            told += (
                "; check that the key is the one that submitted it; if the API has deleted it, "
                f"delete {self.submissions.file}, and its requests are submitted and paid for again"
            )
        return StoppedError(told)

    async def read(
        self,
        api: BatchApi,
        submission: Submission,
        state: BatchState,
        expected: Collection[str] | None = None,
        on_result: OnResult = lambda custom_id, result: None,
    ) -> None:
        """Stores the results of a batch that has ended and passes them on. Raises StoppedError.

        `expected` are the ids of its requests, which are unknown for a batch of an earlier process.
        """
        seen: set[str] = set()
        odd = 0
        for _ in range(READS):
            for path in state.results:
                odd += await self._read_file(api, submission, path, seen, expected, on_result)
            if expected is None or len(seen) == len(expected):
                break
        if odd:
            log.warning(
                "%s: batch %s has %d results that are unreadable, repeated or not asked for",
                api.spec, submission.batch, odd,
            )  # fmt: skip
        missing = [one for one in expected or () if one not in seen]
        told = f"batch {submission.batch} has no result for the request"
        self.submissions.closed(submission, state.status)
        for custom_id in missing:
            on_result(custom_id, state.leftover or ApiError("bad_reply", told))
        log.info(
            "%s: read batch %s (%s): %d results, %d missing",
            api.spec, submission.batch, state.status, len(seen), len(missing),
        )  # fmt: skip

    async def _read_file(
        self,
        api: BatchApi,
        submission: Submission,
        path: str,
        seen: set[str],
        expected: Collection[str] | None,
        on_result: OnResult,
    ) -> int:
        """Reads one file, from its beginning again after a failure. Returns odd results.

        `seen` are the ids of requests that have a result; it is extended.
        """
        for attempt in range(1, api.tries + 1):
            odd, found = 0, dict[str, dict[str, Any]]()
            before = frozenset(seen)
            try:
                async for answer in api.answers(path):
                    if answer is None or answer.custom_id in seen:
                        odd += answer is None or answer.custom_id not in before
                    elif expected is not None and answer.custom_id not in expected:
                        odd += 1
                    else:
                        seen.add(answer.custom_id)
                        if not isinstance(answer.result, ApiError):
                            found[answer.custom_id] = answer.result
                        else:
                            on_result(answer.custom_id, answer.result)
                    if len(found) >= STORED:
                        await self._keep(found, on_result)
                        found = {}
                await self._keep(found, on_result)
                return odd
            except ApiError as fault:
                await self._keep(found, on_result)
                if not fault.retried or attempt == api.tries:
                    raise self._unreadable(api, submission, fault) from None
                await self._sleep(api.first_wait * 2 ** (attempt - 1))
        raise AssertionError("the last attempt returns or raises")

    async def _keep(self, found: Mapping[str, dict[str, Any]], on_result: OnResult) -> None:
        """Stores replies, then passes them on to the episodes that wait for them."""
        if found:
            await self._store.put_all(found)
        for custom_id, raw in found.items():
            on_result(custom_id, raw)
