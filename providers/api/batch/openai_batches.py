"""OpenAI's batch API: a file of requests is uploaded, and a batch refers to it."""

import json
from collections.abc import Sequence
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
from proactive_agent.providers.api.faults import (
    STOPPING,
    ApiError,
    from_status,
    reported,
    shortened,
)
from proactive_agent.providers.api.server import posted
from proactive_agent.settings import ApiAccess

if TYPE_CHECKING:
    import openai

LABEL = "proactive_agent"
"""Key of the metadata that identifies a batch of this program."""
PAGE = 100
MOST_PAGES = 20
CLOCKS = 3600.0
"""Seconds by which the clocks of client and server may differ."""
_ENDED = ("completed", "expired", "cancelled", "failed")


class OpenAIBatches(BatchApi):
    """The routes `/files` and `/batches`, which some compatible servers have as well."""

    most_requests: ClassVar[int] = 50_000

    def __init__(
        self,
        client: "openai.AsyncOpenAI",
        endpoint: str,
        spec: str,
        address: str,
        access: ApiAccess,
    ) -> None:
        """`endpoint` is the path of the requests, for example `/v1/chat/completions`."""
        super().__init__(client, spec, f"openai {address}", access)
        self._files = client.files
        self._endpoint = endpoint

    def item(self, custom_id: str, body: dict[str, Any]) -> bytes:
        fields = {"custom_id": custom_id, "method": "POST", "url": self._endpoint, "body": body}
        return msgspec.json.encode(fields)

    async def check(self) -> None:
        await self._get("/batches", limit=1)

    async def submit(self, items: Sequence[bytes], token: str) -> str:
        content = b"\n".join(items) + b"\n"
        with sdk_errors():
            # A file without a batch costs nothing and expires, so an upload may be repeated.
            file = await self._files.create(
                file=("requests.jsonl", content, "application/jsonl"), purpose="batch"
            )
            body = {
                "input_file_id": checked_id(file.id),
                "endpoint": self._endpoint,
                "completion_window": "24h",
                "metadata": {LABEL: token},
            }
            return checked_id(
                (await posted(self._client, "/batches", msgspec.json.encode(body))).get("id")
            )

    async def find(self, token: str, requests: int, since: float, known: Sequence[str]) -> str:
        after: dict[str, Any] = {}
        for _ in range(MOST_PAGES):
            page = await self._get("/batches", limit=PAGE, **after)
            batches = [one for one in page.get("data") or () if isinstance(one, dict)]
            for batch in batches:
                if (batch.get("metadata") or {}).get(LABEL) == token:
                    return checked_id(batch.get("id"))
            if not batches or not page.get("has_more"):
                break
            if count_of(batches[-1].get("created_at")) < since - CLOCKS:
                break
            after = {"after": checked_id(batches[-1].get("id"))}
        return ""

    async def state(self, batch: str) -> BatchState:
        raw = await self._get(f"/batches/{checked_id(batch)}")
        status = shortened(str(raw.get("status")), LONGEST_STATUS)
        counts = raw.get("request_counts") or {}
        done = count_of(counts.get("completed")) + count_of(counts.get("failed"))
        if status == "failed":
            return _failed(batch, raw)
        files = [raw.get("output_file_id"), raw.get("error_file_id")]
        return BatchState(
            status,
            ended=status in _ENDED,
            done=done,
            results=tuple(f"/files/{checked_id(file)}/content" for file in files if file),
            leftover=_leftover(batch, status),
        )

    def answer(self, line: dict[str, Any]) -> BatchAnswer | None:
        return _answer(line)


def _failed(batch: str, raw: dict[str, Any]) -> BatchState:
    """The state of a batch that the API refused when it validated the file."""
    found = (raw.get("errors") or {}).get("data") or [{}]
    first = found[0] if isinstance(found[0], dict) else {}
    code, line = str(first.get("code") or "no code"), first.get("line")
    place = f", line {line}" if isinstance(line, int) else ""
    known = reported({"error": first})
    kind = known.kind if known and known.kind in STOPPING else "bad_request"
    told = f"batch {batch} failed{place}: {code}: {first.get('message') or 'no reason given'}"
    more = f" (and {len(found) - 1} more errors)" if len(found) > 1 else ""
    refusal = ApiError(kind, shortened(told + more))
    tokens = code == "token_limit_exceeded" or "enqueued token limit" in told.casefold()
    return BatchState("failed", ended=True, refusal=refusal, too_many_tokens=tokens)


def _leftover(batch: str, status: str) -> ApiError | None:
    if status == "expired":
        return ApiError("expired", f"batch {batch} expired before the request was processed")
    if status == "cancelled":
        return ApiError("canceled", f"batch {batch} was cancelled")
    return None


def _answer(line: dict[str, Any]) -> BatchAnswer | None:
    if not isinstance(custom_id := line.get("custom_id"), str):
        return None
    response, error = line.get("response"), line.get("error")
    if isinstance(response, dict) and isinstance(status := response.get("status_code"), int):
        body = response.get("body")
        if status >= 400:
            return BatchAnswer(custom_id, from_status(status, {}, json.dumps(body)))
        if isinstance(body, dict):
            return BatchAnswer(custom_id, body)
    if isinstance(error, dict) and error:
        code = str(error.get("code"))
        kind = {"batch_expired": "expired", "batch_cancelled": "canceled"}.get(code)
        fault = reported({"error": error}) or ApiError("server", code)
        return BatchAnswer(custom_id, ApiError(kind, str(fault)) if kind else fault)
    return BatchAnswer(custom_id, ApiError("bad_reply", "the result has no response"))
