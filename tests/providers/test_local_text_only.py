"""Text-only models, which can be judges."""

import asyncio

import pytest

from proactive_agent.providers import Request, RequestKey, Sampling, TextPart, UserMessage
from proactive_agent.tools import UserError
from tests.providers import asking
from tests.providers.asking import Opened, picture

tiny = pytest.importorskip("tests.providers.tiny_models", reason="needs the extra `local`")
pytestmark = pytest.mark.local

opened = asking.opened


def request(text: str = "Which is it?", system: str = "", **more: object) -> Request:
    message = UserMessage((TextPart(text),))
    return Request(
        RequestKey("rod", 0, 0),
        (message,),
        system=system,
        sampling=Sampling(12, thinking_tokens=0),
        **more,
    )


def test_the_template_gets_texts_and_not_parts(opened: Opened) -> None:
    from proactive_agent.providers.local.chat import Chat

    provider = opened(tiny.TEXT_ONLY)
    chat = Chat(provider.generator.processor, provider.generator.processor.chat_template)
    assert chat.text(request(system="You judge.")) == (
        "<|im_start|>system\nYou judge.<|im_end|>\n"
        "<|im_start|>user\nWhich is it?<|im_end|>\n<|im_start|>assistant\n"
    )


def test_it_writes_what_the_model_writes(opened: Opened) -> None:
    """Compares the provider with a plain call of transformers."""
    import torch
    import transformers

    text = "<|im_start|>user\nWhich is it?<|im_end|>\n<|im_start|>assistant\n"
    folder = str(tiny.folder(tiny.TEXT_ONLY))
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    inputs = tokenizer(text, return_tensors="pt")
    with torch.no_grad():
        row = model.generate(
            **inputs, max_new_tokens=12, do_sample=False, temperature=None, top_k=None
        )[0, inputs["input_ids"].shape[1] :]
    written = tokenizer.decode(row, skip_special_tokens=True).strip()
    reply = asyncio.run(opened(tiny.TEXT_ONLY).complete(request()))
    assert reply.text == written
    assert reply.usage.input_tokens == inputs["input_ids"].shape[1]


def test_prompts_of_many_lengths_in_a_batch_are_answered_as_alone(opened: Opened) -> None:
    provider = opened(tiny.TEXT_ONLY)
    requests = [request("Why? " * count) for count in (1, 3, 9, 27)]

    async def together() -> list[str]:
        replies = await asyncio.gather(*(provider.complete(one) for one in requests))
        return [reply.text for reply in replies]

    sizes = asking.watched(provider)
    batched = asyncio.run(together())
    assert max(sizes) > 1
    assert batched == [asyncio.run(provider.complete(one)).text for one in requests]


def test_a_picture_is_refused(opened: Opened) -> None:
    message = UserMessage((picture(), TextPart("What is it?")))
    shown = Request(RequestKey("rod", 0, 0), (message,))
    with pytest.raises(
        UserError,
        match="local:qwen3 is a text-only model and cannot read pictures; it can only be a judge",
    ):
        asyncio.run(opened(tiny.TEXT_ONLY).complete(shown))


@pytest.mark.parametrize("kind", ["idefics2", "qwen2_5_vl"])
def test_a_model_with_pictures_can_be_told_and_asked_without_them(
    opened: Opened, kind: str
) -> None:
    provider = opened(kind)
    told = asyncio.run(provider.complete(request(system="You judge.")))
    untold = asyncio.run(provider.complete(request()))
    assert told.usage.input_tokens is not None
    assert untold.usage.input_tokens is not None
    assert told.usage.input_tokens >= untold.usage.input_tokens + len("You judge.")


def test_a_template_without_a_system_turn_is_told_by_the_user(opened: Opened) -> None:
    from proactive_agent.providers.local.chat import Chat

    template = (
        "{%- for message in messages -%}"
        "{%- if message.role == 'system' %}{{ raise_exception('no system') }}{% endif -%}"
        "{{- message.role + ': ' + message.content + '\\n' }}{% endfor -%}"
    )
    chat = Chat(opened(tiny.TEXT_ONLY).generator.processor, template)
    assert chat.text(request(system="You judge.")) == "user: You judge.\nWhich is it?\n"
