"""The sight check: a model reports a coloured square and a word, before and after a tool call."""

import random
from collections.abc import Mapping
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from proactive_agent.providers.base import Finding, Provider, ProviderError
from proactive_agent.providers.messages import (
    AssistantMessage,
    ImagePart,
    Message,
    Reply,
    Request,
    RequestKey,
    TextPart,
    ToolMessage,
    UserMessage,
)
from proactive_agent.providers.reply_check import ask
from proactive_agent.settings import Sampling
from proactive_agent.tools import Answer, Tool, Toolset, read_reply
from proactive_agent.tools.catalogue import Parameter

COLOURS = {"red": "#d00000", "green": "#008000", "blue": "#0000e0", "yellow": "#f0d000",
           "black": "#000000", "orange": "#ff8000"}  # fmt: skip
WORDS = ("HARBOR", "VIOLIN", "PEPPER", "CANYON", "MARBLE", "TUNNEL")
SIZE = 256
"""Width and height of a picture, in pixels."""
SQUARE = (78, 30, 178, 130)
"""Left, upper, right and lower edge of the square, in pixels."""
WORD_AT = (128, 190)
"""Centre of the word, in pixels."""
WORD_HEIGHT = 44

QUESTION = (
    "The picture shows a coloured square and a word below it. Call the tool report with the colour "
    "and the word."
)
AGAIN = "This is the next picture. Call the tool report once more, with its colour and its word."


class Sign(NamedTuple):
    """The content of a picture of the check."""

    colour: str
    word: str

    def __str__(self) -> str:
        return f"a {self.colour} square and {self.word}"


class Sight(NamedTuple):
    """The outcome of a sight check."""

    findings: list[Finding]

    @property
    def problem(self) -> str:
        """The first fault in words; empty if everything was seen."""
        return next((f"{f.what}: {f.detail}" for f in self.findings if f.works is False), "")


async def check_sight(provider: Provider, sampling: Sampling) -> Sight:
    """Shows two pictures, the second one in the result of a tool call. Raises UserError."""
    chance = random.SystemRandom()
    first, second = (
        Sign(colour, word)
        for colour, word in zip(
            chance.sample(list(COLOURS), 2), chance.sample(WORDS, 2), strict=True
        )
    )
    key = RequestKey("sight-check", 0, 0)
    messages: tuple[Message, ...] = (UserMessage((_picture(first), TextPart(QUESTION))),)
    findings = []
    try:
        reply = await ask(provider, Request(key, messages, tools=(_TOOL,), sampling=sampling))
        findings.append(_finding("picture", reply, first))
        if reply.tool_calls and findings[0].works:
            messages += (
                AssistantMessage(reply.text, reply.tool_calls, reply.opaque),
                ToolMessage(reply.tool_calls[0], (TextPart(AGAIN), _picture(second))),
            )
            again = Request(key._replace(turn=1), messages, tools=(_TOOL,), sampling=sampling)
            findings.append(_finding("picture after a call", await ask(provider, again), second))
    except ProviderError as error:
        findings.append(Finding("request", False, f"{error.kind}: {error}"))
    finally:
        await provider.end(key)
    return Sight(findings)


def draw(sign: Sign) -> Image.Image:
    """Returns a picture of the check."""
    image = Image.new("RGB", (SIZE, SIZE), "white")
    canvas = ImageDraw.Draw(image)
    canvas.rectangle(SQUARE, fill=COLOURS[sign.colour])
    font = ImageFont.load_default(WORD_HEIGHT)
    canvas.text(WORD_AT, sign.word, fill="black", anchor="mm", font=font)
    return image


def _picture(sign: Sign) -> ImagePart:
    return ImagePart(f"sight check: {sign}", lambda: draw(sign))


def _finding(what: str, reply: Reply, sign: Sign) -> Finding:
    reading = read_reply(reply.text, reply.tool_calls, Toolset((_TOOL,)), ())
    if not reply.tool_calls or not isinstance(reading.action, Answer):
        said = reply.text[:80] or ", ".join(f"{c.name}{c.arguments}" for c in reply.tool_calls)
        return Finding(what, False, f"not reported; the reply was {said[:200]!r}")
    said = reading.action.category
    seen = said == str(sign)
    return Finding(what, seen, said if seen else f"shown was {sign}; the report was {said}")


def _report(arguments: Mapping[str, str]) -> Answer:
    return Answer(str(Sign(arguments["colour"], arguments["word"])))


_TOOL = Tool(
    "report",
    "Reports what the picture shows.",
    (
        Parameter("colour", "The colour of the square.", tuple(COLOURS)),
        Parameter("word", "The word below the square.", WORDS),
    ),
    _report,
)
