"""Tools as plain text, for models without native tool calling.

The list of tools precedes the content of the first user message. Calls are written by
`tools.render.call_as_text` and read by `tools.calls_in_text`. Tool results become user messages.
"""

from collections.abc import Callable, Iterable, Sequence

from proactive_agent.providers.messages import (
    AssistantMessage,
    Message,
    Reply,
    TextPart,
    ToolMessage,
    UserMessage,
)
from proactive_agent.tools import Tool, ToolCall, calls_in_text
from proactive_agent.tools.reading import TextCalls
from proactive_agent.tools.render import as_text, call_as_text

PlainMessage = UserMessage | AssistantMessage


def as_plain_text(messages: Sequence[Message], tools: Sequence[Tool]) -> list[PlainMessage]:
    """Converts tool calls and tool results to text. User and assistant messages alternate."""
    plain: list[Message] = [_plain(message) for message in messages]
    if tools:
        offer = UserMessage((TextPart(as_text(tools)),))
        first = next((i for i, m in enumerate(plain) if isinstance(m, UserMessage)), 0)
        plain.insert(first, offer)
    return [m for m in merged(plain) if not isinstance(m, ToolMessage)]


def merged(messages: Iterable[Message]) -> list[Message]:
    """Joins consecutive messages of the same role, which many chat templates require."""
    out: list[Message] = []
    for message in messages:
        last = out[-1] if out else None
        if isinstance(last, UserMessage) and isinstance(message, UserMessage):
            out[-1] = UserMessage(last.content + message.content)
        elif isinstance(last, AssistantMessage) and isinstance(message, AssistantMessage):
            text = "\n".join(t for t in (last.text, message.text) if t)
            out[-1] = AssistantMessage(text, last.tool_calls + message.tool_calls)
        else:
            out.append(message)
    return out


def format_call(call: ToolCall) -> str:
    """Formats a call as the model would write it. An unreadable call is copied as it was."""
    if not call.name:
        return f"<tool_call>{call.arguments}</tool_call>"
    return call_as_text(call.name, call.arguments)


def reply_from_text(
    text: str,
    *,
    tools: bool,
    turn: int = 0,
    read: Callable[[str], TextCalls] = calls_in_text,
) -> Reply:
    """Parses generated text into a reply; tool calls are searched only if `tools` were offered.

    `turn` makes the ids of calls unique within a conversation. `read` finds the calls in a text.
    """
    text = text.strip()
    if not tools:
        return Reply(text)
    found, text = read(text)
    # Some chat templates require ids of nine letters and digits.
    calls = (
        ToolCall(call.name, call.arguments, f"call{turn % 1000:03}{index % 100:02}")
        for index, call in enumerate(found)
    )
    return Reply(text, tuple(calls))


def _plain(message: Message) -> PlainMessage:
    if isinstance(message, ToolMessage):
        return UserMessage(message.content)
    if isinstance(message, AssistantMessage) and message.tool_calls:
        calls = (format_call(call) for call in message.tool_calls)
        return AssistantMessage("\n".join(t for t in (message.text, *calls) if t))
    return message
