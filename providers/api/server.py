"""The server of a model: parsing its address, and posting bodies to it."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import urlsplit

import msgspec

from proactive_agent.providers.api.faults import SHOWN, ApiError, from_status, shortened
from proactive_agent.tools import UserError
from proactive_agent.tools.reading import clean
from proactive_agent.tools.secrets import check_address

if TYPE_CHECKING:
    import httpx2

DEEPEST = 100
"""Maximum nesting of a reply. The formats of the APIs need about ten levels."""

OWN_SERVER_KEY = "PROACTIVE_AGENT_API_KEY"
"""Key for a server named in `model@http://…`. A company's key is sent only to that company."""

# Names of models can contain an @ (`claude-sonnet-4@20250514`).
_WITH_URL = re.compile(r"(?P<model>.+)@(?P<url>https?://.*)")


class ApiTarget(NamedTuple):
    """A model and its server. `base_url` is None for the company's own API."""

    model: str
    base_url: str | None = None


def parse_target(text: str) -> ApiTarget:
    """Parses `model` or `model@http://host:port/v1`. Raises UserError for a malformed address."""
    found = _WITH_URL.fullmatch(text)
    if not found:
        return ApiTarget(text)
    check_address(found["url"], OWN_SERVER_KEY)
    parts = urlsplit(found["url"])
    try:
        named = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        named = False
    if not named:
        raise UserError(
            f"{found['url']!r} is not the address of a server; expected MODEL@http://HOST:PORT/v1"
        )
    return ApiTarget(found["model"], found["url"].rstrip("/"))


class ApiClient(Protocol):
    """The methods that both SDKs' clients share.

    The SDKs' typed methods would walk through the whole body, pictures included. That takes longer
    than the rest of their work, so bodies are encoded here and posted as bytes.
    """

    async def post(self, path: str, *, cast_to: Any, content: bytes) -> Any:
        """Posts a body and returns a `cast_to`. Raises the errors of the SDK."""
        ...

    @property
    def get(self) -> Any:
        """Gets a `cast_to`; with `stream`, its content is not read. Raises the SDK's errors."""
        ...


async def posted(client: ApiClient, path: str, content: bytes) -> dict[str, Any]:
    """Posts an encoded body once. Raises ApiError if the response is not a JSON object."""
    import httpx2

    return _json_of(await client.post(path, cast_to=httpx2.Response, content=content))


def http_timeout(seconds: float, connect: float) -> "httpx2.Timeout":
    """Returns the limits of an HTTP client, with a shorter one for connecting."""
    import httpx2

    return httpx2.Timeout(seconds, connect=min(seconds, connect))


class Posts:
    """Posts bodies to one path of an API.

    The SDK sends the requests until the first reply. It knows the address, the key and the headers.
    Later requests repeat these through the same HTTP client, because the SDK's own work takes
    longer per request than sending it.
    """

    def __init__(self, sdk: ApiClient, http: Any, path: str) -> None:
        """`http` is the HTTP client of the SDK, an `httpx2.AsyncClient`."""
        self._sdk = sdk
        self._http = http
        self._path = path
        self._as_first: tuple[httpx2.URL, httpx2.Headers] | None = None
        """Address and headers of the first request that was answered."""

    async def __call__(self, body: dict[str, Any]) -> dict[str, Any]:
        """Posts a body and returns the response.

        Raises ApiError for an HTTP error and for a response that is not a JSON object, and the
        errors of the SDK and of the HTTP client.
        """
        import httpx2

        content = msgspec.json.encode(body)
        if self._as_first is None:
            response = await self._sdk.post(self._path, cast_to=httpx2.Response, content=content)
            first = [*response.history, response][0].request
            headers = first.headers.copy()
            headers.pop("content-length", None)
            self._as_first = first.url, headers
        else:
            address, headers = self._as_first
            # Merging headers for each request would take longer than sending it.
            request = httpx2.Request("POST", address, stream=httpx2.ByteStream(content))
            request.headers = headers
            request.read()
            response = await self._http.send(request)
            if not response.is_success:
                raise from_status(response.status_code, response.headers, response.text)
        return _json_of(response)


async def fetched(client: ApiClient, path: str, query: Mapping[str, Any]) -> dict[str, Any]:
    """Gets a JSON object. Raises ApiError if the response is none."""
    import httpx2

    options = {"params": dict(query)}
    return _json_of(await client.get(path, cast_to=httpx2.Response, options=options))


async def lines_of(client: ApiClient, path: str) -> AsyncIterator[bytes]:
    """Yields the lines of a file that a server sends, without holding the whole file."""
    import httpx2

    # The class is never used, because the response is returned as it is.
    response = await client.get(path, cast_to=httpx2.Response, stream=True, stream_cls=object)
    rest = b""
    try:
        async for part in response.aiter_bytes():
            # Only at line feeds: a text in JSON may contain other separators of lines.
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                if line.strip():
                    yield line
        if rest.strip():
            yield rest
    except httpx2.HTTPError as error:
        message = shortened(f"{type(error).__name__}: {error}", SHOWN)
        raise ApiError("connection", f"the file was not sent whole: {message}") from None
    finally:
        await response.aclose()


def plain(value: Any, depth: int = 0) -> Any:
    """Returns a JSON value in a form that can be written anywhere and sent back.

    Lone surrogates are replaced. Raises ApiError of the kind `malformed` for deep nesting and for
    values that are not JSON.
    """
    if isinstance(value, str):
        return clean(value)
    if depth > DEEPEST:
        raise ApiError("malformed", f"the reply is nested more than {DEEPEST} levels deep")
    if isinstance(value, dict):
        return {clean(str(key)): plain(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner, depth + 1) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    raise ApiError("malformed", f"the reply contains a {type(value).__name__}, which is not JSON")


def _json_of(response: "httpx2.Response") -> dict[str, Any]:
    try:
        # Some servers write a byte order mark, which `json.loads` refuses.
        value = json.loads(response.text.removeprefix("\ufeff"))
    except RecursionError:
        raise ApiError("malformed", "the reply is nested too deep") from None
    except ValueError:
        kind = response.headers.get("content-type", "no content type")
        start = shortened(" ".join(response.text.split()), SHOWN // 4)
        raise ApiError("bad_reply", f"the reply is not JSON ({kind}): {start!r}") from None
    if not isinstance(value, dict):
        raise ApiError(
            "bad_reply", f"the reply is not a JSON object: {shortened(str(value), SHOWN // 4)}"
        )
    return value
