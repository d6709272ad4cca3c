"""`human`, `human:NAME`: a person answers in place of a model.

The person sees what a model sees: the texts and pictures of a request, and its tools or options,
which are numbered. If a request offers neither tools nor options, the person writes a text.
"""

import asyncio
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Self

from proactive_agent.providers.added_parts import added_messages, replied
from proactive_agent.providers.base import Provider, ProviderOptions, StoppedError
from proactive_agent.providers.desk import Desk
from proactive_agent.providers.messages import (
    AssistantMessage,
    ImagePart,
    Message,
    Reply,
    Request,
    Usage,
)
from proactive_agent.tools import Tool, ToolCall, UserError
from proactive_agent.tools.reading import call_from

LEFT = "the player has left"


class _Offer(NamedTuple):
    """A numbered choice: either the text of an option or a tool call."""

    text: str = ""
    tool: str = ""
    arguments: Mapping[str, str] = MappingProxyType({})
    free: str = ""
    """Name of the argument whose value the person writes."""


class Human(Provider):
    """A human player, who gets one request at a time."""

    interactive: ClassVar[bool] = True
    default_model: ClassVar[str | None] = "anonymous"
    uses_temperature: ClassVar[bool] = False

    def __init__(self, name: str, desk: Desk) -> None:
        self.name = name
        self._desk = desk
        self._at_desk = asyncio.Lock()

    @classmethod
    def create(cls, model: str, options: ProviderOptions) -> Self:
        if options.desk is None:
            raise UserError("the provider human works only in `run`, which opens a terminal for it")
        return cls(model, options.desk)

    @property
    def concurrency(self) -> int:
        return 1

    async def complete(self, request: Request) -> Reply:
        """Asks the person. Raises StoppedError if they have left."""
        async with self._at_desk:
            turn = request.key.turn
            self._desk.show_text(f"\nTurn {turn + 1}" if turn else "\nA new question")
            offers = self._show(request)
            if not offers:
                return _reply(request, await self._write("your answer"))
            text, tool, arguments, free = offers[await self._choose(len(offers))]
            if not tool:
                return _reply(request, text)
            written = {free: await self._write(free)} if free else {}
            return _reply(request, "", call_from(tool, {**arguments, **written}))

    def manifest(self) -> dict[str, Any]:
        return {"player": self.name}

    async def close(self) -> None:
        self._desk.close()

    def _show(self, request: Request) -> list[_Offer]:
        """Shows the request and returns the numbered choices."""
        *earlier, last = added_messages(request)
        for message in earlier:
            self._show_message(message, frozenset())
        options = frozenset(choice.text for choice in request.choices if choice.text)
        offers = self._show_message(last, options)
        for tool in request.tools:
            self._desk.show_text(_description(tool))
            for offer, shown in _calls(tool):
                offers.append(offer)
                self._desk.show_text(_numbered(len(offers), shown))
        return offers

    def _show_message(self, message: Message, options: frozenset[str]) -> list[_Offer]:
        """Shows a message and returns its choices; `options` are the lines that get numbers."""
        offers: list[_Offer] = []
        if isinstance(message, AssistantMessage):
            self._desk.show_text(replied(message))
            return offers
        for part in message.content:
            if isinstance(part, ImagePart):
                self._desk.show_picture(part.load())
                continue
            for line in part.text.splitlines():
                if line in options:
                    offers.append(_Offer(line))
                self._desk.show_text(_numbered(len(offers), line) if line in options else line)
        return offers

    async def _choose(self, count: int) -> int:
        """The index of an offer."""
        while True:
            written = await self._write(f"your choice (1-{count})")
            if written.isdecimal() and 1 <= int(written) <= count:
                return int(written) - 1
            self._desk.show_text(f"Please write a number from 1 to {count}.")

    async def _write(self, prompt: str) -> str:
        """Returns a non-empty line. Raises StoppedError if the person has left."""
        while True:
            line = await self._desk.ask(f"{prompt}: ")
            if line is None:
                raise StoppedError(LEFT)
            if line.strip():
                return line.strip()


def _description(tool: Tool) -> str:
    parts = [tool.description, *(p.description for p in tool.parameters if p.required)]
    return f"{tool.name}: {' '.join(parts)}"


def _calls(tool: Tool) -> Iterator[tuple[_Offer, str]]:
    """Every call of a tool with its displayed text. Optional parameters are omitted."""
    required = [parameter for parameter in tool.parameters if parameter.required]
    if not required:
        yield _Offer(tool=tool.name), tool.name
    for parameter in required:
        for value in parameter.choices:
            yield _Offer(tool=tool.name, arguments={parameter.name: value}), value
        if not parameter.choices:
            yield _Offer(tool=tool.name, free=parameter.name), "in your own words"


def _numbered(number: int, text: str) -> str:
    return f"{number:>4}  {text}"


def _reply(request: Request, text: str, call: ToolCall | None = None) -> Reply:
    return Reply(
        text=text,
        tool_calls=(call,) if call else (),
        finish_reason="tool_calls" if call else "stop",
        tool_format="native" if request.tools else None,
        usage=Usage(input_tokens=0, output_tokens=0, cached_tokens=0, cost_usd=0.0),
    )
