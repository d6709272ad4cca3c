"""Anthropic's Message Batches: the requests are the body of one call."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from proactive_agent.providers.api.batch.interface import (
    LONGEST_STATUS,
    BatchAnswer,
    BatchApi,
    BatchState,
    checked_id,
    count_of,
    sdk_errors,
)
from proactive_agent.providers.api.faults import ApiError, reported, shortened
from proactive_agent.providers.api.server import posted
from proactive_agent.settings import ApiAccess

if TYPE_CHECKING:
    import anthropic

ROUTE = "/v1/messages/batches"
PAGE = 100
MOST_PAGES = 20
CLOCKS = 60.0
"""Seconds by which the clocks of client and server may differ."""


class AnthropicBatches(BatchApi):
    """The route `/v1/messages/batches`."""

    most_requests: ClassVar[int] = 100_000

    def __init__(
        self, client: "anthropic.AsyncAnthropic", spec: str, address: str, access: ApiAccess
    ) -> None:
        super().__init__(client, spec, f"anthropic {address}", access)
        self._confirmed: set[str] = set()
        """Batches of this process, also those of other runs."""

    def item(self, custom_id: str, body: dict[str, Any]) -> bytes:
        return msgspec.json.encode({"custom_id": custom_id, "params": body})

    async def check(self) -> None:
        await self._get(ROUTE, limit=1)

    async def submit(self, items: Sequence[bytes], token: str) -> str:
        content = b'{"requests":[' + b",".join(items) + b"]}"
        with sdk_errors():
            batch = checked_id((await posted(self._client, ROUTE, content)).get("id"))
        self._confirmed.add(batch)
        return batch

    async def find(self, token: str, requests: int, since: float, known: Sequence[str]) -> str:
        """Finds a batch by its time and size, because batches have no names here.

        The ids of requests are unique. If the batch belongs to another run, none of its results
        is used.
        """
        after: dict[str, Any] = {}
        found = ""
        for _ in range(MOST_PAGES):
            page = await self._get(ROUTE, limit=PAGE, **after)
            batches = [one for one in page.get("data") or () if isinstance(one, dict)]
            for batch in batches:
                if _created(batch) < since - CLOCKS:
                    return found
                counts = batch.get("request_counts") or {}
                size = sum(map(count_of, counts.values()))
                if size == requests and batch.get("id") not in {*known, *self._confirmed}:
                    # Batches are listed from the latest to the oldest one.
                    found = checked_id(batch.get("id"))
            if not batches or not page.get("has_more"):
                break
            after = {"after_id": checked_id(batches[-1].get("id"))}
        return found

    async def state(self, batch: str) -> BatchState:
        raw = await self._get(f"{ROUTE}/{checked_id(batch)}")
        status = shortened(str(raw.get("processing_status")), LONGEST_STATUS)
        counts = {name: count_of(one) for name, one in (raw.get("request_counts") or {}).items()}
        processing = counts.pop("processing", 0)
        ended = status == "ended" and not processing
        # Not `results_url`: it may name another server, which would get the key.
        results = (f"{ROUTE}/{batch}/results",) if ended else ()
        return BatchState(status, ended=ended, done=sum(counts.values()), results=results)

    def answer(self, line: dict[str, Any]) -> BatchAnswer | None:
        return _answer(line)


def _created(batch: dict[str, Any]) -> float:
    try:
        return datetime.fromisoformat(str(batch.get("created_at"))).timestamp()
    except ValueError:
        return 0.0


def _answer(line: dict[str, Any]) -> BatchAnswer | None:
    if not isinstance(custom_id := line.get("custom_id"), str):
        return None
    found = line.get("result")
    result: dict[str, Any] = found if isinstance(found, dict) else {}
    kind = result.get("type")
    if kind == "succeeded" and isinstance(message := result.get("message"), dict):
        return BatchAnswer(custom_id, message)
    if kind == "errored":
        given = result.get("error")
        inner = given.get("error") if isinstance(given, dict) else None
        return BatchAnswer(custom_id, _fault(inner or given))
    if kind == "expired":
        return BatchAnswer(custom_id, ApiError("expired", "the batch expired before the request"))
    if kind == "canceled":
        return BatchAnswer(custom_id, ApiError("canceled", "the batch was cancelled"))
    return BatchAnswer(custom_id, ApiError("bad_reply", f"unknown result {str(kind)[:80]!r}"))


_KINDS = {
    "invalid_request_error": "bad_request", "not_found_error": "not_found",
    "request_too_large": "too_large", "rate_limit_error": "rate_limit",
    "timeout_error": "timeout", "overloaded_error": "overloaded", "api_error": "server",
}  # fmt: skip


def _fault(error: Any) -> ApiError:
    """The failure of one request, which has a name but no HTTP status."""
    fault = reported({"error": error}) or ApiError("server", "the API reported no reason")
    name = error.get("type") if isinstance(error, dict) else None
    # A message can be more precise than its name, as for a context that is too long.
    if fault.kind == "server" and (kind := _KINDS.get(str(name))):
        return ApiError(kind, str(fault))
    return fault
