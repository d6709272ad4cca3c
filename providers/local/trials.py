"""Conversations with which a loaded model is tried, and what must hold for their replies.

`providers check` tries real checkpoints with them, and the tests tiny models of every family.
"""

import asyncio
from dataclasses import replace
from typing import NamedTuple

from PIL import ExifTags, Image

from proactive_agent.providers.base import Provider
from proactive_agent.providers.messages import (
    AssistantMessage,
    ImagePart,
    Message,
    Part,
    Reply,
    Request,
    RequestKey,
    TextPart,
    ToolMessage,
    UserMessage,
)
from proactive_agent.settings import Sampling
from proactive_agent.tools import Tool, ToolCall
from proactive_agent.tools.catalogue import answer_tool, intervention_tool

CALL = ToolCall("move_object", '{"direction": "left"}', "call00000")
SIZE = (224, 160)
"""Size of pictures whose tokens are compared."""
SHORT = 3
"""A limit in tokens that cuts off nearly every reply."""
_TRIAL_SIZES = [(320, 200), SIZE, (150, 400), SIZE]
"""Sizes of the pictures with which joining is tried."""


class BatchTrial(NamedTuple):
    """Replies to the same requests, together and one after the other."""

    together: list[Reply]
    alone: list[Reply]

    @property
    def same(self) -> int:
        """The number of requests that had the same reply in both ways."""
        return sum(_essence(a) == _essence(b) for a, b in zip(*self, strict=True))


async def try_batch(provider: Provider, requests: list[Request]) -> BatchTrial:
    """Asks all requests at once, then each alone. Raises the errors of `complete`."""
    together = await asyncio.gather(*map(provider.complete, requests))
    return BatchTrial(together, [await provider.complete(request) for request in requests])


def mixed_requests(max_tokens: int, most_pictures: int | None) -> list[Request]:
    """Sixteen requests of different lengths, with pictures of different sizes.

    If a request may have several pictures, five of the requests are conversations of three turns.
    Five others end with the result of a tool call that contains a picture. With `most_pictures` 0,
    no request has a picture.
    """
    shown = most_pictures != 0
    requests = [
        _request(
            index,
            (
                _asked(
                    index + 1, _picture(index, (160 + 40 * index, 360 - 20 * index)), shown=shown
                ),
            ),
            max_tokens,
        )
        for index in range(6 if most_pictures is None else 16)
    ]
    if most_pictures is None:
        for index in range(5):
            sizes = [(160 + 36 * index, 240 - 16 * turn) for turn in range(3)]
            requests.append(several_turns(index, max_tokens, sizes))
        for index in range(5):
            sizes = [(200 + 36 * index, 240), (240, 160 + 28 * index)]
            requests.append(after_a_call(index, max_tokens, sizes))
    return requests


def picture_trial(most_pictures: int | None) -> list[Request]:
    """Returns two requests: the first has one picture, the second three if the model takes them.

    The first picture has an EXIF orientation.
    """
    turned, *others = (_picture(*numbered) for numbered in enumerate(_TRIAL_SIZES))
    image = turned.load()
    exif = image.getexif()
    exif[ExifTags.Base.Orientation] = 6
    image.info["exif"] = exif.tobytes()
    messages: list[Message] = []
    for picture in others[:most_pictures]:
        messages += [_asked(2, picture), AssistantMessage("A")]
    return [
        _request(0, (_asked(1, turned),), SHORT),
        _request(1, tuple(messages[:-1]), SHORT),
    ]


def one_turn(max_tokens: int, *, pictures: bool = True) -> Request:
    """A question about a picture."""
    return _request(0, (_asked(1, _picture(0, SIZE), shown=pictures),), max_tokens)


def several_turns(
    index: int, max_tokens: int, sizes: list[tuple[int, int]] | None = None
) -> Request:
    """Three turns of multiple choice; their pictures are kept."""
    messages: list[Message] = []
    for turn, size in enumerate(sizes or [SIZE] * 3):
        messages += [_asked(index + 1, _picture(3 * index + turn, size)), AssistantMessage("A")]
    return _request(index, tuple(messages[:-1]), max_tokens)


def after_a_call(
    index: int, max_tokens: int, sizes: list[tuple[int, int]] | None = None
) -> Request:
    """A question about a picture, a call, and its result with another picture."""
    first, second = sizes or [SIZE] * 2
    messages = (
        _asked(index + 1, _picture(index, first)),
        AssistantMessage("I look." * index, (CALL,)),
        ToolMessage(CALL, (TextPart("Done."), _picture(index + 5, second))),
    )
    tools = (intervention_tool("move_object"), answer_tool([f"cat {index}", "dog"]))
    return _request(index, messages, max_tokens, tools)


def _asked(times: int, picture: ImagePart, *, shown: bool = True) -> UserMessage:
    text = TextPart("What is in the picture? " * times)
    parts: tuple[Part, ...] = (picture, text) if shown else (text,)
    return UserMessage(parts)


def _request(
    index: int, messages: tuple[Message, ...], max_tokens: int, tools: tuple[Tool, ...] = ()
) -> Request:
    return Request(
        RequestKey("check", index, 0),
        messages,
        tools=tools,
        sampling=Sampling(max_tokens, thinking_tokens=0),
        seed=index,
    )


def _picture(number: int, size: tuple[int, int]) -> ImagePart:
    image = Image.linear_gradient("L").rotate(37 * number).resize(size).convert("RGB")
    return ImagePart(f"check {number} {size}", lambda: image)


def _essence(reply: Reply) -> object:
    return reply.text, reply.tool_calls, reply.finish_reason, replace(reply.usage, seconds=None)
