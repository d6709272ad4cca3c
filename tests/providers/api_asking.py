"""Shared by the tests of API models: the test server, providers for it, and requests."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from proactive_agent.providers import (
    ApiAccess,
    AssistantMessage,
    ImagePart,
    ProviderError,
    ProviderOptions,
    Reply,
    Request,
    RequestKey,
    Sampling,
    TextPart,
    ToolMessage,
    UserMessage,
    create_provider,
)
from proactive_agent.providers.api.provider import ApiProvider
from proactive_agent.tools import ToolCall
from proactive_agent.tools.catalogue import ABSTAIN, answer_tool, intervention_tool
from tests.providers.hostile_server import HostileServer

AT_ONCE = ApiAccess(first_wait=0.0, timeout=30.0)
"""Retries without waiting."""
PROTOCOLS = ("chat", "responses", "messages", "litellm")
TOOLS = (intervention_tool("move_object"), answer_tool(("Cat.", "Dog.")), ABSTAIN)
CALL = ToolCall("move_object", '{"direction": "left"}', "call_0")


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer().running() as running:
        yield running


def spec(protocol: str, url: str) -> str:
    """The spec of a model on that server, for one of the four adapters."""
    names = {"messages": "anthropic:m", "litellm": "litellm:hosted_vllm/m"}
    return f"{names.get(protocol, 'openai:m')}@{url}"


def provider(protocol: str, url: str, access: ApiAccess = AT_ONCE, **options: Any) -> ApiProvider:
    """A provider for a model on a server."""
    if protocol == "responses":
        options["api"] = "responses"
    made = create_provider(spec(protocol, url), ProviderOptions(**options, access=access))
    assert isinstance(made, ApiProvider)
    return made


def picture(colour: str = "red", size: tuple[int, int] = (64, 48)) -> ImagePart:
    """A picture of one colour."""
    image = Image.new("RGB", size, colour)
    return ImagePart(f"{colour} {size}", lambda: image)


def first_turn(**more: Any) -> Request:
    """A request with a picture, a question and tools."""
    message = UserMessage((picture(), TextPart("What is behind the block?")))
    fields = {"tools": TOOLS, "sampling": Sampling(100), **more}
    return Request(RequestKey("rod", 0, 0), (message,), **fields)


def second_turn(opaque: Any = None, text: str = "", **more: Any) -> Request:
    """The turn after a call, whose result contains a new picture."""
    request = first_turn(**more)
    result = ToolMessage(CALL, (TextPart("The block was moved."), picture("blue")))
    said = AssistantMessage(text, (CALL,), opaque)
    return replace(request, messages=(*request.messages, said, result))


def ask(provider: ApiProvider, *requests: Request) -> list[Reply | ProviderError]:
    """Asks requests in sequence and closes the provider."""

    async def ask_all() -> list[Reply | ProviderError]:
        outcomes: list[Reply | ProviderError] = []
        try:
            for request in requests:
                try:
                    outcomes.append(await provider.complete(request))
                except ProviderError as error:
                    outcomes.append(error)
        finally:
            await provider.close()
        return outcomes

    return asyncio.run(ask_all())


def replied(outcome: Reply | ProviderError) -> Reply:
    """Returns the reply, or raises the error."""
    if isinstance(outcome, ProviderError):
        raise outcome
    return outcome


def failed(outcome: Reply | ProviderError) -> ProviderError:
    """Asserts that the outcome is an error and returns it."""
    assert isinstance(outcome, ProviderError), outcome
    return outcome
