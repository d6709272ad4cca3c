"""System prompts in the format of each API."""

from typing import Any

import pytest

pytest.importorskip("openai", reason="needs the extra `api`")
pytest.importorskip("anthropic", reason="needs the extra `api`")
pytest.importorskip("litellm", reason="needs the extra `api`")

from proactive_agent.providers import Request, RequestKey, Sampling, TextPart, UserMessage
from proactive_agent.providers.api.prices import input_tokens
from tests.providers.api_asking import PROTOCOLS, ask, provider, replied, server
from tests.providers.hostile_server import HostileServer

__all__ = ["server"]

pytestmark = pytest.mark.api

MESSAGE = UserMessage((TextPart("Which is it?"),))


def request(system: str) -> Request:
    return Request(RequestKey("rod", 0, 0), (MESSAGE,), system=system, sampling=Sampling(8))


def told(protocol: str, body: dict[str, Any]) -> Any:
    if protocol == "responses":
        return body.get("instructions")
    if protocol == "messages":
        return body.get("system")
    first = body["messages"][0]
    return first["content"] if first["role"] == "system" else None


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("system", ["You judge.", ""])
def test_it_stands_where_the_api_wants_it(
    protocol: str, system: str, server: HostileServer
) -> None:
    replied(*ask(provider(protocol, server.url), request(system)))
    (received,) = server.received
    assert told(protocol, received.body) == (system or None)
    conversation = received.body.get("input") or received.body["messages"]
    assert conversation[-1]["role"] == "user"
    assert len(conversation) == 1 + bool(system and protocol in ("chat", "litellm"))


def test_it_counts_toward_the_tokens() -> None:
    assert input_tokens(request("x" * 400), {}) == input_tokens(request(""), {}) + 100
