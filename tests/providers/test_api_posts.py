"""Requests after the first reply: the SDK is left out, and nothing else changes."""

import asyncio

import pytest

pytest.importorskip("openai", reason="needs the extra `api`")
pytest.importorskip("anthropic", reason="needs the extra `api`")

from proactive_agent.providers import ApiAccess, StoppedError
from proactive_agent.providers.api.provider import ApiProvider
from tests.providers.api_asking import first_turn, provider, server
from tests.providers.hostile_server import LASTING, STOPPING, TRANSIENT, HostileServer

__all__ = ["server"]

pytestmark = pytest.mark.api

OF_SDKS = ("chat", "responses", "messages")
FAILURES = (*TRANSIENT, *LASTING, *STOPPING)
ONCE = ApiAccess(tries=1, first_wait=0.0, timeout=30.0)


async def failure(asked: ApiProvider) -> tuple[str, str]:
    """Returns kind and message of the error of a request."""
    try:
        reply = await asked.complete(first_turn())
    except StoppedError as error:
        return "stopped", str(error)
    except Exception as error:
        return getattr(error, "kind", type(error).__name__), str(error)
    return "no error", str(reply)


@pytest.mark.parametrize("trouble", [t for t in FAILURES if t != "context overflow"])
@pytest.mark.parametrize("protocol", ["chat", "messages"])
def test_a_failure_is_the_same_error_before_and_after_the_first_reply(
    protocol: str, trouble: str, server: HostileServer
) -> None:
    async def both() -> list[tuple[str, str]]:
        asked = provider(protocol, server.url, ONCE)
        server.then(trouble, None, trouble)
        before = await failure(asked)
        await asked.complete(first_turn())
        after = await failure(asked)
        await asked.close()
        return [before, after]

    before, after = asyncio.run(both())
    assert before == after
    assert before[0] != "no error"


@pytest.mark.parametrize("protocol", OF_SDKS)
def test_every_request_has_the_headers_of_the_first(protocol: str, server: HostileServer) -> None:
    async def three() -> None:
        asked = provider(protocol, server.url, ONCE, header=("x-team=one",))
        for _ in range(3):
            await asked.complete(first_turn())
        await asked.close()

    asyncio.run(three())
    first, *later = server.received
    assert first.headers["x-team"] == "one"
    assert first.key
    assert [(r.path, r.headers, r.body) for r in later] == [
        (first.path, first.headers, first.body)
    ] * 2


@pytest.mark.parametrize("protocol", OF_SDKS)
def test_a_server_that_has_gone_is_not_reached(protocol: str) -> None:
    async def play() -> tuple[str, str]:
        with HostileServer().running() as running:
            asked = provider(protocol, running.url, ONCE)
            await asked.complete(first_turn())
        error = await failure(asked)
        await asked.close()
        return error

    kind, message = asyncio.run(play())
    assert kind == "connection", message
