"""A turn in full: what the model was sent, what it replied, how that was read."""

import json
from collections.abc import Iterator
from typing import Any

from rich.text import Text

from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.records.manifest import Settings
from proactive_agent.scenarios import DataFolder
from proactive_agent.terminal.console import safe
from proactive_agent.tools import UserError
from proactive_agent.views.requests import request_text, requests_of
from proactive_agent.views.tui.frames import FrameSource

ASKED = ("image", "prompt", "options", "tools")


def turn_text(episode: EpisodeRecord, index: int, settings: Settings, frames: FrameSource) -> Text:
    """Request, reply, reading.  Where the request cannot be made again, what is on record of it."""
    turn = episode.turns[index]
    fields = turn.model_dump(mode="json", exclude={"index"})
    asked = {name: fields.pop(name) for name in ASKED}
    reply = fields.pop("reply")
    parts = [
        _request(episode, index, settings, frames),
        _titled("What is on record of it", asked),
        _titled("What it replied", reply),
        _titled("How that was read", fields),
    ]
    return Text("\n\n").join(parts)


def _request(episode: EpisodeRecord, index: int, settings: Settings, frames: FrameSource) -> Text:
    title = Text("What the model was sent\n", "bold reverse")
    try:
        data = DataFolder(frames.path, unfiltered=settings.unfiltered)
        request = requests_of(episode, settings, data)[index]
    except (UserError, IndexError, KeyError) as error:
        return title.append_text(safe(f"cannot be made again: {error}", "red"))
    text = request_text(request)
    if safe(episode.turns[index].prompt).plain not in text.plain:
        title.append("This program words it otherwise than the one that made the run.\n", "red")
    return title.append_text(text)


def _titled(title: str, fields: dict[str, Any]) -> Text:
    lines = (line for name, value in fields.items() for line in _field(name, value))
    return Text(f"{title}\n", "bold reverse").append_text(Text("\n").join(lines))


def _field(name: str, value: object) -> Iterator[Text]:
    """A field; of a list each entry, of a text each line, stands on a line of its own."""
    label = Text(f"{name}: ", "bold")
    if isinstance(value, list) and value:
        yield label
        for entry in value:
            yield safe(f"  {json.dumps(entry, ensure_ascii=False)}")
    elif isinstance(value, str) and "\n" in value:
        yield label
        yield safe("\n".join(f"  {line}" for line in value.split("\n")))
    else:
        yield label.append_text(safe(json.dumps(value, ensure_ascii=False)))
