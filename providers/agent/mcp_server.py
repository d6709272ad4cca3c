"""Serves tools over MCP: on the loopback interface, one URL per host, or on standard input.

Results hold texts and pictures only. Structured content is never sent, because some clients then
drop the pictures.
"""

import asyncio
import contextlib
import json
import logging
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from proactive_agent.providers.api.encoding import Encoded
from proactive_agent.tools.reading import clean

HOST = "127.0.0.1"
SERVER_NAME = "user"
"""The name by which clients know the server. It does not name the benchmark."""
LONGEST_BODY = 16 * 2**20
"""Bytes of a request; longer ones are refused by HTTP status 413."""
LONGEST_NAME = 100
"""Characters of a client's name or version that are kept."""


class OfferedTool(NamedTuple):
    """A tool as a client sees it."""

    name: str
    description: str
    schema: Mapping[str, Any]
    """JSON Schema of the arguments object."""


class ToolResult(NamedTuple):
    """The result of a call: texts and pictures in order."""

    content: Sequence[str | Encoded]
    is_error: bool = False


class Client(NamedTuple):
    """The program that calls the tools, as it described itself."""

    name: str
    version: str
    protocol: str
    """Version of MCP."""


class ToolHost(Protocol):
    """Offers tools and carries out their calls."""

    def tools(self) -> Sequence[OfferedTool]:
        """Returns the tools on offer."""

    async def call(self, name: str, arguments: str) -> ToolResult:
        """Carries out a call. `arguments` is JSON text of an object."""

    def note_client(self, client: Client) -> None:
        """Records which client is connected. Called with every request."""


def make_server(host_of: Callable[[Any], ToolHost], instructions: str | None = None) -> Any:
    """Returns an MCP server. `host_of` returns the host of a request's context."""
    import mcp_types as types
    from mcp.server.lowlevel import Server

    def host(context: Any) -> ToolHost:
        found = host_of(context)
        found.note_client(_client(context))
        return found

    async def list_tools(context: Any, params: Any) -> Any:
        return types.ListToolsResult(
            tools=[
                types.Tool(name=t.name, description=t.description, input_schema=dict(t.schema))
                for t in host(context).tools()
            ]
        )

    async def call_tool(context: Any, params: Any) -> Any:
        result = await host(context).call(params.name, json.dumps(params.arguments or {}))
        return types.CallToolResult(
            content=[
                types.TextContent(text=part)
                if isinstance(part, str)
                else types.ImageContent(data=part.base64, mime_type=part.sent.media_type)
                for part in result.content
            ],
            is_error=result.is_error,
        )

    # Without a handler, the program would print the library's warnings in the terminal.
    logging.getLogger("mcp").addHandler(logging.NullHandler())
    logging.getLogger("uvicorn").addHandler(logging.NullHandler())
    return Server(
        SERVER_NAME, instructions=instructions, on_list_tools=list_tools, on_call_tool=call_tool
    )


class LoopbackServer:
    """Serves each host under a URL with a random token, which no one can guess."""

    def __init__(self, idle_timeout: float, instructions: str | None = None, port: int = 0) -> None:
        """`idle_timeout`: seconds after which an unused session of a client is forgotten.

        `port` 0 takes a free one.
        """
        self._hosts: dict[str, ToolHost] = {}
        self._idle_timeout = idle_timeout
        self._instructions = instructions
        self._port = port
        self._started: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._server: Any = None

    async def add(self, host: ToolHost) -> str:
        """Serves a host and returns its URL. The first call starts the server."""
        await self._start()
        token = secrets.token_urlsafe(24)
        self._hosts[token] = host
        return f"http://{HOST}:{self._port}/{token}/mcp"

    def remove(self, url: str) -> None:
        """Stops serving a host. Its URL answers 404 from now on."""
        self._hosts.pop(url.split("/")[3], None)

    async def close(self) -> None:
        """Ends the server and all connections."""
        if self._task is None:
            return
        self._server.should_exit = self._server.force_exit = True
        await asyncio.wait([self._task], timeout=5)
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._task = self._started = None

    async def wait(self) -> None:
        """Waits until the server ends."""
        if self._task is not None:
            await self._task

    async def _start(self) -> None:
        if self._started is None:
            self._started = asyncio.get_running_loop().create_future()
            listening = socket.socket()
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((HOST, self._port))
            self._port = listening.getsockname()[1]
            self._task = asyncio.create_task(self._serve(listening))
        await asyncio.shield(self._started)

    async def _serve(self, listening: socket.socket) -> None:
        import uvicorn
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
        from mcp.server.transport_security import TransportSecuritySettings

        class Server(uvicorn.Server):
            # Signals are for the program, not for this server in it.
            @contextlib.contextmanager
            def capture_signals(self) -> Iterator[None]:
                yield

        server = make_server(lambda context: context.request.scope["host"], self._instructions)
        manager = StreamableHTTPSessionManager(
            server,
            json_response=True,
            # A page in a browser must not reach the server under another name.
            security_settings=TransportSecuritySettings(
                enable_dns_rebinding_protection=True, allowed_hosts=[f"{HOST}:{self._port}"]
            ),
            session_idle_timeout=self._idle_timeout,
            max_request_body_size=LONGEST_BODY,
            max_sessions=None,
        )

        async def app(scope: Any, receive: Any, send: Any) -> None:
            token, _, rest = scope["path"].lstrip("/").partition("/")
            host = self._hosts.get(token) if rest == "mcp" else None
            if scope["type"] != "http" or host is None:
                await send({"type": "http.response.start", "status": 404, "headers": []})
                await send({"type": "http.response.body", "body": b"unknown episode"})
                return
            await manager.handle_request({**scope, "host": host}, receive, send)

        config = uvicorn.Config(
            app, lifespan="off", ws="none", log_config=None, access_log=False, interface="asgi3",
            timeout_graceful_shutdown=1, timeout_keep_alive=int(self._idle_timeout),
        )  # fmt: skip
        self._server = Server(config)
        async with manager.run():
            serving = asyncio.create_task(self._server.serve(sockets=[listening]))
            try:
                while not self._server.started and not serving.done():
                    await asyncio.sleep(0.01)
                if self._started and not self._started.done():
                    self._started.set_result(None)
                await serving
            finally:
                serving.cancel()
                listening.close()


def _client(context: Any) -> Client:
    params = context.session.client_params
    info = params.client_info if params else None
    name, version = (info.name, info.version) if info else ("unknown", "unknown")
    texts = (name, version, context.protocol_version)
    return Client(*(clean(str(text))[:LONGEST_NAME] for text in texts))
