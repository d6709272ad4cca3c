"""What the SDKs' raw responses have in common."""

import json
from typing import Any, Protocol

from providers.api.faults import SHOWN, ApiError


class HttpResponse(Protocol):
    """The part of an httpx response that is used here."""

    @property
    def text(self) -> str:
        """The body."""
        ...

    @property
    def headers(self) -> Any:
        """Looked up without regard to case."""
        ...


def json_of(response: HttpResponse) -> dict[str, Any]:
    """The JSON object of a response.  Raises ApiError where there is none."""
    try:
        value = json.loads(response.text)
    except ValueError:
        kind = response.headers.get("content-type", "no content type")
        start = " ".join(response.text.split())[: SHOWN // 4]
        raise ApiError("bad_reply", f"the reply is no JSON ({kind}): {start!r}") from None
    if not isinstance(value, dict):
        raise ApiError("bad_reply", f"the reply is no JSON object: {str(value)[: SHOWN // 4]}")
    return value
