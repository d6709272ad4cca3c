"""Builds the reply to a request from the response of an API, as an adapter has parsed it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from proactive_agent.providers.api.faults import ApiError, shortened
from proactive_agent.providers.api.finish_reasons import normalised
from proactive_agent.providers.api.prices import Price, Tokens
from proactive_agent.providers.base import ProviderError
from proactive_agent.providers.messages import Reply, ServedBy, Usage
from proactive_agent.providers.reply_check import checked, count
from proactive_agent.providers.thoughts import separated
from proactive_agent.tools import ToolCall


@dataclass(frozen=True, slots=True)
class ParsedReply:
    """A raw response, parsed by an adapter."""

    text: str
    tool_calls: tuple[ToolCall, ...]
    finish_reason: str | None
    """The reason as the API wrote it."""
    tokens: Tokens
    opaque: Any = None


def reply_of(
    read: Callable[[dict[str, Any]], ParsedReply],
    raw: dict[str, Any],
    price: Price | None,
    seconds: float | None,
) -> Reply:
    """Returns the reply in a response, which the function `read` of an adapter parses.

    `seconds` is the time that it took, or None. Raises ApiError.
    """
    try:
        answer = read(raw)
        reason = normalised(answer.finish_reason)
        tokens = _counted(answer.tokens)
        usage = Usage(
            input_tokens=tokens.input,
            output_tokens=tokens.output,
            cached_tokens=tokens.cached,
            reasoning_tokens=tokens.reasoning,
            cost_usd=price.cost(tokens) if price else None,
            seconds=seconds,
        )
        reply = Reply(
            text=answer.text,
            tool_calls=answer.tool_calls,
            finish_reason=reason,
            usage=usage,
            served=_served(raw),
            opaque=answer.opaque,
        )
        reply = checked_reply(reply)
    except ProviderError as error:
        raise ApiError(error.kind, str(error)) from None
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        kind = "bad_reply" if isinstance(error, LookupError) else "malformed"
        shown = shortened(f"{type(error).__name__}: {error}; {raw}")
        raise ApiError(kind, f"the reply has an unexpected form: {shown}") from None
    if reason == "error":
        raise ApiError("server", "the API could not finish the reply")
    if reason == "content_filter":
        raise ApiError("content_filter", "the API's content filter blocked the reply")
    return reply


def checked_reply(reply: Reply) -> Reply:
    """Checks a reply and removes the thoughts from its text. Raises ApiError.

    Servers without a reasoning parser send thoughts as a part of the text. They become the
    `opaque` field, unless the reply has one.
    """
    try:
        reply = checked(reply)
    except ProviderError as error:
        raise ApiError(error.kind, str(error)) from None
    if isinstance(reply.opaque, dict) and reply.usage.reasoning_tokens == 0:
        # vLLM counts none where the chat template has opened the thoughts.
        reply = replace(reply, usage=replace(reply.usage, reasoning_tokens=None))
    text, thoughts = separated(reply.text)
    if text == reply.text.strip():
        return reply  # Without thoughts, the text remains as the model wrote it.
    return replace(reply, text=text, opaque=reply.opaque or thoughts or None)


def _served(raw: Mapping[str, Any]) -> ServedBy | None:
    """The fields have the same names in all formats. `provider` is that of OpenRouter."""
    gateway = raw.get("provider")
    served = ServedBy(
        raw.get("model"),
        raw.get("system_fingerprint"),
        gateway if isinstance(gateway, str) else None,
    )
    return None if served == ServedBy() else served


def _counted(tokens: Tokens) -> Tokens:
    """The token counts of a reply, checked. Raises ProviderError."""
    return Tokens(
        **{
            field.name: count(f"{field.name} tokens", getattr(tokens, field.name))
            for field in fields(tokens)
        }
    )
