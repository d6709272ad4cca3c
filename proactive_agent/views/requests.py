"""What a model was asked in each turn, whole: played again with the replies on record.

A record holds what each turn adds.  The conversation before it, solved examples and the texts of
tools are made anew by the same code that made them for the run.
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
from proactive_agent.runs.runner import make_play
from proactive_agent.scenarios import DataFolder, ImageError
from proactive_agent.terminal.console import safe
from proactive_agent.tools import Tool, ToolCall


class _Recorded(Provider):
    """Replies as the record says, and keeps what it is asked."""

    needs_images = False

    def __init__(self, episode: EpisodeRecord) -> None:
        self.requests: list[Request] = []
        self._replies = [turn.reply for turn in episode.turns]

    async def complete(self, request: Request) -> Reply:
        self.requests.append(request)
        if request.key.turn >= len(self._replies):
            raise ProviderError("no_reply", "the record ends here")
        reply = self._replies[request.key.turn]
        calls = tuple(ToolCall(c.name, c.arguments, c.id) for c in reply.tool_calls)
        return Reply(reply.text, calls, reply.finish_reason)


def requests_of(episode: EpisodeRecord, settings: Settings, data: DataFolder) -> list[Request]:
    """The request of each turn.  `data` is the run's.  Raises UserError."""
    provider = _Recorded(episode)
    # No model is asked anything here, be it as a judge.
    play = make_play(replace(settings, judge="rules"), data, provider)
    everything = DataFolder(None if data.embedded else data.root, unfiltered=True)
    sample = everything.find(episode.scenario, str(episode.sample_id))
    asyncio.run(play_episode(play, episode.scenario, sample, episode.repeat))
    return provider.requests


def request_text(request: Request) -> Text:
    """A request as it can be read: who says what, then the tools."""
    parts = [_said("system", safe(request.system))] if request.system else []
    parts += map(_message, request.messages)
    if request.tools:
        parts.append(_said("tools", Text("\n").join(map(_tool, request.tools))))
    return Text("\n\n").join(parts)


def _message(message: Message) -> Text:
    if isinstance(message, AssistantMessage):
        lines = [f"→ {call.name}({call.arguments})" for call in message.tool_calls]
        return _said("model", safe("\n".join([*lines, message.text]).strip("\n"), "yellow"))
    speaker = f"result of {message.call.name}" if isinstance(message, ToolMessage) else "user"
    return _said(speaker, Text("\n").join(map(_part, message.content)))


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


def _said(speaker: str, text: Text) -> Text:
    return safe(f"── {speaker}\n", "bold").append_text(text)
