"""Lines of `episodes.jsonl` as they stand there."""

import json

from proactive_agent.records.outline import EpisodeOutline
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.terminal.console import plain


def read_line(folder: RunFolder, episode: EpisodeOutline) -> bytes:
    """The line on which an episode stands."""
    with folder.episodes_file.open("rb") as stream:
        stream.seek(episode.offset)
        return stream.read(episode.length)


def safe_json(line: bytes) -> str:
    """The same JSON, with characters that steer a terminal written as escapes."""
    text = line.decode("utf-8", "replace").rstrip("\n")
    if text.isprintable():
        return text
    return "".join(c if plain(c) == c else json.dumps(c)[1:-1] for c in text)
