"""What a model wrote, as a reply: the text, and the calls in it."""

from proactive_agent.providers.messages import Reply
from proactive_agent.tools import ToolCall, calls_in_text


def as_written(text: str, *, tools: bool, turn: int = 0) -> Reply:
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
