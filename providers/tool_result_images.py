"""Pictures of tool results, where a result can hold text alone."""

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
    """Tool turns hold text alone; their pictures follow, after all results, in a turn of the user.

    Few chat templates show a picture inside a tool turn, and APIs differ about it as well: one way
    for all of them keeps transcripts comparable.
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
        words = tuple(part for part in message.content if isinstance(part, TextPart))
        out.append(ToolMessage(message.call, words))
        if images:
            pending += [TextPart(IMAGE_FOLLOWS), *images]
    if pending:
        out.append(UserMessage(tuple(pending)))
    return out
