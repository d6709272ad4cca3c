"""Conversations in the format of OpenAI's Chat Completions, which most servers support."""

import json
from collections.abc import Sequence
from typing import Any

from proactive_agent.providers.api.encoding import Pictures
from proactive_agent.providers.api.faults import ApiError
from proactive_agent.providers.api.prices import Tokens
from proactive_agent.providers.api.provider import ParsedReply
from proactive_agent.providers.messages import (
    AssistantMessage,
    Message,
    Part,
    Request,
    TextPart,
    ToolMessage,
    UserMessage,
)
from proactive_agent.providers.text_tools import merged
from proactive_agent.providers.tool_result_images import move_images_out_of_results
from proactive_agent.tools import ToolCall


def chat_messages(request: Request, pictures: Pictures) -> list[dict[str, Any]]:
    """The `messages` of a request body.  Pictures of tool results follow in a user message."""
    system = [{"role": "system", "content": request.system}] if request.system else []
    messages = merged(move_images_out_of_results(request.messages))
    return system + [_turn(message, pictures) for message in messages]


def read_chat(raw: dict[str, Any]) -> ParsedReply:
    """Parses the first choice of a reply.

    Raises ApiError, or KeyError, TypeError and the like if the reply has another form.
    """
    choices = raw["choices"]
    if not choices:
        raise ApiError("bad_reply", "the reply has no choices")
    choice = choices[0]
    message, reason = choice["message"], choice.get("finish_reason")
    if reason == "content_filter":
        raise ApiError("content_filter", "the API's content filter blocked the reply")
    text = message.get("content") or ""
    if isinstance(text, list):
        text = "".join(part.get("text", "") for part in text)
    refusal = message.get("refusal") or ""
    calls = [call["function"] | {"id": call.get("id")} for call in message.get("tool_calls") or ()]
    return ParsedReply(
        text=text or refusal,
        tool_calls=tuple(read_call(call, index) for index, call in enumerate(calls)),
        finish_reason="refusal" if refusal and not text else reason,
        tokens=_tokens(raw.get("usage") or {}),
    )


def read_call(call: dict[str, Any], index: int) -> ToolCall:
    """Builds a call from `name`, `arguments` and `id`.  The arguments remain unparsed text."""
    arguments = call.get("arguments")
    if arguments is None:
        arguments = ""
    written = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return ToolCall(call["name"] or "", written, call.get("id") or f"call_{index}")


def _turn(message: Message, pictures: Pictures) -> dict[str, Any]:
    if isinstance(message, UserMessage):
        return {"role": "user", "content": _parts(message.content, pictures)}
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
    return turn | _thinking(message)


def _thinking(message: AssistantMessage) -> dict[str, Any]:
    """The thinking that litellm returned, for models that require it back."""
    return message.opaque if isinstance(message.opaque, dict) else {}


def _parts(content: Sequence[Part], pictures: Pictures) -> list[dict[str, Any]]:
    return [
        {"type": "text", "text": part.text}
        if isinstance(part, TextPart)
        else {"type": "image_url", "image_url": {"url": pictures[part.key].data_uri}}
        for part in content
    ]


def _tokens(usage: dict[str, Any]) -> Tokens:
    given = usage.get("prompt_tokens_details") or {}
    written = usage.get("completion_tokens_details") or {}
    if not usage.get("prompt_tokens"):
        return Tokens()  # No prompt is empty, so a server that reports 0 did not count.
    return Tokens(
        input=usage["prompt_tokens"],
        output=usage.get("completion_tokens"),
        cached=given.get("cached_tokens"),
        cache_written=usage.get("cache_creation_input_tokens"),
        reasoning=written.get("reasoning_tokens"),
    )
