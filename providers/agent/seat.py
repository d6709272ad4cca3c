"""Connects the calls of an agent in one episode with the loop of a run, in order."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from proactive_agent.providers.added_parts import added_parts
from proactive_agent.providers.agent.mcp_server import Client, OfferedTool, ToolResult
from proactive_agent.providers.api.encoding import Encoded, Pictures
from proactive_agent.providers.messages import ImagePart, Part, Request, TextPart
from proactive_agent.tools import Tool, ToolCall
from proactive_agent.tools import agent_texts as texts
from proactive_agent.tools.reading import clean

LOOK = "look"
READ_QUESTION = "read_question"
MOST_WAITING = 100
"""Calls that may wait at the same time; further ones are refused."""
LONGEST_CALL_NAME = 1000
LONGEST_ARGUMENTS = 100_000
"""Characters of a call's arguments that are kept. The rest is cut off, so the call is invalid."""

Delivery = Literal["together", "separate"]
"""`together`: results hold texts and pictures. `separate`: only `look` shows pictures."""

NO_ARGUMENTS = {"type": "object", "properties": {}, "additionalProperties": False}
_ENDED = ToolResult((texts.ENDED,), is_error=True)


class Call(NamedTuple):
    """A call that waits for its result."""

    name: str
    arguments: str
    """JSON text."""
    result: "asyncio.Future[ToolResult]"


@dataclass(frozen=True, slots=True)
class ShownRequest:
    """The content of a request: the whole question for `look`, and the new part for a result."""

    parts: Sequence[Part]
    pictures: Pictures

    def content(self) -> list[str | Encoded]:
        """Returns texts and encoded pictures in order."""
        return [p.text if isinstance(p, TextPart) else self.pictures[p.key] for p in self.parts]

    def with_picture(self, picture: Encoded | None) -> list[str | Encoded]:
        """Returns the content with its last picture replaced by the current one."""
        content = self.content()
        for index in reversed(range(len(content))):
            if not isinstance(content[index], str) and picture:
                content[index] = picture
                break
        return content

    def texts(self) -> str:
        """Returns the texts alone."""
        return "\n".join(part.text for part in self.parts if isinstance(part, TextPart))

    def picture(self) -> Encoded | None:
        """Returns the last picture."""
        keys = [part.key for part in self.parts if isinstance(part, ImagePart)]
        return self.pictures[keys[-1]] if keys else None


class Seat:
    """One episode as a `ToolHost`. Calls wait here until the loop asks for the next reply."""

    def __init__(self, delivery: Delivery) -> None:
        self.client: Client | None = None
        """The agent's client, once it has connected."""
        self.left = False
        """Whether the agent has ended."""
        self._delivery = delivery
        self._tools: list[OfferedTool] = []
        self._question = ShownRequest((), {})
        self._picture: Encoded | None = None
        self._calls: asyncio.Queue[Call | None] = asyncio.Queue()
        self._answering: asyncio.Future[ToolResult] | None = None
        self._ended = False

    def show(self, request: Request, pictures: Pictures) -> None:
        """Shows a request. It is the result of the call that was taken before, if there was one."""
        shown = ShownRequest(added_parts(request), pictures)
        if not self._question.parts:
            self._question = shown
            self._tools = [*self._own_tools(), *map(_offered, request.tools)]
        picture = shown.picture()
        self._picture = picture or self._picture
        content = shown.content()
        if self._delivery == "separate":
            content = [shown.texts() + (f"\n{texts.CALL_LOOK}" if picture else "")]
        self._answer(ToolResult(content))

    async def next_call(self) -> Call | None:
        """Waits for the next call that is a turn. Returns None if the agent has ended."""
        while call := await self._calls.get():
            if call.name not in (LOOK, READ_QUESTION) or call.name not in self._names():
                self._answering = call.result
                return call
            if not call.result.done():
                call.result.set_result(ToolResult(self._look(call.name)))
        self.left = True
        return None

    def agent_ended(self) -> None:
        """Notes that the agent has ended. Calls that came before are still turns."""
        self._calls.put_nowait(None)

    def end(self) -> None:
        """Ends the episode: gives every waiting call its result."""
        self._ended = True
        self._answer(ToolResult((texts.ENDED,)))
        while not self._calls.empty():
            call = self._calls.get_nowait()
            if call and not call.result.done():
                call.result.set_result(_ENDED)

    def tools(self) -> Sequence[OfferedTool]:
        return self._tools

    async def call(self, name: str, arguments: str) -> ToolResult:
        if self._ended:
            return _ENDED
        return await queue_call(self._calls, name, arguments)

    def note_client(self, client: Client) -> None:
        if self.client is None or self.client.name == "unknown":
            self.client = client

    def _answer(self, result: ToolResult) -> None:
        if self._answering is not None and not self._answering.done():
            self._answering.set_result(result)
        self._answering = None

    def _names(self) -> set[str]:
        return {tool.name for tool in self._own_tools()}

    def _own_tools(self) -> list[OfferedTool]:
        """The tools that show something and cost no turn."""
        if self._delivery == "together":
            return [OfferedTool(LOOK, texts.LOOK, NO_ARGUMENTS)]
        return [
            OfferedTool(READ_QUESTION, texts.READ_QUESTION, NO_ARGUMENTS),
            OfferedTool(LOOK, texts.LOOK_SEPARATE, NO_ARGUMENTS),
        ]

    def _look(self, name: str) -> list[str | Encoded]:
        if name == READ_QUESTION:
            return [self._question.texts()]
        if self._delivery == "separate":
            return [self._picture] if self._picture else []
        return self._question.with_picture(self._picture)


def _offered(tool: Tool) -> OfferedTool:
    return OfferedTool(tool.name, tool.description, tool.schema())


def as_tool_call(call: Call, turn: int) -> ToolCall:
    """Returns a call in the form of a reply. The turn is its id, so that replays are equal."""
    return ToolCall(clean(call.name)[:LONGEST_CALL_NAME], call.arguments, f"call-{turn}")


async def queue_call(calls: "asyncio.Queue[Call | None]", name: str, arguments: str) -> ToolResult:
    """Adds a call to a queue and waits for its result. Refuses it if too many calls wait."""
    if calls.qsize() >= MOST_WAITING:
        return ToolResult((texts.BUSY,), is_error=True)
    result: asyncio.Future[ToolResult] = asyncio.get_running_loop().create_future()
    calls.put_nowait(Call(name, arguments[:LONGEST_ARGUMENTS], result))
    return await result
