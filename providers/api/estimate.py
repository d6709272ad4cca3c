"""About how many tokens a request has, before the API has counted them."""

from collections.abc import Iterable, Mapping

from proactive_agent.providers.messages import AssistantMessage, Request, TextPart

CHARACTERS_PER_TOKEN = 4
PIXELS_PER_TOKEN = 750
"""Anthropic's own rule; OpenAI's tiles and Gemini's come to a like number at these sizes."""
REPLY = 48
"""Tokens of a reply that is one tool call, or the letter of an option and its text."""


def input_tokens(request: Request, sizes: Mapping[str, tuple[int, int]]) -> int:
    """Texts, tools and pictures; `sizes` are pixels as sent, by `ImagePart.key`."""
    characters = sum(len(text) for text in _texts(request))
    tokens = characters / CHARACTERS_PER_TOKEN
    for message in request.messages:
        for part in getattr(message, "content", ()):
            if not isinstance(part, TextPart):
                width, height = sizes[part.key]
                tokens += width * height / PIXELS_PER_TOKEN
    return round(tokens)


def sent_size(size: tuple[int, int], longest_edge: int) -> tuple[int, int]:
    """A picture's size after it was scaled down to `longest_edge` pixels."""
    scale = min(1.0, longest_edge / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _texts(request: Request) -> Iterable[str]:
    yield request.system
    for tool in request.tools:
        yield f"{tool.name} {tool.description} {tool.schema()}"
    for message in request.messages:
        if isinstance(message, AssistantMessage):
            yield message.text
            yield from (call.name + call.arguments for call in message.tool_calls)
        else:
            yield from (part.text for part in message.content if isinstance(part, TextPart))
