"""Rebuilds and prints the requests that a model was sent.

A record holds only what each turn added. To rebuild the whole request, with its conversation,
solved examples and tools, the episode is played again with the recorded replies.
"""

import asyncio
import json
from dataclasses import replace

from rich.text import Text

from proactive_agent.play.episode import play_episode
from proactive_agent.providers import (
    AssistantMessage,
    Message,
    Part,
    Provider,
    ProviderError,
    Reply,
    Request,
    TextPart,
    ToolMessage,
)
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.records.manifest import Settings
from proactive_agent.runs.prepare import make_play
from proactive_agent.scenarios import DataFolder, ImageError
from proactive_agent.scenarios.open_data import open_data
from proactive_agent.terminal.console import safe
from proactive_agent.tools import Tool, ToolCall


class _Recorded(Provider):
    """Repeats the recorded replies and keeps the requests."""

    needs_images = False

    def __init__(self, episode: EpisodeRecord) -> None:
        self.requests: list[Request] = []
        self._replies = [turn.reply for turn in episode.turns]

    async def complete(self, request: Request) -> Reply:
        self.requests.append(request)
        if request.key.turn >= len(self._replies):
            raise ProviderError("no_reply", "the record has no further reply")
        reply = self._replies[request.key.turn]
        calls = tuple(ToolCall(c.name, c.arguments, c.id) for c in reply.tool_calls)
        return Reply(reply.text, calls, reply.finish_reason)


def requests_of(episode: EpisodeRecord, settings: Settings, data: DataFolder) -> list[Request]:
    """Returns the request of each turn. `data` is the run's data folder. Raises UserError."""
    provider = _Recorded(episode)
    # The rules judge, so that no model is needed.
    play = make_play(replace(settings, judge="rules"), data, provider)
    everything = open_data(data.source, unfiltered=True)
    sample = everything.find(episode.scenario, str(episode.sample_id))
    asyncio.run(play_episode(play, episode.scenario, sample, episode.repeat))
    return provider.requests


def request_text(request: Request) -> Text:
    """Formats a request for people: the messages by speaker, then the tools."""
    parts = [_section("system", safe(request.system))] if request.system else []
    parts += map(_message, request.messages)
    if request.tools:
        parts.append(_section("tools", Text("\n").join(map(_tool, request.tools))))
    return Text("\n\n").join(parts)


def _message(message: Message) -> Text:
    if isinstance(message, AssistantMessage):
        lines = [f"→ {call.name}({call.arguments})" for call in message.tool_calls]
        return _section("model", safe("\n".join([*lines, message.text]).strip("\n"), "yellow"))
    speaker = f"result of {message.call.name}" if isinstance(message, ToolMessage) else "user"
    return _section(speaker, Text("\n").join(map(_part, message.content)))


def _part(part: Part) -> Text:
    if isinstance(part, TextPart):
        return safe(part.text)
    try:
        width, height = part.load().size
    except ImageError as error:
        return safe(f"<picture: {error}>", "red")
    return safe(f"<picture {part.key[:12]}…, {width} x {height} pixels>", "cyan")


def _tool(tool: Tool) -> Text:
    schema = json.dumps(tool.schema(), ensure_ascii=False)
    return Text("\n").join([safe(tool.name, "bold"), safe(tool.description), safe(schema, "dim")])


def _section(speaker: str, text: Text) -> Text:
    return safe(f"── {speaker}\n", "bold").append_text(text)
