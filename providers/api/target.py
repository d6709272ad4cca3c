"""What stands after `openai:`: a model, and the server where it is asked."""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from proactive_agent.tools import UserError

# Names of models can hold an @ of their own (`claude-sonnet-4@20250514`).
_WITH_URL = re.compile(r"(?P<model>.+)@(?P<url>https?://.*)")


class Target(NamedTuple):
    """A model, and where it is served; None is the API's own address."""

    model: str
    base_url: str | None = None


def parse_target(text: str) -> Target:
    """Reads `model` or `model@http://host:port/v1`.  Raises UserError for a faulty address."""
    found = _WITH_URL.fullmatch(text)
    if not found:
        return Target(text)
    parts = urlsplit(found["url"])
    try:
        named = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        named = False
    if not named:
        raise UserError(f"{found['url']!r} is no address of a server")
    if parts.username or parts.password:
        raise UserError("a key belongs into the environment, not into the address of a server")
    return Target(found["model"], found["url"].rstrip("/"))
