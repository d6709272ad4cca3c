"""Replies of tiny models of four architectures."""

import asyncio

import pytest

from proactive_agent.providers import Sampling
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
