"""The server that a model is asked on: its address, and how a body is posted there."""

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import urlsplit

import msgspec

from proactive_agent.providers.api.faults import SHOWN, ApiError
from proactive_agent.tools import UserError

if TYPE_CHECKING:
    import httpx2

# Names of models can hold an @ of their own (`claude-sonnet-4@20250514`).
_WITH_URL = re.compile(r"(?P<model>.+)@(?P<url>https?://.*)")


class ApiTarget(NamedTuple):
    """A model, and where it is served; None is the API's own address."""

    model: str
    base_url: str | None = None


def parse_target(text: str) -> ApiTarget:
    """Reads `model` or `model@http://host:port/v1`.  Raises UserError for a faulty address."""
    found = _WITH_URL.fullmatch(text)
    if not found:
        return ApiTarget(text)
    parts = urlsplit(found["url"])
    try:
        named = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        named = False
    if not named:
        raise UserError(f"{found['url']!r} is no address of a server")
    if parts.username or parts.password:
        raise UserError("a key belongs into the environment, not into the address of a server")
    return ApiTarget(found["model"], found["url"].rstrip("/"))


class ApiClient(Protocol):
    """The part of both SDKs' clients that is used here."""

    async def post(self, path: str, *, cast_to: Any, content: bytes) -> Any:
        """Sends a body and gives back what `cast_to` says; raises the SDK's own errors."""
        ...


async def posted(client: ApiClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
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
