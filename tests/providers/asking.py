"""Requests for tiny models, and functions that ask them."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from proactive_agent.providers import (
    ImagePart,
    Part,
    Provider,
    ProviderOptions,
    Reply,
    Request,
    RequestKey,
    Sampling,
    TextPart,
    UserMessage,
)
from proactive_agent.providers.local import Local, batching

Opened = Callable[..., Local]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    """Opens tiny models by kind, with options, and closes them after the test."""
    from tests.providers.tiny_models import folder

    # On a busy machine, batches must not be split.
    monkeypatch.setattr(batching, "PATIENCE", 20.0)
    providers: list[Local] = []

    def open_one(kind: str = "idefics2", **options: Any) -> Local:
        settings = ProviderOptions(**{"device": "cpu", "batch_size": 8, **options})
        providers.append(Local.create(str(folder(kind)), settings))
        return providers[-1]

    yield open_one
    for provider in providers:
        asyncio.run(provider.close())


def watched(provider: Local, before: Callable[[Any], None] = lambda ids: None) -> list[int]:
    """Records the sizes of later batches; `before` gets each batch's tokens and may raise."""
    model = provider.generator.model
    generate, sizes = model.generate, []

    def watching(**inputs: Any) -> Any:
        sizes.append(len(inputs["input_ids"]))
        before(inputs["input_ids"])
        return generate(**inputs)

    model.generate = watching
    return sizes


def picture(width: int = 60, height: int = 40, turn: int = 0) -> ImagePart:
    """A picture. Each `turn` gives another picture."""
    image = Image.linear_gradient("L").rotate(37 * turn).resize((width, height)).convert("RGB")
    return ImagePart(f"{width}x{height}/{turn}", lambda: image)


def question(*content: Part | str, index: int = 0, max_tokens: int = 12, **more: Any) -> Request:
    """A request with one message of this content. `more` are other fields of the request."""
    parts = tuple(TextPart(part) if isinstance(part, str) else part for part in content)
    messages = more.pop("messages", (UserMessage(parts),))
    sampling = more.pop("sampling", Sampling(max_tokens, thinking_tokens=0))
    return Request(RequestKey("rod", index, 0), messages, sampling=sampling, **more)


def questions(number: int, **more: Any) -> list[Request]:
    """Requests with different lengths and pictures of different sizes."""
    return [
        question(
            picture(40 + 10 * i, 90 - 5 * i, i), "What is it? " * (i + 1), index=i, seed=i, **more
        )
        for i in range(number)
    ]


async def ask_all(provider: Provider, requests: Sequence[Request]) -> list[Reply]:
    """Asks all requests concurrently. Raises the first error."""
    return await asyncio.gather(*map(provider.complete, requests))


async def ask_each(provider: Provider, requests: Sequence[Request]) -> list[Reply]:
    """Asks the requests in sequence."""
    return [await provider.complete(request) for request in requests]


def essence(replies: list[Reply]) -> list[Any]:
    """The parts of replies that must not depend on batching."""
    return [(r.text, r.tool_calls, r.finish_reason, replace(r.usage, seconds=0)) for r in replies]
