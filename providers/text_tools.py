"""Tools for models that know no tool calling: everything about them becomes plain text.

The list of tools stands before the first user turn's own content, a call is written as
`tools.render.call_as_text` does, and what a call brought is a turn of the user.  How such a call is
read is the business of `tools.calls_in_text`.
"""

from collections.abc import Iterable, Sequence

from proactive_agent.providers.messages import (
    AssistantMessage,
    Message,
    Reply,
    TextPart,
    ToolMessage,
    UserMessage,
)
from proactive_agent.tools import Tool, ToolCall, calls_in_text
from proactive_agent.tools.render import as_text, call_as_text

PlainMessage = UserMessage | AssistantMessage


def as_plain_text(messages: Sequence[Message], tools: Sequence[Tool]) -> list[PlainMessage]:
    """The same conversation without tool calls and tool turns; the turns alternate."""
    plain: list[Message] = [_plain(message) for message in messages]
    if tools:
        offer = UserMessage((TextPart(as_text(tools)),))
        first = next((i for i, m in enumerate(plain) if isinstance(m, UserMessage)), 0)
        plain.insert(first, offer)
    return [m for m in merged(plain) if not isinstance(m, ToolMessage)]


def merged(messages: Iterable[Message]) -> list[Message]:
    """Neighbouring turns of the user, or of the model, as one: many chat templates demand it."""
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


def written(call: ToolCall) -> str:
    """A call as the model would write it; one that could not be read stays as it was."""
    if not call.name:
        return f"<tool_call>{call.arguments}</tool_call>"
    return call_as_text(call.name, call.arguments)


def reply_from_text(text: str, *, tools: bool, turn: int = 0) -> Reply:
    """The reply that a text is; `tools` says whether any were on offer."""
    text = text.strip()
    if not tools:
        return Reply(text)
    found, text = calls_in_text(text)
    # Nine letters and digits: some chat templates insist on it.
    calls = (
        ToolCall(call.name, call.arguments, f"call{turn % 1000:03}{index % 100:02}")
        for index, call in enumerate(found)
    )
    return Reply(text, tuple(calls))


def _plain(message: Message) -> PlainMessage:
    if isinstance(message, ToolMessage):
        return UserMessage(message.content)
    if isinstance(message, AssistantMessage) and message.tool_calls:
        calls = (written(call) for call in message.tool_calls)
        return AssistantMessage("\n".join(t for t in (message.text, *calls) if t))
    return message
