"""Checks every reply before the program works with it, whichever provider it comes from.

Providers of other packages, model functions and servers can return anything. A reply with a value
that records cannot hold is refused as a `malformed` error of its request, so a run goes on and its
folder can be read. Lone surrogates in a text that the model wrote are replaced.
"""

import math
import reprlib
from collections.abc import Sequence
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, get_args

from proactive_agent.providers.base import Provider, ProviderError
from proactive_agent.providers.messages import (
    Reply,
    Request,
    SentImage,
    ServedBy,
    ToolFormat,
    Usage,
)
from proactive_agent.tools import ToolCall
from proactive_agent.tools.reading import clean

MALFORMED = "malformed"
"""The kind of error for a reply with a field of the wrong type, range or length."""
LONGEST_TEXT = 1 << 20
"""Most characters of a text or of the arguments of a call."""
LONGEST_NAME = 1000
"""Most characters of a name, a finish reason or a media type."""
LONGEST_ID = 1 << 17
"""Most characters of the id of a call. Some gateways put signed thinking into it."""
MOST_CALLS = 10_000
MOST_TOKENS = 10**9
"""Most tokens that a reply can report. Sums over a run stay within 64 bits."""
MOST_USD = 1e6
MOST_SECONDS = 1e8


async def ask(provider: Provider, request: Request) -> Reply:
    """Asks a model once and checks its reply.

    Raises ProviderError, of the kind `malformed` for a reply that fails the check, and the other
    errors of `Provider.complete`.
    """
    return checked(await provider.complete(request))


def checked(reply: object) -> Reply:
    """Returns a reply that records can hold. Raises ProviderError of the kind `malformed`."""
    if not isinstance(reply, Reply):
        raise _malformed("the reply", reply, "a Reply")
    if _name("tool_format", reply.tool_format) not in (*get_args(ToolFormat), None):
        raise _malformed("tool_format", reply.tool_format, "native, text, mcp or None")
    return replace(
        reply,
        text=_text("text", reply.text),
        tool_calls=_calls(reply.tool_calls),
        finish_reason=_name("finish_reason", reply.finish_reason),
        usage=_usage(reply.usage),
        sent_image=_sent_image(reply.sent_image),
        served=_served(reply.served),
        thinking_room=count("thinking_room", reply.thinking_room),
    )


def _malformed(field: str, value: object, expected: str) -> ProviderError:
    try:
        shown = reprlib.repr(value)
    except ValueError:  # Python refuses to print integers of more than some thousand digits.
        shown = f"a {type(value).__name__}"
    message = f"the reply is malformed: {field} is {clean(shown)}; expected {expected}"
    return ProviderError(MALFORMED, message)


def _text(field: str, value: Any, longest: int = LONGEST_TEXT) -> str:
    if not isinstance(value, str):
        raise _malformed(field, value, "a str")
    if len(value) > longest:
        raise _malformed(field, f"{len(value):,} characters", f"at most {longest:,}")
    return clean(value)


def _name(field: str, value: Any) -> str | None:
    if value is None:
        return None
    text = _text(field, value, LONGEST_NAME)
    if text != value:
        raise _malformed(field, value, "a text without lone surrogates")
    return text


def _calls(calls: Any) -> tuple[ToolCall, ...]:
    if not isinstance(calls, Sequence) or isinstance(calls, str | bytes):
        raise _malformed("tool_calls", calls, "a tuple of ToolCall")
    if len(calls) > MOST_CALLS:
        raise _malformed("tool_calls", f"{len(calls):,} calls", f"at most {MOST_CALLS:,}")
    return tuple(_call(f"tool_calls[{index}]", call) for index, call in enumerate(calls))


def _call(field: str, call: Any) -> ToolCall:
    if not isinstance(call, ToolCall):
        raise _malformed(field, call, "a ToolCall")
    return ToolCall(
        _text(f"{field}.name", call.name, LONGEST_NAME),
        _text(f"{field}.arguments", call.arguments),
        _text(f"{field}.id", call.id, LONGEST_ID),
    )


def _usage(usage: Any) -> Usage:
    if not isinstance(usage, Usage):
        raise _malformed("usage", usage, "a Usage")
    if not isinstance(usage.cache_hit, bool):
        raise _malformed("usage.cache_hit", usage.cache_hit, "a bool")
    return Usage(
        input_tokens=count("usage.input_tokens", usage.input_tokens),
        output_tokens=count("usage.output_tokens", usage.output_tokens),
        cached_tokens=count("usage.cached_tokens", usage.cached_tokens),
        reasoning_tokens=count("usage.reasoning_tokens", usage.reasoning_tokens),
        cost_usd=_number("usage.cost_usd", usage.cost_usd, MOST_USD),
        seconds=_number("usage.seconds", usage.seconds, MOST_SECONDS),
        cache_hit=usage.cache_hit,
    )


def count(field: str, value: Any) -> int | None:
    """Returns a number of tokens, or None if it is unknown. Raises ProviderError."""
    # Checks against abstract classes are slow, and almost every number is an int.
    if value is None or (type(value) is int and 0 <= value <= MOST_TOKENS):
        return value
    whole = isinstance(value, Integral) or (isinstance(value, Real) and value == value // 1)
    if isinstance(value, bool) or not whole or not 0 <= value <= MOST_TOKENS:
        raise _malformed(field, value, f"a whole number from 0 to {MOST_TOKENS:,}, or None")
    return int(value)


def _number(field: str, value: Any, most: float) -> float | None:
    if value is None:
        return None
    real = isinstance(value, Real) and not isinstance(value, bool)
    if not real or not 0 <= value <= most or not math.isfinite(value):
        raise _malformed(field, value, f"a number from 0 to {most:,.0f}, or None")
    return float(value)


def _sent_image(sent: Any) -> SentImage | None:
    if sent is None:
        return None
    if not isinstance(sent, SentImage):
        raise _malformed("sent_image", sent, "a SentImage or None")
    size: Any = sent.size
    if not isinstance(size, Sequence) or isinstance(size, str) or len(size) != 2:
        raise _malformed("sent_image.size", size, "width and height")
    width, height, length = (
        count(f"sent_image.{name}", value) or 0
        for name, value in (("size[0]", size[0]), ("size[1]", size[1]), ("bytes", sent.bytes))
    )
    sha256 = _name("sent_image.sha256", sent.sha256) or ""
    media_type = _name("sent_image.media_type", sent.media_type) or ""
    return SentImage(sha256, media_type, (width, height), length)


def _served(served: Any) -> ServedBy | None:
    if served is None:
        return None
    if not isinstance(served, ServedBy):
        raise _malformed("served", served, "a ServedBy or None")
    return ServedBy(
        model=_name("served.model", served.model),
        fingerprint=_name("served.fingerprint", served.fingerprint),
        gateway=_name("served.gateway", served.gateway),
    )
