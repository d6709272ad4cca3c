"""Which episodes the page shows, and what of them."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, zip_longest
from typing import Any, NamedTuple

from proactive_agent.exports.pictures import Pictures
from proactive_agent.failures import group
from proactive_agent.outline import EpisodeOutline
from proactive_agent.records import ActionRecord, EpisodeRecord, ImageRecord, TurnRecord
from proactive_agent.run_folder import RunFolder
from tools.reading import SHOWN

THUMBNAIL = 224
"""Pixels of a picture's longer edge."""

LONGEST = 4_000
"""Characters of a text; a model may have written without end."""


class Gallery(NamedTuple):
    """Episodes as plain values, for the page's script."""

    episodes: list[dict[str, Any]]
    pictures: list[str]
    """Data URIs; turns name them by number."""
    left_out: dict[str, int]
    """Episodes that are not shown, by run."""


def gallery_of(runs: Sequence[tuple[str, RunFolder]], most: int) -> Gallery:
    """At most so many episodes of each run: failures of all groups first."""
    gallery = Gallery([], [], {})
    for name, folder in runs:
        outlines = folder.outlines()
        chosen = list(islice(_in_turn(outlines), most))
        gallery.left_out[name] = len(outlines) - len(chosen)
        shelf = _Shelf(Pictures(folder.read_manifest()), gallery.pictures)
        for outline in chosen:
            episode = folder.read_episode(outline.offset, outline.length)
            gallery.episodes.append(_episode(name, episode, shelf))
    return gallery


class _Shelf:
    """Keeps each picture once."""

    def __init__(self, pictures: Pictures, uris: list[str]) -> None:
        self._pictures = pictures
        self._uris = uris
        self._numbers: dict[tuple[Any, ...], int | None] = {}

    def number(self, shown: ImageRecord) -> int | None:
        """Which of all pictures it is; None where it cannot be opened any more."""
        key = (shown.path, shown.crop, shown.size)
        if key not in self._numbers:
            uri = self._pictures.data_uri(shown, longest=THUMBNAIL)
            self._numbers[key] = len(self._uris) if uri else None
            if uri:
                self._uris.append(uri)
        return self._numbers[key]


def _in_turn(outlines: Iterable[EpisodeOutline]) -> Iterator[EpisodeOutline]:
    """One of each failure group after the other, then those that ended right."""
    groups: dict[str, list[EpisodeOutline]] = {}
    right = []
    for outline in outlines:
        failure = group(outline)
        if failure is None:
            right.append(outline)
        else:
            groups.setdefault(failure.name, []).append(outline)
    for row in zip_longest(*groups.values()):
        yield from (outline for outline in row if outline is not None)
    yield from right


def _episode(run: str, episode: EpisodeRecord, shelf: _Shelf) -> dict[str, Any]:
    failure = group(episode)
    return {
        "run": run,
        "scenario": episode.scenario,
        "sample": str(episode.sample_id),
        "repeat": episode.repeat,
        "group": failure.title if failure else "right",
        "meaning": failure.meaning if failure else "",
        "right": failure is None,
        "suggestions": episode.outcome.suggestions,
        "fewest": episode.fewest,
        "target": episode.target,
        "error": f"{episode.error.kind}: {episode.error.message}" if episode.error else None,
        "turns": [_turn(turn, shelf) for turn in episode.turns],
    }


def _turn(turn: TurnRecord, shelf: _Shelf) -> dict[str, Any]:
    reply = turn.reply
    return {
        "picture": shelf.number(turn.image),
        "path": turn.image.path,
        "prompt": turn.prompt[:LONGEST],
        "text": reply.text[:LONGEST],
        "calls": [f"{c.name}({c.arguments})"[:LONGEST] for c in reply.tool_calls],
        "action": _action(turn.action)[: 2 * SHOWN],
        "verdict": _verdict(turn),
    }


def _action(action: ActionRecord) -> str:
    if action.kind == "intervention":
        done = f"{action.tool}({action.argument or ''})"
        return f"{done} for: {action.question}" if action.question else done
    if action.kind == "answer":
        return f"answer: {action.category}"
    detail = ": ".join(filter(None, (action.why, action.detail)))
    return f"{action.kind} {detail}".strip()


def _verdict(turn: TurnRecord) -> str:
    """`good`, `bad` or `neutral`, by which the page colours a turn."""
    verdicts = (turn.verdict.suggestion, turn.verdict.category)
    if "correct" in verdicts:
        return "good"
    if turn.judgement is not None and any(answer.met for answer in turn.judgement.answers):
        return "good"
    return "bad" if "wrong" in verdicts or turn.action.kind == "invalid" else "neutral"
