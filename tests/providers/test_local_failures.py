"""Failures of batches: too large, incomplete, with a faulty request, cancelled, closed."""

import asyncio
import threading
from typing import Any

import pytest
from PIL import Image

from proactive_agent.providers import ImagePart, ProviderError, Reply, Request
from proactive_agent.providers.local import Local
from tests.providers import asking
from tests.providers.asking import Opened, ask_all, ask_each, picture, question, questions, watched

tiny = pytest.importorskip("tests.providers.tiny_models", reason="needs the extra `local`")
pytestmark = pytest.mark.local

opened = asking.opened


def test_a_run_ends_with_fewer_requests_than_a_batch(opened: Opened) -> None:
    provider = opened(batch_size=64)

    async def run() -> list[Reply]:
        return await asyncio.wait_for(ask_all(provider, questions(3)), timeout=20)

    assert len(asyncio.run(run())) == 3


def test_out_of_memory_halves_the_batch_and_goes_on(opened: Opened) -> None:
    import torch

    def two_at_most(ids: Any) -> None:
        if len(ids) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory.")

    provider, requests = opened(), questions(8)
    alone = asyncio.run(ask_each(provider, requests))
    sizes = watched(provider, two_at_most)
    assert asking.essence(asyncio.run(ask_all(provider, requests))) == asking.essence(alone)
    assert sizes == [8, 4, 2, 2, 2, 2]


def test_the_size_that_fits_is_remembered(opened: Opened) -> None:
    import torch

    def two_at_most(ids: Any) -> None:
        if len(ids) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")

    provider, requests = opened(), questions(8)
    sizes = watched(provider, two_at_most)
    asyncio.run(ask_all(provider, requests))
    sizes.clear()
    asyncio.run(ask_all(provider, requests))
    assert sizes == [2, 2, 2, 2]


def test_a_request_that_does_not_fit_alone_is_an_error(opened: Opened) -> None:
    import torch

    def never(ids: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    provider = opened()
    watched(provider, never)
    with pytest.raises(ProviderError) as caught:
        asyncio.run(provider.complete(question("What?")))
    assert caught.value.kind == "out_of_memory"


async def _outcomes(provider: Local, requests: list[Request]) -> list[Reply | BaseException]:
    return await asyncio.gather(*map(provider.complete, requests), return_exceptions=True)


def test_a_picture_that_cannot_be_read_fails_its_own_request(opened: Opened) -> None:
    def torn() -> Image.Image:
        raise OSError("image file is truncated")

    requests = questions(4)
    requests[2] = question(ImagePart("torn", torn), "What?")
    outcomes = asyncio.run(_outcomes(opened(), requests))
    bad = outcomes.pop(2)
    assert isinstance(bad, ProviderError)
    assert (bad.kind, str(bad)) == ("bad_request", "OSError: image file is truncated")
    assert all(isinstance(outcome, Reply) for outcome in outcomes)


def test_a_picture_that_the_processor_refuses_fails_its_own_request(opened: Opened) -> None:
    requests = questions(4)
    # Qwen's processor rejects pictures more than 200 times as wide as high.
    requests[1] = question(picture(2000, 4), "What?")
    outcomes = asyncio.run(_outcomes(opened("qwen2_5_vl"), requests))
    bad = outcomes.pop(1)
    assert isinstance(bad, ProviderError)
    assert bad.kind == "generation_failed"
    assert all(isinstance(outcome, Reply) for outcome in outcomes)


def test_cancelling_a_request_in_a_batch_leaves_the_others(opened: Opened) -> None:
    provider, requests = opened(), questions(4)
    entered, gate = threading.Event(), threading.Event()

    def hold(ids: Any) -> None:
        entered.set()
        assert gate.wait(20), "the event loop was blocked"

    sizes = watched(provider, hold)

    async def run() -> list[Reply | BaseException]:
        tasks = [asyncio.create_task(provider.complete(request)) for request in requests]
        await asyncio.to_thread(entered.wait, 20)
        tasks[1].cancel()
        await asyncio.wait([tasks[1]])
        gate.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    outcomes = asyncio.run(run())
    assert isinstance(outcomes.pop(1), asyncio.CancelledError)
    assert all(isinstance(outcome, Reply) for outcome in outcomes)
    assert sizes == [4]


def test_closing_ends_a_long_reply(opened: Opened) -> None:
    provider = opened()
    entered = threading.Event()
    watched(provider, lambda ids: entered.set())

    async def run() -> None:
        task = asyncio.create_task(provider.complete(question("What?", max_tokens=10**6)))
        await asyncio.to_thread(entered.wait, 20)
        await asyncio.wait_for(provider.close(), timeout=20)
        await task

    with pytest.raises(ProviderError) as caught:
        asyncio.run(run())
    assert caught.value.kind == "closed"
