"""Provider for `serve`: a client plays one episode after another over one connection."""

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar

from proactive_agent.providers.added_parts import added_parts
from proactive_agent.providers.agent.mcp_server import Client, OfferedTool, ToolResult
from proactive_agent.providers.agent.seat import (
    LOOK,
    NO_ARGUMENTS,
    Call,
    ShownRequest,
    as_tool_call,
    queue_call,
)
from proactive_agent.providers.api.encoding import Encoded, Encoder
from proactive_agent.providers.base import Provider, StoppedError
from proactive_agent.providers.messages import Reply, Request, RequestKey, Usage
from proactive_agent.tools import Tool
from proactive_agent.tools import agent_texts as texts

NEXT = "next_episode"


class Demonstration(Provider):
    """The player of a demonstration, and the `ToolHost` that its client calls.

    The tools are the same for all episodes, so a text lists the values that they take in this one.
    """

    is_agent: ClassVar[bool] = True
    unranked: ClassVar[bool] = True
    uses_temperature: ClassVar[bool] = False

    def __init__(self, tools: Sequence[OfferedTool], encoder: Encoder) -> None:
        self.client: Client | None = None
        """The client, once it has connected."""
        self._tools = [
            OfferedTool(NEXT, texts.NEXT_EPISODE, NO_ARGUMENTS),
            OfferedTool(LOOK, texts.LOOK, NO_ARGUMENTS),
            *tools,
        ]
        self._encoder = encoder
        self._calls: asyncio.Queue[Call | None] = asyncio.Queue()
        self._waiting: Call | None = None
        """The call that waits for its result: the next request, or the end of the episode."""
        self._question = ShownRequest((), {})
        self._picture: Encoded | None = None
        self._begun = False
        """Whether the client has seen the episode that is being played."""
        self._over = False

    @property
    def concurrency(self) -> int:
        return 1

    async def complete(self, request: Request) -> Reply:
        """Waits for the next call that is a turn. Raises StoppedError if the client has left."""
        shown = ShownRequest(added_parts(request), await self._encoder.pictures(request))
        self._picture = shown.picture() or self._picture
        if request.key.turn == 0:
            self._question, self._begun = shown, False
        if self._waiting is not None:
            self._begun = True
            first = request.key.turn == 0
            self._answer(self._look(request) if first else ToolResult(shown.content()))
        while (call := await self._calls.get()) is not None:
            self._waiting = call
            if call.name == NEXT and self._begun:
                return Reply(finish_reason="left", tool_format="mcp")
            if call.name in (NEXT, LOOK) and (self._begun or call.name == NEXT):
                self._begun = True
                self._answer(self._look(request))
            elif not self._begun:
                self._answer(ToolResult((texts.FIRST_NEXT,), is_error=True))
            else:
                return Reply(
                    tool_calls=(as_tool_call(call, request.key.turn),),
                    finish_reason="tool_calls",
                    tool_format="mcp",
                )
        raise StoppedError("the client has left")

    async def end(self, key: RequestKey) -> Usage | None:
        """Gives the last call its result. A call of `next_episode` waits for the next episode."""
        if self._waiting is not None and self._waiting.name != NEXT:
            self._answer(ToolResult((f"{texts.ENDED} {texts.CALL_NEXT}",)))
        return None

    def finish(self) -> None:
        """Notes that no episode is left. Every call is told so."""
        self._over = True
        while self._waiting is not None or not self._calls.empty():
            self._waiting = self._waiting or self._calls.get_nowait()
            self._answer(_NONE_LEFT)

    def leave(self) -> None:
        """Notes that the client has left."""
        self._calls.put_nowait(None)

    def manifest(self) -> dict[str, Any]:
        client = self.client
        return {
            "client": f"{client.name} {client.version}".strip() if client else None,
            "mcp": client.protocol if client else None,
            "texts": texts.VERSION,
        }

    def learnt(self) -> dict[str, Any]:
        return self.manifest()

    def tools(self) -> Sequence[OfferedTool]:
        return self._tools

    async def call(self, name: str, arguments: str) -> ToolResult:
        if self._over:
            return _NONE_LEFT
        return await queue_call(self._calls, name, arguments)

    def note_client(self, client: Client) -> None:
        self.client = client

    def _answer(self, result: ToolResult) -> None:
        if self._waiting is not None and not self._waiting.result.done():
            self._waiting.result.set_result(result)
        self._waiting = None

    def _look(self, request: Request) -> ToolResult:
        content = self._question.with_picture(self._picture)
        return ToolResult(
            [*content, texts.VALUES.format(tools="; ".join(map(_values, request.tools)))]
        )


_NONE_LEFT = ToolResult((texts.NONE_LEFT,), is_error=True)


def _values(tool: Tool) -> str:
    """Returns a tool with the values that it takes: `move_object(direction: left | right)`."""
    parameters = (
        f"{p.name}: {' | '.join(p.choices)}" if p.choices else p.name for p in tool.parameters
    )
    return f"{tool.name}({', '.join(parameters)})"
