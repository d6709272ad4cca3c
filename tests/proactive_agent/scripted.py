"""A provider that gives scripted replies and records its requests."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar

from proactive_agent.play.conditions import ConditionOptions, parse_condition
from proactive_agent.play.conditions.base import DEFAULTS
from proactive_agent.play.episode import Play, play_episode
from proactive_agent.play.protocols import Mcqa, Protocol, ToolUse
from proactive_agent.providers import Provider, Reply, Request, TextPart
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.scenarios import DataFolder, Sample
from proactive_agent.tools import ToolCall

Say = str | Reply | Exception | Callable[[Request], Reply]


class Scripted(Provider):
    """Gives its replies in order; raises those that are exceptions."""

    def __init__(self, *replies: Say) -> None:
        self.replies = list(replies)
        self.requests: list[Request] = []

    async def complete(self, request: Request) -> Reply:
        self.requests.append(request)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, str):
            return Reply(reply)
        return reply if isinstance(reply, Reply) else reply(request)


class Sightless(Scripted):
    """A scripted provider that needs no pictures."""

    needs_images: ClassVar[bool] = False


def call(name: str, **arguments: Any) -> Reply:
    """Returns a reply with one tool call."""
    return Reply(tool_calls=(ToolCall(name, json.dumps(arguments), f"id-{name}"),))


def texts(request: Request) -> list[str]:
    """Returns every text of a request, in the order of the messages."""
    return [
        part.text
        for message in request.messages
        for part in getattr(message, "content", ())
        if isinstance(part, TextPart)
    ]


def sample_of(scenario: str, sample_id: int = 0, data: DataFolder | None = None) -> Sample:
    """Returns a sample of the embedded suite, or of other data."""
    return next(s for s in (data or DataFolder()).samples(scenario) if s.id == sample_id)


async def play(
    scenario: str,
    provider: Provider,
    protocol: Protocol | None = None,
    condition: str = "zero-shot",
    options: ConditionOptions = DEFAULTS,
    *,
    data: DataFolder | None = None,
    sample: Sample | None = None,
    forgiving: bool = False,
    seed: int = 0,
    repeat: int = 0,
) -> EpisodeRecord:
    """Plays one episode: by default the first sample of the embedded suite, with `ToolUse`."""
    protocol = protocol or ToolUse()
    data = data or DataFolder()
    conditions = parse_condition(condition, protocol.name, options)
    setup = Play(data, provider, protocol, conditions, seed=seed, forgiving=forgiving)
    sample = sample or sample_of(scenario, data=data)
    return await play_episode(setup, scenario, sample, repeat)


def write_lines(file: Path, lines: Iterable[Any]) -> Path:
    """Writes a file of JSON lines."""
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file


__all__ = ["Mcqa", "Scripted", "Sightless", "ToolUse", "call", "play", "sample_of", "texts"]
