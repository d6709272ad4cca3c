"""Conversations in the format of OpenAI's Responses API, which its reasoning models need."""

from collections.abc import Iterable, Sequence
from typing import Any

from proactive_agent.providers.api.chat_messages import read_call
from proactive_agent.providers.api.encoding import Pictures
from proactive_agent.providers.api.faults import ApiError, reported
from proactive_agent.providers.api.parsed_reply import ParsedReply
from proactive_agent.providers.api.prices import Tokens
from proactive_agent.providers.messages import (
    AssistantMessage,
    Message,
    Part,
    TextPart,
    ToolMessage,
)
from proactive_agent.tools import Tool
from proactive_agent.tools.render import for_openai

_UNFINISHED = ("failed", "cancelled", "queued", "in_progress")
_NOT_SENT_BACK = ("status",)


def response_items(
    messages: Iterable[Message], pictures: Pictures, detail: str
) -> list[dict[str, Any]]:
    """The `input` of a request body. Tool results contain their pictures, sent with `detail`."""
    items: list[dict[str, Any]] = []
    for message in messages:
        if isinstance(message, AssistantMessage):
            items += _replied(message)
        elif isinstance(message, ToolMessage):
            output = _parts(message.content, pictures, detail)
            items.append(
                {"type": "function_call_output", "call_id": message.call.id, "output": output}
            )
        else:
            items.append({"role": "user", "content": _parts(message.content, pictures, detail)})
    return items


def response_tools(tools: Sequence[Tool]) -> list[dict[str, Any]]:
    """The `tools` of a request body."""
    # Strict schemas do not allow optional parameters, and `abstain` has one.
    return [{"type": "function", **tool["function"], "strict": False} for tool in for_openai(tools)]


def read_response(raw: dict[str, Any]) -> ParsedReply:
    """Parses a response.

    Raises ApiError, or KeyError, TypeError and the like if the response has another form.
    """
    if fault := reported(raw):
        raise fault
    if (status := raw.get("status")) in _UNFINISHED:
        raise ApiError("server", f"the API did not finish the reply; its status is {status!r}")
    reason = (raw.get("incomplete_details") or {}).get("reason")
    if reason is None and status == "incomplete":
        reason = "max_output_tokens"  # Servers without `incomplete_details` report only this.
    output: list[dict[str, Any]] = raw["output"]
    if not output and not reason:
        raise ApiError("bad_reply", "the reply has no output")
    contents = [part for item in output if item["type"] == "message" for part in item["content"]]
    text = "".join(part["text"] for part in contents if part["type"] == "output_text")
    refusal = "".join(part["refusal"] for part in contents if part["type"] == "refusal")
    called = [item for item in output if item["type"] == "function_call"]
    calls = (read_call(c | {"id": c["call_id"]}, index) for index, c in enumerate(called))
    return ParsedReply(
        text=text or refusal,
        tool_calls=tuple(calls),
        finish_reason=_finish_reason(reason, bool(called), bool(refusal and not text)),
        tokens=_tokens(raw.get("usage") or {}),
        opaque=_kept(output),
    )


def _finish_reason(incomplete: str | None, called: bool, refused: bool) -> str:
    if incomplete is not None:
        return incomplete
    return "tool_calls" if called else "refusal" if refused else "stop"


def _kept(output: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    """The items to send back if there was reasoning, which must precede the later items."""
    if not any(item["type"] == "reasoning" for item in output):
        return None
    return [{k: v for k, v in item.items() if k not in _NOT_SENT_BACK} for item in output]


def _replied(message: AssistantMessage) -> list[dict[str, Any]]:
    if isinstance(message.opaque, list):
        return list(message.opaque)
    items: list[dict[str, Any]] = []
    if message.text:
        content = [{"type": "output_text", "text": message.text}]
        items.append({"role": "assistant", "content": content})
    for call in message.tool_calls:
        arguments = call.arguments or "{}"
        items.append(
            {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": arguments}
        )
    if not items:
        raise ApiError("bad_request", "the API does not accept an empty reply in the history")
    return items


def _parts(content: Sequence[Part], pictures: Pictures, detail: str) -> list[dict[str, Any]]:
    return [
        {"type": "input_text", "text": part.text}
        if isinstance(part, TextPart)
        else {
            "type": "input_image",
            "detail": detail,
            "image_url": pictures[part.key].data_uri,
        }
        for part in content
    ]


def _tokens(usage: dict[str, Any]) -> Tokens:
    given = usage.get("input_tokens_details") or {}
    return Tokens(
        input=usage.get("input_tokens"),
        output=usage.get("output_tokens"),
        cached=given.get("cached_tokens"),
        reasoning=(usage.get("output_tokens_details") or {}).get("reasoning_tokens"),
    )
