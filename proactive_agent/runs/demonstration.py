"""Serves the episodes of a run, one after another, to one client over MCP."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from proactive_agent.metrics import PlayedRun
from proactive_agent.providers.agent.demonstration import Demonstration
from proactive_agent.providers.agent.mcp_server import (
    LONGEST_BODY,
    LoopbackServer,
    OfferedTool,
    make_server,
)
from proactive_agent.providers.api.encoding import Encoder
from proactive_agent.records.manifest import Settings
from proactive_agent.runs.planned_run import PlannedRun
from proactive_agent.runs.session import Session
from proactive_agent.scenarios import SCENARIOS
from proactive_agent.tools import UserError
from proactive_agent.tools.agent_texts import SERVE_PROMPT
from proactive_agent.tools.catalogue import ABSTAIN, ASK_CLARIFICATION, intervention_tool
from proactive_agent.tools.texts import DESCRIPTIONS, PARAMETERS

SPEC = "agent:serve"
"""The model of a demonstration in records."""
IDLE = 24 * 3600.0
"""Seconds after which an unused session of a client is forgotten."""


async def serve(
    settings: Settings,
    results: Path,
    *,
    port: int | None = None,
    on_address: Callable[[str], None] = lambda url: None,
) -> PlayedRun | None:
    """Serves the episodes until the client leaves. Returns the run, or None if none was begun.

    Uses standard input and output, or with a `port` HTTP on the loopback interface (0 takes a free
    port). `on_address` is then called with the URL. Raises UserError for wrong settings.
    """
    how = settings.provider_settings
    encoder = Encoder(how.image_size, how.image_quality, how.image_format)
    player = Demonstration(tools_of(settings.scenarios), encoder)
    planned = PlannedRun.new(settings, results, model=player)
    serving = _over_stdio(player) if port is None else _over_http(player, port, on_address)
    async with Session(concurrency=1) as session:
        playing = asyncio.create_task(_play(session, planned, player))
        client = asyncio.create_task(serving)
        try:
            await asyncio.wait([playing, client], return_when=asyncio.FIRST_COMPLETED)
            if not client.done():
                played = await playing  # Its error ends the demonstration.
                await client
                return played
            player.leave()
            played = await playing
            client.result()
            return played
        finally:
            for task in (playing, client):
                task.cancel()
            await asyncio.wait([playing, client])


def tools_of(scenarios: Sequence[str]) -> list[OfferedTool]:
    """Returns the tools of some scenarios; the categories of `answer` differ between episodes."""
    names = dict.fromkeys(i.tool for name in scenarios for i in SCENARIOS[name].keywords.values())
    tools = [intervention_tool(name) for name in names]
    offered = [
        OfferedTool(tool.name, tool.description, tool.schema())
        for tool in (*tools, ASK_CLARIFICATION, ABSTAIN)
    ]
    category = {"type": "string", "description": PARAMETERS["category"]}
    schema = {
        "type": "object",
        "properties": {"category": category},
        "required": ["category"],
        "additionalProperties": False,
    }
    return [*offered, OfferedTool("answer", DESCRIPTIONS["answer"], schema)]


async def _play(session: Session, planned: PlannedRun, player: Demonstration) -> PlayedRun | None:
    played = await session.play([planned])
    player.finish()
    return played[0] if played else None


async def _over_http(player: Demonstration, port: int, on_address: Callable[[str], None]) -> None:
    server = LoopbackServer(IDLE, SERVE_PROMPT, port)
    try:
        try:
            address = await server.add(player)
        except OSError as error:
            raise UserError(f"port {port}: {error.strerror or error}") from None
        on_address(address)
        await server.wait()
    finally:
        await server.close()


async def _over_stdio(player: Demonstration) -> None:
    from mcp.server.stdio import stdio_server

    server = make_server(lambda context: player, SERVE_PROMPT)
    async with stdio_server(stdin=_lines_of_stdin()) as (read, write):  # type: ignore[arg-type]
        await server.run(read, write, server.create_initialization_options())


async def _lines_of_stdin() -> AsyncIterator[str]:
    """Yields the lines of the standard input. Unlike a thread that reads, it can be cancelled."""
    reader = asyncio.StreamReader(LONGEST_BODY)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    with contextlib.closing(transport):
        while line := await reader.readline():
            yield line.decode("utf-8", "replace")
