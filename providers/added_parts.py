"""The part of a conversation that a request adds, for players that keep the conversation.

An agent, a person at the terminal and an RL trainer have seen the earlier messages already.
"""

import base64
import io
from collections.abc import Sequence
from typing import Any, Literal

from proactive_agent.providers.messages import (
    AssistantMessage,
    ImagePart,
    Message,
    Part,
    Request,
    TextPart,
)


def added_messages(request: Request) -> Sequence[Message]:
    """Returns the messages since the player's last reply; all of them in the first turn."""
    messages = request.messages
    if request.key.turn == 0:
        return messages
    replies = [i for i, message in enumerate(messages) if isinstance(message, AssistantMessage)]
    return messages[replies[-1] + 1 :] if replies else messages


def replied(message: AssistantMessage) -> str:
    """Returns a reply of a solved example as one line."""
    calls = (f"{call.name}({call.arguments})" for call in message.tool_calls)
    return "→ " + " ".join(filter(None, (message.text, *calls)))


def added_parts(request: Request) -> list[Part]:
    """Returns the texts and pictures that a request adds, in order."""
    parts: list[Part] = []
    for message in added_messages(request):
        if isinstance(message, AssistantMessage):
            parts.append(TextPart(replied(message)))
        else:
            parts += message.content
    return parts


def content_parts(
    request: Request, pictures: Literal["url", "pil"] = "url"
) -> list[dict[str, Any]]:
    """Returns what a request adds as the content of one OpenAI-style message.

    Texts are `{"type": "text", "text": …}`. Pictures are `{"type": "image_url", "image_url":
    {"url": "data:image/png;base64,…"}}`, or with `pictures="pil"` `{"type": "image", "image": …}`
    with a PIL image in RGB, as TRL takes them. Raises ImageError for a file that cannot be read.
    """
    return [_content(part, pictures) for part in added_parts(request)]


def _content(part: Part, pictures: Literal["url", "pil"]) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    if pictures == "pil":
        return {"type": "image", "image": part.load()}
    url = f"data:image/png;base64,{base64.b64encode(as_png(part)).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}


def as_png(part: ImagePart) -> bytes:
    """Returns a picture as a PNG file with pixels only, without the metadata of its file."""
    image = part.load().copy()
    image.info = {}
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()
