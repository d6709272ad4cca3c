"""Replies of tiny models of four architectures."""

import asyncio
from typing import Any

import pytest

from proactive_agent.providers import Sampling
from proactive_agent.providers.local import Local
from proactive_agent.settings import DEFAULT_THINKING_ROOM
from tests.providers import asking
from tests.providers.asking import Opened, ask_all, ask_each, question, questions, watched

tiny = pytest.importorskip("tests.providers.tiny_models", reason="needs the extra `local`")
pytestmark = pytest.mark.local

opened = asking.opened


@pytest.mark.parametrize("kind", [tiny.NATIVE_TOOLS, tiny.KINDS[0]])
def test_a_batch_replies_as_each_alone(opened: Opened, kind: str) -> None:
    provider = opened(kind)
    requests = questions(8)
    sizes = watched(provider)
    together = asyncio.run(ask_all(provider, requests))
    assert sizes == [8]
    assert asking.essence(together) == asking.essence(asyncio.run(ask_each(provider, requests)))
    assert len({reply.text for reply in together}) == 8


def test_requests_without_pictures_go_beside_those_with(opened: Opened) -> None:
    provider = opened()
    requests = [*questions(3), question("Who are you?", index=3)]
    sizes = watched(provider)
    together = asyncio.run(ask_all(provider, requests))
    assert sorted(sizes) == [1, 3]
    assert asking.essence(together) == asking.essence(asyncio.run(ask_each(provider, requests)))


def test_requests_of_different_settings_are_not_mixed(opened: Opened) -> None:
    provider = opened()
    requests = [*questions(3, max_tokens=4), *questions(3, max_tokens=8)]
    sizes = watched(provider)
    replies = asyncio.run(ask_all(provider, requests))
    assert [reply.usage.output_tokens for reply in replies] == [4, 4, 4, 8, 8, 8]
    assert sizes == [3, 3]


def test_usage_counts_no_padding(opened: Opened) -> None:
    provider = opened()
    short, long = question("Hm?"), question("What is this? " * 20)
    first, second = asyncio.run(ask_all(provider, [short, long]))
    # One token per byte, plus the token that ends the turn.
    prompt = len("User: ") + 1 + len("\nAssistant:")
    assert first.usage.input_tokens == prompt + len("Hm?")
    assert second.usage.input_tokens == prompt + len("What is this? " * 20)
    assert first.usage.seconds is not None
    assert first.usage.seconds > 0


def test_a_reply_that_is_cut_off_says_so(opened: Opened) -> None:
    replies = asyncio.run(ask_all(opened(), questions(2, max_tokens=3)))
    assert [(r.finish_reason, r.usage.output_tokens) for r in replies] == [("length", 3)] * 2


@pytest.mark.parametrize(
    ("options", "thinking_tokens", "room"),
    [
        ('{"enable_thinking": true}', None, DEFAULT_THINKING_ROOM),
        ('{"enable_thinking": true}', 5, 5),
        ("{}", None, 0),
        ("{}", 5, 5),
    ],
)
def test_a_template_that_thinks_gets_room_for_it(
    opened: Opened, options: str, thinking_tokens: int | None, room: int
) -> None:
    provider = opened("qwen3_vl", template_options=options)
    provider.generator.model.config.get_text_config().max_position_embeddings = 100_000
    assert limit(provider, Sampling(12, thinking_tokens=thinking_tokens)) == 12 + room
    thinks = "true" in options
    manifest = provider.manifest()
    assert manifest["thinks"] is thinks
    assert manifest["default_thinking_room"] == (DEFAULT_THINKING_ROOM if thinks else 0)


def test_the_room_for_thinking_ends_with_the_context(opened: Opened) -> None:
    provider = opened("qwen3_vl")
    config = provider.generator.model.config.get_text_config()
    config.max_position_embeddings = 100_000
    reply = asyncio.run(provider.complete(question("A", max_tokens=1)))
    assert reply.usage.input_tokens
    for spare, expected in ((3, 12 + 3), (-3, 12)):
        config.max_position_embeddings = reply.usage.input_tokens + 12 + spare
        assert limit(provider, Sampling(12, thinking_tokens=50)) == expected


@pytest.mark.parametrize(
    ("beginning", "thinking_tokens", "limits"),
    [
        ("<think>", None, [3, 3 + DEFAULT_THINKING_ROOM]),
        ("<think>", 0, [3]),
        ("<think>", 7, [10]),
        ("Yes, ", None, [3]),
    ],
)
def test_a_reply_that_begins_with_a_thought_gets_room_for_it(
    opened: Opened, beginning: str, thinking_tokens: int | None, limits: list[int]
) -> None:
    """The template does not show that this model thinks."""
    provider = opened("qwen3_vl")
    given = writes(provider, f"{beginning}hm</think>No")
    sampling = Sampling(3, thinking_tokens=thinking_tokens)
    reply = asyncio.run(provider.complete(question("A", sampling=sampling)))
    assert given == limits
    assert reply.thinking_room == limits[-1] - 3
    complete = max(limits) >= len("<hm>No$")  # Each mark is one token.
    assert reply.finish_reason == ("stop" if complete else "length")
    assert reply.text == ("No" if complete else "Yes" if beginning == "Yes, " else "")


@pytest.mark.parametrize(
    ("options", "written", "text", "tokens"),
    [
        ('{"enable_thinking": true}', "hm</think>Abcdef", "Abcde", 2 + 1 + 5),
        ('{"enable_thinking": true}', "hm</think>Abcd", "Abcd", 2 + 1 + 4 + 1),
        ("{}", "<think>hm</think>Abcdef", "Abcde", 1 + 2 + 1 + 5),
        ("{}", "A<think>hm</think>Abcdef", "AAbcd", 1 + 1 + 2 + 1 + 4),
        ("{}", "Abcdef", "Abcde", 5),
    ],
)
def test_the_room_for_thinking_does_not_extend_the_answer(
    opened: Opened, options: str, written: str, text: str, tokens: int
) -> None:
    """Each character and each mark is one token."""
    provider = opened("qwen3_vl", template_options=options)
    writes(provider, written)
    sampling = Sampling(5, thinking_tokens=20)
    reply = asyncio.run(provider.complete(question("A", sampling=sampling)))
    assert (reply.text, reply.usage.output_tokens) == (text, tokens)
    assert reply.finish_reason == ("stop" if text == "Abcd" else "length")


@pytest.mark.parametrize(
    ("options", "beginning", "room_is_used"),
    [
        ('{"enable_thinking": true}', "hm</think>", False),
        ("{}", "<think>hm</think>", False),
        ('{"enable_thinking": true}', "hm", True),
        ("{}", "A", True),
    ],
)
def test_an_overlong_answer_is_not_generated_to_the_end_of_the_room(
    opened: Opened, options: str, beginning: str, room_is_used: bool
) -> None:
    """Thoughts use the whole room, and so does a text that a closing mark may make a thought."""
    provider = opened("qwen3_vl", template_options=options)
    lengths = forced(provider, beginning + 400 * "b")
    requests = [question(text, sampling=Sampling(5, thinking_tokens=300)) for text in ("A", "Bcd")]
    first, other = asyncio.run(ask_all(provider, requests))
    assert first.text == other.text == ("b" * 5 if "</think>" in beginning else first.text)
    assert (first.finish_reason, other.finish_reason) == ("length", "length")
    assert [length > 64 for length in lengths] == [room_is_used] * len(lengths)


def forced(provider: Local, text: str) -> list[int]:
    """Forces the model of a provider to generate this text; returns the numbers of new tokens."""
    import torch
    from transformers import LogitsProcessor

    model, tokenizer = provider.generator.model, provider.generator.processor.tokenizer
    model.config.get_text_config().max_position_embeddings = 100_000
    written = tokenizer.encode(text)
    lengths: list[int] = []
    generate = model.generate

    def generate_forced(input_ids: Any, logits_processor: Any, **more: Any) -> Any:
        width = input_ids.shape[1]

        class Forced(LogitsProcessor):  # type: ignore[misc, unused-ignore]  # untyped base
            def __call__(self, ids: Any, scores: Any) -> Any:
                wanted = torch.full_like(scores, -torch.inf)
                wanted[:, written[ids.shape[1] - width]] = 0.0
                return wanted

        output = generate(input_ids=input_ids, logits_processor=[Forced()], **more)
        lengths.append(output.shape[1] - width)
        return output

    model.generate = generate_forced
    return lengths


def test_a_thought_shows_that_a_model_thinks(opened: Opened) -> None:
    provider = opened("qwen3_vl")
    writes(provider, "<think>hm</think>No.")
    assert provider.learnt()["thinks"] is False
    asyncio.run(provider.complete(question("A", sampling=Sampling(3))))
    assert (provider.learnt()["thinks"], provider.learnt()["default_thinking_room"]) == (True, 8192)
    assert provider.manifest()["thinks"] is True


def writes(provider: Local, text: str) -> list[int]:
    """Lets the model of a provider write this text; returns the limits with which it is called."""
    import torch

    model, tokenizer = provider.generator.model, provider.generator.processor.tokenizer
    model.config.get_text_config().max_position_embeddings = 100_000
    written = [*tokenizer.encode(text), tokenizer.eos_token_id]
    given: list[int] = []

    def generate(input_ids: Any, max_new_tokens: int, **_: Any) -> Any:
        given.append(max_new_tokens)
        return torch.cat([input_ids, torch.tensor([written[:max_new_tokens]])], dim=1)

    model.generate = generate
    return given


def limit(provider: Local, sampling: Sampling) -> int:
    """The limit of new tokens with which the model of a provider is called."""
    import torch

    limits: list[int] = []

    def generate(input_ids: Any, max_new_tokens: int, **_: Any) -> Any:
        limits.append(max_new_tokens)
        return torch.cat([input_ids, input_ids[:, :1]], dim=1)

    model = provider.generator.model
    model.generate = generate
    asyncio.run(provider.complete(question("A", sampling=sampling)))
    del model.generate
    return limits[0]


def test_a_reply_ends_with_the_turn_and_not_with_the_batch(opened: Opened) -> None:
    import torch

    provider = opened()
    tokenizer = provider.generator.processor.tokenizer
    end = tokenizer.convert_tokens_to_ids("<end_of_utterance>")
    yes, no = tokenizer.encode("yes"), tokenizer.encode("perhaps so")
    rows = [[*yes, end, *[tokenizer.pad_token_id] * (len(no) - len(yes) - 1)], no]
    provider.generator.model.generate = lambda input_ids, **_: torch.cat(
        [input_ids, torch.tensor(rows)], dim=1
    )
    requests = [question("A", max_tokens=len(no)), question("BB", max_tokens=len(no))]
    replies = asyncio.run(ask_all(provider, requests))
    assert [(r.text, r.finish_reason, r.usage.output_tokens) for r in replies] == [
        ("yes", "stop", len(yes) + 1),
        ("perhaps so", "length", len(no)),
    ]


def test_end_of_utterance_stops_idefics2(opened: Opened) -> None:
    provider = opened()
    end = provider.generator.processor.tokenizer.convert_tokens_to_ids("<end_of_utterance>")
    assert end in provider.generator.model.generation_config.eos_token_id


def test_nothing_is_printed(opened: Opened, capfd: pytest.CaptureFixture[str]) -> None:
    import transformers

    tiny.folder("idefics2")
    capfd.readouterr()
    transformers.logging.enable_progress_bar()
    provider = opened()
    sampled = questions(2, sampling=Sampling(4, temperature=0.7))
    asyncio.run(ask_all(provider, [*questions(2), *sampled]))
    assert capfd.readouterr() == ("", "")


def test_warnings_of_transformers_are_not_shown_unless_asked_for(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    import transformers

    monkeypatch.delenv("TRANSFORMERS_VERBOSITY", raising=False)
    transformers.logging.set_verbosity_warning()
    opened()
    assert transformers.logging.get_verbosity() == transformers.logging.ERROR


def test_two_batches_are_kept_in_flight(opened: Opened) -> None:
    assert opened(batch_size=3).concurrency == 6
