"""What a loaded model can do: its template, its tools, its pictures, and its batches."""

import asyncio
from dataclasses import replace

from PIL import Image

from proactive_agent.providers.base import Finding, Provider, ProviderError
from proactive_agent.providers.local.chat import Chat
from proactive_agent.providers.local.generation import Generator
from proactive_agent.providers.messages import (
    AssistantMessage,
    ImagePart,
    Message,
    Reply,
    Request,
    RequestKey,
    TextPart,
    UserMessage,
)
from proactive_agent.providers.thoughts import begins_inside
from proactive_agent.settings import Sampling

_TOKENS = 16
_BATCH = 4


async def check_local(provider: Provider, chat: Chat, generator: Generator) -> list[Finding]:
    """Checks the model of a provider with about ten short requests."""
    mark = chat.mark or "added by the processor"
    findings = [Finding("template", True, f"shows what is said; a picture is {mark}")]
    if chat.text_only:
        findings[0] = Finding("template", None, "text only: the model can be a judge (--judge)")
    read = f"natively; calls are read back as {chat.call_format.name}"
    findings.append(
        Finding("tools", True, read)
        if chat.tool_format == "native"
        else Finding("tools", None, f"as text: {chat.text_tools_reason}")
    )
    if begins_inside(chat.text(_request(0, turns=1, pictures=False))):
        findings.append(Finding("thinking", None, "the template begins a reply inside thoughts"))
    if not chat.text_only:
        findings.append(await _pictures(provider, chat, generator))
    findings.append(await _batch(provider, pictures=not chat.text_only))
    return findings


async def _pictures(provider: Provider, chat: Chat, generator: Generator) -> Finding:
    """Whether the model's input holds as many pictures as a conversation shows."""
    if provider.max_pictures == 1:
        advice = "one per request; tools need --condition stateless"
        return Finding("pictures", None, advice)
    one, two = (_request(0, turns=turns) for turns in (1, 2))
    try:
        prompts = [chat.prompt(request) for request in (one, two)]
        first, both = (generator.count_image_tokens(prompt) for prompt in prompts)
        await provider.complete(two)
    except (ProviderError, ValueError, RuntimeError, TypeError, IndexError) as error:
        return Finding(
            "pictures",
            False,
            f"several in a request fail: {error}; play with --condition stateless",
        )
    if first is None or both is None:
        return Finding("pictures", None, "several in a request are taken; not counted")
    return Finding(
        "pictures",
        first > 0 and both == 2 * first,
        f"{first} tokens for one, {both} for two of the same size"
        + ("" if both == 2 * first > 0 else "; the template or the processor loses pictures"),
    )


async def _batch(provider: Provider, *, pictures: bool) -> Finding:
    """Whether requests get the same replies in a batch as alone."""
    requests = [_request(index, turns=1, pictures=pictures) for index in range(_BATCH)]
    try:
        together = await asyncio.gather(*map(provider.complete, requests))
        alone = [await provider.complete(request) for request in requests]
    except ProviderError as error:
        return Finding("batch", False, f"{error.kind}: {error}")
    same = sum(_essence(a) == _essence(b) for a, b in zip(together, alone, strict=True))
    detail = f"{same} of {_BATCH} replies are the same in a batch and alone"
    if same == _BATCH:
        return Finding("batch", True, detail)
    dtype = provider.manifest()["dtype"]
    if dtype != "float32":
        return Finding("batch", None, f"{detail}; {dtype} rounds, so try --dtype float32")
    return Finding("batch", False, f"{detail}; play with --batch-size 1")


def _essence(reply: Reply) -> object:
    return reply.text, reply.tool_calls, reply.finish_reason, replace(reply.usage, seconds=None)


def _request(index: int, *, turns: int, pictures: bool = True) -> Request:
    """A conversation of as many turns, each with a picture of the same size."""
    messages: list[Message] = []
    for turn in range(turns):
        shown = (_picture(index + turn),) if pictures else ()
        text = TextPart("What is in the picture? " * (index + 1))
        messages += [UserMessage((*shown, text)), AssistantMessage("A square.")]
    return Request(
        RequestKey("check", index, 0),
        tuple(messages[:-1]),
        sampling=Sampling(_TOKENS, thinking_tokens=0),
        seed=index,
    )


def _picture(number: int) -> ImagePart:
    image = Image.linear_gradient("L").rotate(40 * number).resize((224, 224)).convert("RGB")
    return ImagePart(f"check {number}", lambda: image)
