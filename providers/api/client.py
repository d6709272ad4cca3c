"""Requests through the SDKs' clients.

A body is written down once, here: the SDKs' typed methods would walk through all of it, pictures
included, which takes longer than everything else that they do.
"""

import json
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from proactive_agent.providers.api.faults import SHOWN, ApiError

if TYPE_CHECKING:
    import httpx2


class Client(Protocol):
    """The part of both SDKs' clients that is used here."""

    async def post(self, path: str, *, cast_to: Any, content: bytes) -> Any:
        """Sends a body and gives back what `cast_to` says; raises the SDK's own errors."""
        ...


async def posted(client: Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """The JSON object that the API replies to a body.  Raises ApiError where there is none."""
    import httpx2

    content = msgspec.json.encode(body)
    return _json_of(await client.post(path, cast_to=httpx2.Response, content=content))


def _json_of(response: "httpx2.Response") -> dict[str, Any]:
    try:
        value = json.loads(response.text)
    except ValueError:
        kind = response.headers.get("content-type", "no content type")
        start = " ".join(response.text.split())[: SHOWN // 4]
        raise ApiError("bad_reply", f"the reply is no JSON ({kind}): {start!r}") from None
    if not isinstance(value, dict):
        raise ApiError("bad_reply", f"the reply is no JSON object: {str(value)[: SHOWN // 4]}")
    return value
