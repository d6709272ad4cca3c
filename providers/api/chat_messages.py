"""Conversations in the format of OpenAI's Chat Completions, which most servers support."""

import json
from collections.abc import Sequence
from typing import Any

from proactive_agent.providers.api.encoding import Pictures
from proactive_agent.providers.api.faults import ApiError, reported
from proactive_agent.providers.api.parsed_reply import ParsedReply
from proactive_agent.providers.api.prices import Tokens
from proactive_agent.providers.messages import (
    AssistantMessage,
    Part,
    Request,
    TextPart,
    ToolMessage,
    UserMessage,
)
from proactive_agent.providers.text_tools import merged
from proactive_agent.providers.tool_result_images import move_images_out_of_results
from proactive_agent.tools import ToolCall

_SIGNED = ("thinking_blocks",)
"""litellm's field for the thinking of Anthropic's models, which must always return."""
_THOUGHTS = (*_SIGNED, "reasoning_content", "reasoning", "reasoning_details")
"""Fields in which servers return thinking: DeepSeek, newer vLLM, OpenRouter."""


def chat_messages(
    request: Request, pictures: Pictures, *, thoughts: bool = True, detail: str | None = None
) -> list[dict[str, Any]]:
    """The `messages` of a request body. Pictures of tool results follow in a user message.

    `thoughts`: the thinking that led to a call goes back with it. `detail` is the detail in which
    the API reads pictures; None leaves it to the API.
    """
    system = [{"role": "system", "content": request.system}] if request.system else []
    messages = merged(move_images_out_of_results(request.messages))
    return system + [
        {"role": "user", "content": _parts(message.content, pictures, detail)}
        if isinstance(message, UserMessage)
        else _turn(message, thoughts=thoughts)
        for message in messages
    ]


def read_chat(raw: dict[str, Any]) -> ParsedReply:
    """Parses the first choice of a reply.

    Raises ApiError, or KeyError, TypeError and the like if the reply has another form.
    """
    if fault := reported(raw):
        raise fault
    choices = raw.get("choices")
    if not choices:
        raise ApiError("bad_reply", "the reply has no choices")
    choice = choices[0]
    if fault := reported(choice):
        raise fault
    message, reason = choice["message"], choice.get("finish_reason")
    text = _or(message.get("content"), "")
    if isinstance(text, list):
        text = "".join(part.get("text", "") for part in text)
    refusal = _or(message.get("refusal"), "")
    written = _or(message.get("tool_calls"), ())
    if not (text or refusal or written) and reason is None:
        raise ApiError("bad_reply", "the reply has no text, no tool calls and no finish reason")
    calls = [call["function"] | {"id": call.get("id")} for call in written]
    return ParsedReply(
        text=text or refusal,
        tool_calls=tuple(read_call(call, index) for index, call in enumerate(calls)),
        finish_reason="refusal" if refusal and not text else reason,
        tokens=_tokens(_or(raw.get("usage"), {})),
        opaque={field: message[field] for field in _THOUGHTS if message.get(field)} or None,
    )


def read_call(call: dict[str, Any], index: int) -> ToolCall:
    """Builds a call from `name`, `arguments` and `id`. The arguments remain unparsed text."""
    arguments = _or(call.get("arguments"), "")
    written = arguments if isinstance(arguments, str) else json.dumps(arguments)
    name, given = _or(call["name"], ""), _or(call.get("id"), "")
    return ToolCall(name, written, f"call_{index}" if given == "" else given)


def _turn(message: AssistantMessage | ToolMessage, *, thoughts: bool) -> dict[str, Any]:
    if isinstance(message, ToolMessage):
        text = "\n".join(part.text for part in message.content if isinstance(part, TextPart))
        return {"role": "tool", "tool_call_id": message.call.id, "content": text}
    turn: dict[str, Any] = {"role": "assistant", "content": message.text or None}
    if message.tool_calls:
        turn["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments or "{}"},
            }
            for call in message.tool_calls
        ]
    elif not message.text:
        raise ApiError("bad_request", "the API does not accept an empty reply in the history")
    return turn | _thinking(message, thoughts=thoughts)


def _thinking(message: AssistantMessage, *, thoughts: bool) -> dict[str, Any]:
    """The thinking that came with a reply, as far as servers want it back.

    DeepSeek rejects a conversation with a call without the thinking that led to it.
    """
    if isinstance(message.opaque, str):  # The thoughts were a part of the text.
        return {"reasoning_content": message.opaque} if message.tool_calls and thoughts else {}
    if not isinstance(message.opaque, dict):
        return {}
    sent = _THOUGHTS if message.tool_calls and thoughts else _SIGNED
    return {field: value for field, value in message.opaque.items() if field in sent}


def _parts(content: Sequence[Part], pictures: Pictures, detail: str | None) -> list[dict[str, Any]]:
    chosen = {} if detail is None else {"detail": detail}
    return [
        {"type": "text", "text": part.text}
        if isinstance(part, TextPart)
        else {"type": "image_url", "image_url": {"url": pictures[part.key].data_uri, **chosen}}
        for part in content
    ]


def _or(value: Any, instead: Any) -> Any:
    """Replaces null only, so that a wrong value of a wrong type is found by the reply check."""
    return instead if value is None else value


def _tokens(usage: dict[str, Any]) -> Tokens:
    given = _or(usage.get("prompt_tokens_details"), {})
    written = _or(usage.get("completion_tokens_details"), {})
    if usage.get("prompt_tokens") in (None, 0):
        return Tokens()  # No prompt is empty, so a server that reports 0 did not count.
    return Tokens(
        input=usage["prompt_tokens"],
        output=usage.get("completion_tokens"),
        cached=given.get("cached_tokens"),
        cache_written=usage.get("cache_creation_input_tokens"),
        reasoning=written.get("reasoning_tokens"),
    )
