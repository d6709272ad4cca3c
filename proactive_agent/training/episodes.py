"""Whole episodes for multi-turn training: the samples, and the loop that plays them.

The samples are in the official layout. The episodes are those of a run, except that the trainer
supplies the replies: each text that it generates is one step of a `SteppedEpisode`.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

from proactive_agent.play.episode import Play, SteppedEpisode
from proactive_agent.providers import ImagePart, Request
from proactive_agent.providers.local.chat import Chat
from proactive_agent.providers.messages import pictures_of
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.scenarios import DataFolder, ImageError, Sample
from proactive_agent.scenarios.open_data import open_data
from proactive_agent.tools import UserError
from proactive_agent.training.prompts import ReplyFrame

Part = dict[str, Any]
"""A part of a chat message, as TRL takes it: a text or a picture."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A sample with which an episode begins. Its first frame is ambiguous."""

    index: int
    scenario: str
    """Short name of the scenario."""
    answer: str
    """The right category."""
    sample: Sample
    clear: bool = False

    @property
    def place(self) -> str:
        """Position for messages: `scenario:id`."""
        return f"{self.scenario}:{self.sample.id}"


class EpisodeData(NamedTuple):
    """Samples to train on, which were read and checked."""

    data: DataFolder
    rows: list[Opening]
    files: dict[str, str]
    """SHA-256 by file name."""

    def pictures_of(self, row: Opening) -> Iterator[Any]:
        """Yields the first and the reference frame, in RGB. Raises UserError."""
        state = self.data.environment(row.scenario, row.sample)
        for ref in dict.fromkeys((state.image(), state.reference_image())):
            try:
                yield self.data.images.open(ref).image
            except ImageError as error:
                raise UserError(f"{row.place}: {error}") from None


def read_episodes(source: str, on_row: Callable[[int], None] | None = None) -> EpisodeData:
    """Reads and checks every sample of a folder. Calls `on_row(1)` after each.

    Raises UserError.
    """
    data = open_data(Path(source).expanduser())
    rows: list[Opening] = []
    files = {}
    for scenario in data.scenarios():
        files[data.file(scenario).name] = data.scan(scenario).sha256
        for sample in data.samples(scenario):
            rows.append(Opening(len(rows), scenario, sample.answer, sample))
            if on_row:
                on_row(1)
    return EpisodeData(data, rows, files)


class EpisodeLoop:
    """The event loop and the settings that all episodes of a training share."""

    def __init__(
        self, play: Play, openings: Sequence[Opening], chat: Chat, frame: ReplyFrame, limit: int
    ) -> None:
        self.play = play
        self.openings = openings
        self.chat = chat
        self.frame = frame
        self.limit = limit
        """Most tokens of an episode."""
        self.loop = asyncio.new_event_loop()
        self.mark = str(chat.processor.image_token)
        """Mark of a picture in a rendered text."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Closes the loop."""
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()

    def parts(self, text: str, pictures: Sequence[ImagePart]) -> list[Part]:
        """Splits a rendered text at its pictures."""
        pieces = text.split(self.mark)
        if len(pieces) != len(pictures) + 1:
            raise ValueError(
                f"{len(pieces) - 1} picture marks for {len(pictures)} pictures in: {text}"
            )
        parts = [_text(pieces[0])]
        for picture, piece in zip(pictures, pieces[1:], strict=True):
            parts += [{"type": "image", "image": picture.load()}, _text(piece)]
        return parts


class EpisodeEnvironment:
    """One episode in the form of TRL's environments: `reply` takes the text of the model."""

    def __init__(self, episode_loop: EpisodeLoop) -> None:
        self._episode_loop = episode_loop
        self._episode: SteppedEpisode | None = None
        self._shown = ""
        self._pictures = 0

    @property
    def record(self) -> EpisodeRecord | None:
        """Record of the episode; None before its end."""
        return self._episode.record if self._episode else None

    def reset(self, *, row: int, **others: Any) -> list[Part]:
        """Begins an episode and returns its first prompt. The one before it is abandoned."""
        del others
        opening = self._episode_loop.openings[row]
        self._episode = SteppedEpisode(self._episode_loop.play, opening.scenario, opening.sample)
        self._shown, self._pictures = "", 0
        request = self._episode_loop.loop.run_until_complete(self._episode.begin())
        if request is None:
            raise RuntimeError(
                f"{opening.scenario}:{opening.sample.id} ended before its first request"
            )
        return self._new_parts(request, "")

    def reply(self, text: str) -> list[Part]:
        """Continues the episode with a reply of the model.

        Args:
            text: The whole reply.

        Returns:
            The part of the conversation that follows the reply.
        """
        episode = self._episode
        if episode is None or episode.request is None:
            return [self._end()]
        asked, chat = episode.request, self._episode_loop.chat
        reply = chat.reply(
            text, tools=bool(asked.tools), turn=asked.key.turn, prompt=chat.text(asked)
        )
        request = self._episode_loop.loop.run_until_complete(episode.step(reply))
        if request is None:
            return [self._end()]
        return self._new_parts(request, self._episode_loop.frame.after)

    def _end(self) -> Part:
        # The trainer has no other way to end a sequence: it leaves the sequence as it is if the
        # next part exceeds the limit.
        return _text("end " * self._episode_loop.limit)

    def _new_parts(self, request: Request, after: str) -> list[Part]:
        """Returns the parts that the request adds to the text shown so far.

        `after` ends the preceding reply.
        """
        text = self._episode_loop.chat.text(request)
        if not text.startswith(self._shown):
            raise ValueError("the chat template renders past turns differently from new turns")
        _, end, new = text[len(self._shown) :].partition(after) if after else ("", "", text)
        if after and not end:
            raise ValueError(f"the chat template does not end a reply with {after!r}")
        pictures = [p for message in request.messages for p in pictures_of(message)]
        fresh = pictures[self._pictures :]
        self._shown, self._pictures = text, len(pictures)
        return self._episode_loop.parts(new, fresh)


def _text(text: str) -> Part:
    return {"type": "text", "text": text}
