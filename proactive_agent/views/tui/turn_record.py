"""Prints a turn in full: the request, the reply, and how the reply was read."""

import json
from collections.abc import Iterator
from typing import Any

from rich.text import Text

from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.records.manifest import Settings
from proactive_agent.scenarios.open_data import open_data
from proactive_agent.terminal.console import safe
from proactive_agent.tools import UserError
from proactive_agent.views.requests import request_text, requests_of
from proactive_agent.views.tui.frames import FrameSource

ASKED = ("image", "prompt", "options", "tools")


def turn_text(episode: EpisodeRecord, index: int, settings: Settings, frames: FrameSource) -> Text:
    """Formats a turn. If its request cannot be rebuilt, the recorded parts are shown."""
    turn = episode.turns[index]
    fields = turn.model_dump(mode="json", exclude={"index"})
    asked = {name: fields.pop(name) for name in ASKED}
    reply = fields.pop("reply")
    parts = [
        _request(episode, index, settings, frames),
        _titled("Recorded parts of the request", asked),
        _titled("Reply", reply),
        _titled("Reading of the reply", fields),
    ]
    return Text("\n\n").join(parts)


def _request(episode: EpisodeRecord, index: int, settings: Settings, frames: FrameSource) -> Text:
    title = Text("Request\n", "bold reverse")
    try:
        data = open_data(frames.path, unfiltered=settings.unfiltered)
        request = requests_of(episode, settings, data)[index]
    except (UserError, IndexError, KeyError) as error:
        return title.append_text(safe(f"cannot be rebuilt: {error}", "red"))
    text = request_text(request)
    if safe(episode.turns[index].prompt).plain not in text.plain:
        title.append(
            "The run used another wording; this is the request in the current wording.\n",
            "red",
        )
    return title.append_text(text)


def _titled(title: str, fields: dict[str, Any]) -> Text:
    lines = (line for name, value in fields.items() for line in _field(name, value))
    return Text(f"{title}\n", "bold reverse").append_text(Text("\n").join(lines))


def _field(name: str, value: object) -> Iterator[Text]:
    """Formats a field, with one line for each entry of a list and each line of a text."""
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
