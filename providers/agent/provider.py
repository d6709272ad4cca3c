"""`agent:COMMAND`: starts the command for each episode and lets it play over MCP.

`{url}` in the command is the endpoint of the episode, `{prompt}` the task in words. The endpoint
offers the tools of the episode, and `look`, which costs no turn. The process is fresh for each
episode, so it keeps no memory of earlier ones.
"""

import asyncio
import importlib
import shlex
import sys
import time
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

from proactive_agent.disk.regular_file import read_regular_text
from proactive_agent.providers.agent.mcp_server import LoopbackServer
from proactive_agent.providers.agent.process import AgentProcess
from proactive_agent.providers.agent.seat import Delivery, Seat, as_tool_call
from proactive_agent.providers.agent.usage import STANDARD_OUTPUT, AgentReport, read_usage
from proactive_agent.providers.api.encoding import Encoder
from proactive_agent.providers.base import Finding, Provider, ProviderError, ProviderOptions
from proactive_agent.providers.messages import LEFT, Reply, Request, RequestKey, Usage
from proactive_agent.providers.sight_check import check_sight
from proactive_agent.settings import Sampling
from proactive_agent.settings.agent_names import short_name
from proactive_agent.tools import UserError, agent_texts
from proactive_agent.tools.reading import clean

URL = "{url}"
PROMPT = "{prompt}"
FAREWELL = 30.0
"""Seconds that an agent gets to end by itself after its episode."""


class _Key(NamedTuple):
    scenario: str
    sample_id: int | str
    repeat: int


class _Episode:
    """An episode that an agent plays."""

    def __init__(self, seat: Seat, process: AgentProcess, deadline: float) -> None:
        self.seat = seat
        self.process = process
        self.deadline = deadline
        """Time limit of the episode, as a value of `time.monotonic`."""
        self.url = ""
        self.broken = False
        """Whether the episode failed, so that the agent gets no time to end by itself."""
        self.watching: asyncio.Task[None] | None = None


class AgentProvider(Provider):
    """An agent, started anew for every episode."""

    is_agent: ClassVar[bool] = True
    uses_temperature: ClassVar[bool] = False
    library: ClassVar[str | None] = "mcp"
    extra: ClassVar[str | None] = "mcp"

    def __init__(self, command: str, options: ProviderOptions) -> None:
        """Reads the command. Raises UserError for a malformed one."""
        importlib.import_module("mcp")
        if sys.platform == "win32":
            raise UserError("agent: runs on Linux and macOS only; use WSL on Windows")
        self.command = command
        self._words = split_command(command)
        self._options = options
        _check_usage_file(options.agent_usage)
        self._delivery: Delivery = options.pictures
        self._timeout = options.access.episode_timeout
        self._server = LoopbackServer(
            idle_timeout=max(1800.0, 2 * self._timeout), instructions=self._prompt
        )
        self._encoder = Encoder(options.image_size, options.image_quality, options.image_format)
        self._episodes: dict[_Key, _Episode] = {}
        self._clients: dict[str, None] = {}
        self._protocols: dict[str, None] = {}

    @classmethod
    def create(cls, model: str, options: ProviderOptions) -> Self:
        return cls(model, options)

    @property
    def concurrency(self) -> int:
        return 4

    async def complete(self, request: Request) -> Reply:
        """Waits for the next call of the agent. The first request of an episode starts it.

        Raises ProviderError if the agent fails, does not connect or takes too long.
        """
        episode = await self._episode(request)
        try:
            pictures = await self._encoder.pictures(request)
            episode.seat.show(request, pictures)
            if episode.seat.left:
                return _text_reply("", LEFT)
            async with asyncio.timeout(episode.deadline - time.monotonic()):
                call = await episode.seat.next_call()
        except TimeoutError:
            episode.broken = True
            raise ProviderError("timeout", self._timeout_message(episode)) from None
        except BaseException:
            episode.broken = True
            raise
        if call is None:
            return await self._final_reply(episode)
        sent = pictures[request.pictures[-1].key].sent if request.pictures else None
        return Reply(
            tool_calls=(as_tool_call(call, request.key.turn),),
            finish_reason="tool_calls",
            tool_format="mcp",
            sent_image=sent,
        )

    async def end(self, key: RequestKey) -> Usage | None:
        """Gives the last call its result and ends the agent. Returns the usage of the agent."""
        episode = self._episodes.pop(_Key(key.scenario, key.sample_id, key.repeat), None)
        if episode is None:
            return None
        try:
            episode.seat.end()
            if not episode.broken:
                await episode.process.wait(FAREWELL)
            return (await self._reported_by(episode)).usage
        finally:
            self._note(episode)
            if episode.watching:
                episode.watching.cancel()
            try:
                await episode.process.stop()
            finally:
                episode.process.abandon()
                self._server.remove(episode.url)

    async def probe(self, sampling: Sampling) -> Reply | None:
        """Plays a sight check. Raises UserError for an agent that does not see the pictures."""
        sight = await check_sight(self, sampling)
        if sight.problem:
            raise UserError(
                f"{self.label} ({self._client_in_words}) failed the sight check: {sight.problem}. "
                "Some clients drop the pictures in the results of tools; try --pictures separate, "
                "or another version of the client"
            )
        return None

    async def check(self) -> list[Finding]:
        """Reports the sight check and the client, for `providers check`."""
        sight = await check_sight(self, Sampling())
        client = Finding("client", None, self._client_in_words)
        return [*sight.findings, client, Finding("isolated", None, self._options.isolated)]

    @property
    def label(self) -> str:
        """Short name of the agent, as in tables."""
        return short_name(f"agent:{self.command}")

    def manifest(self) -> dict[str, Any]:
        return {
            "command": self.command,
            "client": ", ".join(self._clients) or None,
            "mcp": ", ".join(self._protocols) or None,
            "isolated": self._options.isolated,
            "texts": agent_texts.VERSION,
        }

    def learnt(self) -> dict[str, Any]:
        """Returns the clients that connected, and their versions of MCP."""
        known = self.manifest()
        return {name: known[name] for name in ("client", "mcp")}

    async def close(self) -> None:
        for episode in self._episodes.values():
            episode.broken = True
        for key in list(self._episodes):
            await self.end(RequestKey(key.scenario, key.sample_id, 0, repeat=key.repeat))
        await self._server.close()

    @property
    def _prompt(self) -> str:
        separate = self._delivery == "separate"
        return agent_texts.PROMPT_SEPARATE if separate else agent_texts.PROMPT

    @property
    def _client_in_words(self) -> str:
        return f"client: {', '.join(self._clients)}" if self._clients else "client unknown"

    async def _episode(self, request: Request) -> _Episode:
        key = _Key(request.key.scenario, request.key.sample_id, request.key.repeat)
        if (episode := self._episodes.get(key)) is not None:
            return episode
        if not request.tools:
            raise UserError(f"{self.label}: an agent plays the protocol tools only")
        process = AgentProcess(self._options.agent_env)
        episode = _Episode(Seat(self._delivery), process, time.monotonic() + self._timeout)
        self._episodes[key] = episode
        try:
            episode.url = await self._server.add(episode.seat)
            values = {URL: episode.url, PROMPT: self._prompt}
            await process.start([_filled(word, values) for word in self._words])
        except BaseException:
            episode.broken = True
            raise
        episode.watching = asyncio.create_task(_watch(episode))
        return episode

    async def _final_reply(self, episode: _Episode) -> Reply:
        """Returns the final answer of an agent that has ended. Raises ProviderError."""
        process, seat = episode.process, episode.seat
        if process.exit_code:
            raise ProviderError("agent_failed", process.failure)
        if seat.client is None:
            raise ProviderError(
                "agent_not_connected",
                f"the agent ended without connecting to its MCP endpoint; it wrote: "
                f"{clean(process.output[:500].decode('utf-8', 'replace')).strip() or 'nothing'}",
            )
        said = (await self._reported_by(episode)).text
        if said is None or (not said and self._options.agent_usage != STANDARD_OUTPUT):
            said = process.output.decode("utf-8", "replace")
        return _text_reply(clean(said).strip(), "stop")

    async def _reported_by(self, episode: _Episode) -> AgentReport:
        name = self._options.agent_usage
        if name is None:
            return AgentReport(None, None)
        if name == STANDARD_OUTPUT:
            return read_usage(episode.process.output)
        file = episode.process.directory / name
        if file.is_symlink():  # It could lead out of the agent's directory.
            return AgentReport(None, None)
        try:
            text = await asyncio.to_thread(read_regular_text, file)
        except (OSError, ValueError):
            return AgentReport(None, None)
        return read_usage(text.encode())

    def _note(self, episode: _Episode) -> None:
        if client := episode.seat.client:
            self._clients.setdefault(f"{client.name} {client.version}".strip())
            self._protocols.setdefault(client.protocol)

    def _timeout_message(self, episode: _Episode) -> str:
        limit = f"{self._timeout:g} s (--episode-timeout)"
        if episode.seat.client is None:
            return f"the agent did not connect to its MCP endpoint within {limit}"
        return f"the agent did not end the episode within {limit}"


def split_command(command: str) -> list[str]:
    """Splits a command into words as a shell does. Raises UserError if it has no `{url}`."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UserError(f"agent:{command}: the command cannot be read ({error})") from None
    if URL not in command:
        raise UserError(
            f"agent:{command}: the command must contain {URL}, for example "
            f"'agent:python /home/me/my_agent.py {URL}'"
        )
    return words


def _check_usage_file(name: str | None) -> None:
    if name is not None and (Path(name).name != name or name in ("", ".", "..")):
        raise UserError(f"--agent-usage {name}: expected the name of a file, without a folder")


def _filled(word: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        word = word.replace(name, value)
    return word


async def _watch(episode: _Episode) -> None:
    await episode.process.wait()
    episode.seat.agent_ended()


def _text_reply(text: str, reason: str) -> Reply:
    return Reply(text=text, finish_reason=reason, tool_format="mcp")
