"""Pictures are processed once, one by one, while the model generates."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from PIL import ExifTags

from proactive_agent.providers import (
    AssistantMessage,
    ProviderError,
    Reply,
    Request,
    Sampling,
    UserMessage,
)
from proactive_agent.providers.local import Local
from proactive_agent.providers.local.chat import RenderedPrompt
from proactive_agent.providers.local.trials import mixed_requests
from tests.providers import asking
from tests.providers.asking import Opened, ask_all, ask_each, picture, question, questions, watched
from tests.providers.test_local_families import FAMILIES

tiny = pytest.importorskip("tests.providers.tiny_models", reason="needs the extra `local`")
pytestmark = pytest.mark.local

opened = asking.opened

TOGETHER = {"llava_onevision", "mllama"}
"""Families whose processors treat a picture differently if its prompt has several."""


def count_calls(provider: Local, before: Callable[[], None] = lambda: None) -> list[int]:
    """Records the numbers of pictures in later calls of the model's own image processor."""
    own = provider.generator.pictures.joining.own
    process, counts = own.preprocess, []

    def counting(rows: Any, **arguments: Any) -> Any:
        before()
        counts.append(sum(map(len, rows)))
        return process(rows, **arguments)

    own.preprocess = counting
    return counts


# Raised by numpy when torchvision reads a picture.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("kind", [family.kind for family in FAMILIES])
def test_joined_pictures_are_the_input_that_the_processor_makes(opened: Opened, kind: str) -> None:
    import torch

    provider = opened(kind)
    generator = provider.generator
    requests = mixed_requests(4, provider.max_pictures)
    prompts = [provider.chat.prompt(request) for request in requests]
    joined = generator._inputs(prompts)
    assert generator.pictures.are_kept == (kind not in TOGETHER)
    generator.pictures.joining.forget()
    expected = generator._inputs(prompts)
    assert list(joined) == list(expected)
    assert all(torch.equal(joined[name], expected[name]) for name in expected)


@pytest.mark.parametrize("kind", ["idefics2", "qwen2_5_vl"])
def test_a_picture_with_an_orientation_is_turned_if_the_processor_turns_it(
    opened: Opened, kind: str
) -> None:
    import torch

    generator, part = opened(kind).generator, picture(60, 40)
    exif = part.load().getexif()
    exif[ExifTags.Base.Orientation] = 6
    part.load().info["exif"] = exif.tobytes()
    prompts = [RenderedPrompt(generator.processor.image_token, (part,), Sampling(4), 0)]
    joined = generator._inputs(prompts)["pixel_values"]
    generator.pictures.joining.forget()
    assert torch.equal(joined, generator._inputs(prompts)["pixel_values"])


def conversation(turns: int) -> list[Request]:
    """The requests of an episode that keeps its pictures."""
    messages = []
    for turn in range(turns):
        messages += [UserMessage((picture(turn=turn),)), AssistantMessage("I cannot see it.")]
    return [question(messages=tuple(messages[: 2 * turn + 1])) for turn in range(turns)]


def test_a_picture_is_processed_once_in_a_conversation(opened: Opened) -> None:
    provider = opened()
    counts = count_calls(provider)
    asyncio.run(ask_each(provider, conversation(4)))
    assert counts == [1, 1, 1, 1]


def test_pictures_beyond_the_memory_bound_are_processed_again(opened: Opened) -> None:
    provider = opened()
    pictures, requests = provider.generator.pictures, conversation(4)
    expected = asyncio.run(ask_each(provider, requests))
    one_picture = pictures.bytes // 4
    pictures.clear()
    pictures.kept_bytes = 2 * one_picture
    counts = count_calls(provider)
    assert asking.essence(asyncio.run(ask_each(provider, requests))) == asking.essence(expected)
    assert 0 < pictures.bytes <= pictures.kept_bytes
    assert len(counts) > 4


def test_the_next_picture_is_processed_while_the_model_generates(opened: Opened) -> None:
    provider = opened(batch_size=1)
    both, overlapped = threading.Event(), []
    begun = iter([lambda: None, both.set])
    count_calls(provider, before=lambda: next(begun)())
    # Generation waits until the processor has been called for both requests.
    watched(provider, lambda ids: overlapped.append(both.wait(20)))
    asyncio.run(ask_all(provider, questions(2)))
    assert overlapped == [True, True]


def test_a_picture_that_cannot_be_processed_splits_no_batch(opened: Opened) -> None:
    provider, requests = opened("qwen2_5_vl"), questions(4)
    # Qwen's processor rejects pictures more than 200 times as wide as high.
    requests[1] = question(picture(2000, 4), "What?")
    sizes = watched(provider)

    async def outcomes() -> list[Reply | BaseException]:
        return await asyncio.gather(*map(provider.complete, requests), return_exceptions=True)

    bad = asyncio.run(outcomes())[1]
    assert isinstance(bad, ProviderError)
    assert bad.kind == "generation_failed"
    assert sizes == [3]


def test_closing_frees_the_pictures(opened: Opened) -> None:
    provider = opened()
    asyncio.run(ask_all(provider, questions(2)))
    assert provider.generator.pictures.bytes > 0
    asyncio.run(provider.close())
    assert provider.generator.pictures.bytes == 0
