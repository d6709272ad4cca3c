"""Whole episodes for multi-turn training: the samples, and the loop that plays them.

The samples are in the official layout.  The loop is that of a run, with the trainer in the place of
the model.  TRL's environments and this loop alternate on one event loop: the loop sends a request,
waits for the text that the model generates, and then sends the next request or ends with the record
of the episode.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

from proactive_agent.play.episode import Play, play_episode
from proactive_agent.providers import ImagePart, Provider, Request
from proactive_agent.providers.local.chat import Chat, pictures_of
from proactive_agent.providers.local.written import as_written
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.scenarios import DataFolder, ImageError, Sample
from proactive_agent.tools import UserError
from proactive_agent.training.prompts import ReplyFrame


@dataclass(frozen=True, slots=True)
class Opening:
    """A sample, which begins with an ambiguous frame."""

    index: int
    scenario: str
    """Short name."""
    answer: str
    """The right category."""
    sample: Sample
    clear: bool = False

    @property
    def place(self) -> str:
        """Where it stands, for messages."""
        return f"{self.scenario}:{self.sample.id}"


class EpisodeData(NamedTuple):
    """Samples to train on, read once and checked."""

    data: DataFolder
    rows: list[Opening]
    files: dict[str, str]
    """SHA-256 by file name."""

    def pictures_of(self, row: Opening) -> Iterator[Any]:
        """Its first and its reference frame, in RGB.  Raises UserError."""
        state = self.data.environment(row.scenario, row.sample)
        for ref in dict.fromkeys((state.image(), state.reference_image())):
            try:
                yield self.data.images.open(ref).image
            except ImageError as error:
                raise UserError(f"{row.place}: {error}") from None


def read_episodes(source: str, on_row: Callable[[int], None] | None = None) -> EpisodeData:
    """Reads and checks every sample of a folder.  Raises UserError."""
    data = DataFolder(Path(source).expanduser())
    rows: list[Opening] = []
    files = {}
    for scenario in data.scenarios():
        files[data.file(scenario).name] = data.scan(scenario).sha256
        for sample in data.samples(scenario):
            rows.append(Opening(len(rows), scenario, sample.answer, sample))
            if on_row:
                on_row(1)
    return EpisodeData(data, rows, files)


Part = dict[str, Any]


class TrainerProvider(Provider):
    """A provider whose replies come from outside."""

    needs_images: ClassVar[bool] = True

    def __init__(self) -> None:
        self.requests: asyncio.Queue[Request] = asyncio.Queue()
        self.replies: asyncio.Queue[str] = asyncio.Queue()

    async def complete(self, request: Request) -> Any:
        await self.requests.put(request)
        text = await self.replies.get()
        return as_written(text, tools=bool(request.tools), turn=request.key.turn)


class EpisodeLoop:
    """What all episodes of a training have in common."""

    def __init__(
        self, play: Play, openings: Sequence[Opening], chat: Chat, frame: ReplyFrame, limit: int
    ) -> None:
        self.play = play
        self.openings = openings
        self.chat = chat
        self.frame = frame
        self.limit = limit
        """Tokens that an episode may take."""
        self.loop = asyncio.new_event_loop()
        self.mark = str(chat.processor.image_token)
        """What stands for a picture in a rendered text."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Ends what is still being played."""
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        if left:
            self.loop.run_until_complete(asyncio.wait(left))
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()

    def parts(self, text: str, pictures: Sequence[ImagePart]) -> list[Part]:
        """A rendered text cut where its pictures are."""
        pieces = text.split(self.mark)
        if len(pieces) != len(pictures) + 1:
            raise ValueError(f"{len(pieces) - 1} marks for {len(pictures)} pictures: {text}")
        parts = [_text(pieces[0])]
        for picture, piece in zip(pictures, pieces[1:], strict=True):
            parts += [{"type": "image", "image": picture.load()}, _text(piece)]
        return parts


class EpisodeEnvironment:
    """One episode, as TRL's trainer wants environments: what the model writes goes to `reply`."""

    def __init__(self, stage: EpisodeLoop) -> None:
        self._stage = stage
        self._puppet = TrainerProvider()
        self._task: asyncio.Task[EpisodeRecord] | None = None
        self._shown = ""
        self._pictures = 0

    @property
    def record(self) -> EpisodeRecord | None:
        """Of the episode, once it has ended."""
        return self._task.result() if self._task and self._task.done() else None

    def reset(self, *, row: int, **others: Any) -> list[Part]:
        """Begins an episode; gives its first prompt."""
        del others
        self._cancel()
        self._puppet = TrainerProvider()
        opening = self._stage.openings[row]
        play = replace(self._stage.play, provider=self._puppet)
        self._task = self._stage.loop.create_task(
            play_episode(play, opening.scenario, opening.sample)
        )
        self._shown, self._pictures = "", 0
        request = self._next()
        if request is None:
            raise RuntimeError(f"{opening.scenario}:{opening.sample.id} did not begin")
        return self._new_parts(request, "")

    def reply(self, text: str) -> list[Part]:
        """Hands on what the model wrote.

        Args:
            text: All of it.

        Returns:
            What follows it in the conversation.
        """
        self._puppet.replies.put_nowait(text)
        request = self._next()
        if request is None:
            # The trainer leaves a sequence as it is when what would follow is too long for it,
            # and knows no other end.
            return [_text("end " * self._stage.limit)]
        return self._new_parts(request, self._stage.frame.after)

    def _next(self) -> Request | None:
        """The next request; None when the episode has ended."""
        return self._stage.loop.run_until_complete(self._request_or_end())

    async def _request_or_end(self) -> Request | None:
        if self._task is None:
            return None
        asked = asyncio.ensure_future(self._puppet.requests.get())
        await asyncio.wait({asked, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if asked.done():
            return asked.result()
        asked.cancel()
        self._task.result()
        return None

    def _new_parts(self, request: Request, after: str) -> list[Part]:
        """What the request adds to what was shown; the reply before ends with `after`."""
        text = self._stage.chat.text(request)
        if not text.startswith(self._shown):
            raise ValueError("the chat template writes past turns in another way than new ones")
        _, end, new = text[len(self._shown) :].partition(after) if after else ("", "", text)
        if after and not end:
            raise ValueError(f"the chat template does not end a reply with {after!r}")
        pictures = [p for message in request.messages for p in pictures_of(message)]
        fresh = pictures[self._pictures :]
        self._shown, self._pictures = text, len(pictures)
        return self._stage.parts(new, fresh)

    def _cancel(self) -> None:
        """Ends an episode that the trainer has left."""
        if self._task and not self._task.done():
            self._task.cancel()
            self._stage.loop.run_until_complete(asyncio.wait({self._task}))


def _text(text: str) -> Part:
    return {"type": "text", "text": text}
