"""What a loaded model can do: its template, its tools, its pictures, and its batches."""

from proactive_agent.providers.base import Finding, Provider, ProviderError
from proactive_agent.providers.local.chat import Chat
from proactive_agent.providers.local.generation import Generator
from proactive_agent.providers.local.trials import (
    SHORT,
    after_a_call,
    mixed_requests,
    one_turn,
    several_turns,
    try_batch,
)
from proactive_agent.providers.thoughts import begins_inside

_TOKENS = 16


async def check_local(provider: Provider, chat: Chat, generator: Generator) -> list[Finding]:
    """Checks the model of a provider with about forty short requests."""
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
    if begins_inside(chat.text(one_turn(_TOKENS, pictures=False))):
        findings.append(Finding("thinking", None, "the template begins a reply inside thoughts"))
    if not chat.text_only:
        findings.append(await _pictures(provider, chat, generator))
    findings.append(await _batch(provider))
    findings.append(await _limit(provider))
    return findings


async def _pictures(provider: Provider, chat: Chat, generator: Generator) -> Finding:
    """Whether the model's input holds as many pictures as a conversation shows."""
    if provider.max_pictures == 1:
        advice = "one per request; tools need --condition stateless"
        return Finding("pictures", None, advice)
    requests = [one_turn(_TOKENS), several_turns(0, _TOKENS), after_a_call(0, _TOKENS)]
    try:
        prompts = [chat.prompt(request) for request in requests]
        one, turns, result = (generator.count_image_tokens(prompt) for prompt in prompts)
        for request in requests[1:]:
            await provider.complete(request)
    except (ProviderError, ValueError, RuntimeError, TypeError, IndexError) as error:
        return Finding(
            "pictures",
            False,
            f"several in a request fail: {error}; play with --condition stateless",
        )
    if one is None or turns is None or result is None:
        return Finding("pictures", None, "several in a request are taken; not counted")
    complete = one > 0 and turns == 3 * one and result == 2 * one
    return Finding(
        "pictures",
        complete,
        f"{one} tokens for one, {turns} for three turns, {result} with the result of a call"
        + ("" if complete else "; the template or the processor loses pictures"),
    )


async def _batch(provider: Provider) -> Finding:
    """Whether requests get the same replies in a batch as alone."""
    requests = mixed_requests(_TOKENS, provider.max_pictures)
    try:
        trial = await try_batch(provider, requests)
    except ProviderError as error:
        return Finding("batch", False, f"{error.kind}: {error}")
    detail = f"{trial.same} of {len(requests)} replies are the same in a batch and alone"
    if trial.same == len(requests):
        return Finding("batch", True, detail)
    dtype = provider.manifest()["dtype"]
    if dtype != "float32":
        return Finding("batch", None, f"{detail}; {dtype} rounds, so try --dtype float32")
    return Finding("batch", False, f"{detail}; play with --batch-size 1")


async def _limit(provider: Provider) -> Finding:
    """Whether a reply ends at its limit and says so."""
    request = one_turn(SHORT, pictures=provider.max_pictures != 0)
    try:
        reply = await provider.complete(request)
    except ProviderError as error:
        return Finding("limit", False, f"{error.kind}: {error}")
    written = reply.usage.output_tokens or 0
    if reply.finish_reason == "length" and written == SHORT:
        return Finding("limit", True, f"a reply is cut off after {SHORT} tokens, and says so")
    if reply.finish_reason == "stop" and written <= SHORT:
        return Finding("limit", None, f"not tried: the reply had only {written} tokens")
    return Finding(
        "limit",
        False,
        f"a reply with a limit of {SHORT} tokens has {written} and ends with "
        f"{reply.finish_reason!r}",
    )
