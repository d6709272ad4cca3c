"""Moves the pictures of tool results into user messages, for APIs with text-only results."""

from collections.abc import Iterable

from proactive_agent.providers.messages import (
    ImagePart,
    Message,
    Part,
    TextPart,
    ToolMessage,
    UserMessage,
)
from proactive_agent.tools.texts import IMAGE_FOLLOWS


def move_images_out_of_results(messages: Iterable[Message]) -> list[Message]:
    """Leaves only text in tool results; their pictures follow the results in one user message.

    Few chat templates show a picture inside a tool result, and APIs differ. Treating all models
    alike keeps transcripts comparable.
    """
    out: list[Message] = []
    pending: list[Part] = []
    for message in messages:
        if not isinstance(message, ToolMessage):
            if pending:
                out.append(UserMessage(tuple(pending)))
                pending = []
            out.append(message)
            continue
        images = [part for part in message.content if isinstance(part, ImagePart)]
        texts = tuple(part for part in message.content if isinstance(part, TextPart))
        out.append(ToolMessage(message.call, texts))
        if images:
            pending += [TextPart(IMAGE_FOLLOWS), *images]
    if pending:
        out.append(UserMessage(tuple(pending)))
    return out
