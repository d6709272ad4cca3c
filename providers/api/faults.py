"""Failures of API requests, by kind, and which of them are retried.

| kind | cause | retried |
| --- | --- | --- |
| connection, timeout | no response or an incomplete one; HTTP 408 | yes |
| rate_limit, conflict | HTTP 429, 409 | yes |
| overloaded, server | HTTP 503 and 529, any other 5xx | yes |
| expired | a batch ended before the API processed the request | yes |
| bad_reply | incomplete response: no JSON, wrong content type, no choices | yes |
| malformed | a field of the response has the wrong type or range | no |
| quota | HTTP 402; the account has no credit left; a daily quota is used up | no; the run stops |
| auth, permission | HTTP 401, 403; a wrong or expired key with HTTP 400 | no; the run stops |
| canceled | someone cancelled the batch of the request | no; the run stops |
| not_found | HTTP 404 | no |
| too_large, context_overflow | HTTP 413; more tokens than the context window | no |
| content_filter | the API's content filter blocked the request or the reply | no |
| server_died | the server that `vllm:` has started ended | no; the next request stops the run |
| bad_request | any other 4xx; a message that an adapter cannot send | no |

"The run stops": every later request would fail as well, or someone wants it to end. It can be
resumed.

One HTTP 400 is no failure of the request: with `tool_use_failed`, Groq withholds a reply whose tool
call is malformed. The error contains the text that the model wrote, and the provider reads it as
the model's reply; see `ApiError.withheld`.
"""

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any

from proactive_agent.providers.messages import Usage
from proactive_agent.tools.secrets import redacted

SHOWN = 400
"""Maximum number of characters of an error message."""

_BY_STATUS = {
    401: "auth", 402: "quota", 403: "permission", 404: "not_found", 408: "timeout", 409: "conflict",
    413: "too_large", 429: "rate_limit", 503: "overloaded", 529: "overloaded",
}  # fmt: skip
_BY_NAME = {
    "authentication_error": "auth", "invalid_authentication_error": "auth",
    "invalid_api_key": "auth", "unauthenticated": "auth", "unauthorized": "auth",
    "permission_error": "permission", "permission_denied": "permission", "forbidden": "permission",
    "billing_error": "quota", "insufficient_quota": "quota", "payment_required": "quota",
}  # fmt: skip
"""Names of account failures, in the fields of `_CODES`."""
_CODES = ("code", "status", "status_code", "type")
"""Fields of an error with an HTTP status, as a number or as text, or with the error's name."""
RETRIED = frozenset(
    {
        "connection", "timeout", "rate_limit", "conflict", "overloaded", "server", "bad_reply",
        "expired",
    }
)  # fmt: skip
STOPPING = frozenset({"auth", "permission", "quota", "canceled"})
"""Kinds that end a run."""
SLOWED_BY = frozenset({"rate_limit", "overloaded"})
"""Kinds that reduce the number of concurrent requests."""
WITHHELD = "tool_use_failed"
"""Groq's code for a reply that it withholds. It becomes the finish reason of the reply."""

_UNREACHED = frozenset({"ClientConnectorError", "ConnectTimeout", "ConnectionTimeoutError"})
"""Errors of the transports before a connection was made."""
_SILENT = frozenset({"ConnectionTimeoutError"})
"""Those among them that mean that the host did not answer."""

_QUOTA = re.compile(
    r"insufficient_quota|credit balance is too low|billing_error|billing_hard_limit"
    r"|insufficient[ _](?:balance|credits?|funds)"
    # Gemini and OpenRouter name the quota that was exceeded. Those per minute pass, those per day
    # do not. OpenAI's limits per day are no such quota: they let a request pass every few seconds.
    r"|quotaId[\"'\s:\\]+\w*PerDay|\bmodels-per-day\b",
    re.IGNORECASE,
)
_EXPIRED = re.compile(
    r"API_KEY_INVALID|api[ _]key (?:has )?(?:not valid|expired|invalid)|invalid[ _]api[ _]key"
    r"|ExpiredToken|token (?:has )?expired",
    re.IGNORECASE,
)
"""Gemini and Amazon report a key that is wrong or has expired with HTTP 400."""
_RETRY_DELAY = re.compile(r"retryDelay[\"'\s:\\]+(\d+(?:\.\d+)?)s")
"""Gemini's wait in the details of an error: `"retryDelay": "34s"`."""
_OVERFLOW = re.compile(
    r"context_length_exceeded|maximum context length|context[ _]window|prompt is too long"
    r"|exceeds? the (?:model'?s? )?(?:maximum|max|available) (?:context|input)|too many tokens",
    re.IGNORECASE,
)
_FILTERED = re.compile(
    r"content[_ ]filter|content_policy|content management policy|ResponsibleAIPolicy"
    r"|rejected as a result of our safety system|requires moderation|moderation_blocked",
    re.IGNORECASE,
)


class ApiError(Exception):
    """A failed request. `kind` is one of the table above."""

    def __init__(
        self, kind: str, message: str, wait: float | None = None, *, unreached: bool = False
    ) -> None:
        super().__init__(message)
        self.unreached = unreached
        """Whether no connection was made: a wrong address, or a server that does not run."""
        self.kind = kind
        self.wait = wait
        """Seconds that the server asks to wait before a retry; None if it does not say."""
        self.withheld: str | None = None
        """Text of a reply that the API withheld because its tool call is malformed, or None."""
        self.usage: Usage | None = None
        """The usage of earlier replies to the request, which were discarded."""

    @property
    def retried(self) -> bool:
        """Whether a retry can succeed."""
        return self.kind in RETRIED


def shortened(text: str, most: int = SHOWN) -> str:
    """Returns the beginning of a server's text, without secrets.

    The order matters: half a secret would not be recognised for what it is.
    """
    return redacted(text)[:most]


def from_status(status: int, headers: Mapping[str, str], body: str) -> ApiError:
    """Builds the error for an HTTP response."""
    message = _message(body)
    kind = _BY_STATUS.get(status, "server" if status >= 500 else "bad_request")
    if status in (400, 403, 413, 422, 429) and (special := _special(body, status)):
        kind = special
    fault = ApiError(kind, shortened(f"HTTP {status}: {message}"), _wait(headers, body))
    fault.withheld = _withheld(body)
    return fault


def reported(fields: dict[str, Any]) -> ApiError | None:
    """Builds the error in the field `error` of a reply with HTTP 200, or of one of its choices.

    Gateways pass on failures of the server behind them in this form. Returns None if there is no
    error. Some servers send an error without any content beside a valid reply.
    """
    error = fields.get("error")
    if not error or (isinstance(error, dict) and not any(error.values())):
        return None
    return _from_body(error)


def _from_body(error: Any) -> ApiError:
    """Classifies an error by its code or name, and by its message if it has neither."""
    body = json.dumps({"error": error})
    codes = [error.get(field) for field in _CODES] if isinstance(error, dict) else []
    if status := next(filter(None, map(_http_status, codes)), None):
        return from_status(status, {}, body)
    names = (_BY_NAME.get(code.casefold()) for code in codes if isinstance(code, str))
    named = next(filter(None, names), None)
    if _withheld(body) is not None:
        return from_status(400, {}, body)
    status = 429 if re.search(r"rate_?limit", body) else 529 if "overloaded" in body else 500
    fault = from_status(status, {}, body)
    kind = named or _special(body, 400) or fault.kind
    return ApiError(kind, shortened(_message(body)), fault.wait)


def _http_status(code: Any) -> int | None:
    """Returns a code that is the HTTP status of an error, as a number or as text, or None."""
    if isinstance(code, str) and re.fullmatch(r"[45][0-9]{2}", code):
        return int(code)
    return code if isinstance(code, int) and 400 <= code < 600 else None


def from_sdk(error: Exception) -> ApiError:
    """Builds the error for an exception of an SDK, of its HTTP client (httpx) or of litellm."""
    status = getattr(error, "status_code", None)
    names = _names(error)
    if "Invalid response object" in str(error):  # litellm, with a traceback as the message
        return ApiError("malformed", "litellm cannot read the reply; a field has a wrong type")
    if unconnected := _unconnected([error, *_causes(error)]):
        return unconnected
    if names & {"APITimeoutError", "Timeout", "TimeoutError", "TimeoutException"}:
        return ApiError("timeout", _first_line(error) or "no reply before the timeout")
    if names & {"APIConnectionError", "RequestError"}:
        own = "RequestError" in names
        cause = error if own else error.__cause__ or error.__context__ or error
        return ApiError("connection", _first_line(cause) or type(cause).__name__)
    if "ContextWindowExceededError" in names:
        return ApiError("context_overflow", _first_line(error))
    if "ContentPolicyViolationError" in names:
        return ApiError("content_filter", _first_line(error))
    if fault := _from_sdk_status(error, _http_status(status) or status):
        return fault
    if status == 200 or names & {"JSONDecodeError", "APIResponseValidationError", "DecodeError"}:
        kind = "malformed" if "recursion" in str(error) else "bad_reply"
        return ApiError(kind, f"the reply cannot be read: {_first_line(error)}")
    return ApiError("bad_request", f"{type(error).__name__}: {_first_line(error)}")


def _unconnected(causes: Sequence[BaseException]) -> ApiError | None:
    """Builds the error for a connection that was not made, or was lost."""
    # The transport reports a server that does not exist as a timeout.
    for cause in causes:
        unreached = isinstance(cause, ConnectionRefusedError) or bool(_names(cause) & _UNREACHED)
        if isinstance(cause, ConnectionError) or unreached:
            message = _first_line(cause) or type(cause).__name__
            if any(_names(one) & _SILENT for one in causes):
                message = f"the host does not answer: {message}"
            return ApiError("connection", message, unreached=unreached)
    return None


def _from_sdk_status(error: Exception, status: Any) -> ApiError | None:
    if isinstance(status, str):  # litellm repeats the `code` of an error in a body.
        return _from_body({"code": status, "message": _first_line(error)})
    if not isinstance(status, int) or status < 400:
        return None
    response = getattr(error, "response", None)
    headers = getattr(error, "litellm_response_headers", None) or getattr(response, "headers", {})
    return from_status(status, headers, _body(error, response))


def _names(error: BaseException) -> set[str]:
    return {parent.__name__ for parent in type(error).__mro__}


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause = error.__cause__ or error.__context__
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _body(error: Exception, response: Any) -> str:
    # litellm constructs its response objects; its message ends with the server's own body.
    if type(error).__module__.startswith("litellm"):
        _, _, said = str(error).partition(" - {")
        return "{" + said if said else str(error)
    return str(getattr(response, "text", "") or error)


def _special(body: str, status: int) -> str | None:
    if _QUOTA.search(body):
        return "quota"
    if status == 429:
        return None
    if _EXPIRED.search(body):
        return "auth"
    if _FILTERED.search(body):
        return "content_filter"
    return "context_overflow" if _OVERFLOW.search(body) else None


def _withheld(body: str) -> str | None:
    """Returns the text that a model wrote and Groq withheld for its malformed call, or None."""
    try:
        error = json.loads(body)["error"]
        written = error["failed_generation"] if error["code"] == WITHHELD else None
    except (ValueError, RecursionError, LookupError, TypeError):
        return None
    return written if isinstance(written, str) else None


def _message(body: str) -> str:
    """Extracts the message from an error body in any of the usual forms."""
    try:
        value = json.loads(body)
        if isinstance(value, list) and len(value) == 1:
            value = value[0]  # Gemini's compatible API sends a list with one error.
        json.dumps(value)
    except (ValueError, RecursionError):
        return " ".join(shortened(body, 2 * SHOWN).split()) or "no message"
    if isinstance(value, dict):
        inner = value.get("error", value)
        if isinstance(inner, dict):
            inner = inner.get("message") or inner.get("detail") or inner.get("type") or inner
        value = inner
    return " ".join((value if isinstance(value, str) else json.dumps(value)).split())


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return shortened(lines[0]) if lines else ""


def _wait(headers: Mapping[str, str], body: str) -> float | None:
    """Seconds to wait, from `retry-after-ms`, `retry-after` (seconds or a date) or `retryDelay`."""
    try:
        if exact := headers.get("retry-after-ms"):
            return max(0.0, float(exact) / 1000)
        if not (given := headers.get("retry-after")):
            found = _RETRY_DELAY.search(body)
            return float(found[1]) if found else None
        if re.fullmatch(r"[\d.]+", given.strip()):
            return float(given)
        return max(0.0, parsedate_to_datetime(given).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
