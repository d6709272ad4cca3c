"""Judges the replies of a finished run again, into `RUN/judgements/<judge>.jsonl`.

The file gets a line for each reply as soon as it is judged, so the work can be interrupted and
resumed. The records of the run are not changed.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import NamedTuple

from pydantic import BaseModel, ValidationError

from proactive_agent.disk.inner_folders import make_inner_folder
from proactive_agent.disk.regular_file import open_regular
from proactive_agent.play.budget import Budget
from proactive_agent.play.judges.base import Case, Judge, ask
from proactive_agent.providers import ProviderError, RequestKey, StoppedError
from proactive_agent.providers.api.batch.submissions import check_read
from proactive_agent.providers.api.batch.waves import WaveProgress, Waves
from proactive_agent.records.episode import EpisodeKey, EpisodeRecord, JudgementRecord
from proactive_agent.records.run_folder import LineWriter, RunFolder
from proactive_agent.scenarios import SCENARIOS
from proactive_agent.tools import UserError
from proactive_agent.tools.errors import first_problem


class Judged(BaseModel):
    """One line of the file: a reply of a run with its judgement by another judge."""

    scenario: str
    sample_id: int | str
    repeat: int
    judgement: JudgementRecord

    @property
    def key(self) -> EpisodeKey:
        """The key of the episode."""
        return EpisodeKey(self.scenario, self.sample_id, self.repeat)


class Unjudged(NamedTuple):
    """A reply that could not be judged."""

    key: EpisodeKey
    kind: str
    message: str


class JudgementFile:
    """The judgements of one judge on one run."""

    def __init__(self, folder: RunFolder, judge: str) -> None:
        name = "-".join("".join(c if c.isalnum() or c in "._" else " " for c in judge).split())
        self.file = folder.path / "judgements" / f"{name}.jsonl"
        self.batches = self.file.with_name(f"{name}-batches")
        """The folder with the ids of batches and their replies, if a batch API was used."""
        self.folder = folder
        self._judge = judge

    def read(self) -> dict[EpisodeKey, JudgementRecord]:
        """Returns the judgements in the file. Raises UserError for a malformed line."""
        return {line.key: line.judgement for line in self._lines()}

    def writer(self) -> LineWriter:
        """Opens the file to append `Judged` lines. Raises UserError."""
        make_inner_folder(self.file.parent, within=self.folder.path)
        return LineWriter(self.file, self.file)

    def _lines(self) -> Iterator[Judged]:
        try:
            stream = open_regular(self.file)
        except FileNotFoundError:
            return
        except OSError as error:
            raise UserError(f"{self.file}: {error.strerror}") from None
        with stream:
            for number, line in enumerate(stream, 1):
                if not line.endswith(b"\n"):
                    return
                try:
                    found = Judged.model_validate_json(line)
                except ValidationError as error:
                    problem = first_problem(error)
                    raise UserError(f"{self.file}, line {number}: {problem}") from None
                if found.judgement.judge == self._judge:
                    yield found


def open_ended_replies(folder: RunFolder) -> list[EpisodeRecord]:
    """Returns the episodes with replies that can be judged again. Raises UserError if none has."""
    settings = folder.read_manifest().settings
    if settings.protocol != "oeg":
        raise UserError(
            f"{folder.path} is a run of protocol {settings.protocol}; only runs of oeg have a judge"
        )
    if settings.multi_turn:
        raise UserError(
            f"{folder.path} has several turns, and each depended on a verdict of its judge; to use "
            "another judge, play it again with --judge"
        )
    episodes = (e for e in folder.episodes() if e.error is None)
    replies = [e for e in episodes if e.turns[0].judgement is not None]
    if not replies:
        raise UserError(f"{folder.path} has no judged replies")
    return replies


async def judge_again(
    replies: list[EpisodeRecord],
    judge: Judge,
    file: JudgementFile,
    on_judged: Callable[[], None],
    *,
    concurrency: int | None = None,
    budget: Budget | None = None,
    on_wave: Callable[[WaveProgress], None] = lambda progress: None,
) -> list[Unjudged]:
    """Judges the replies that are not in the file yet; returns those that could not be judged.

    If the judge has a batch API, all replies are judged in one wave, which `on_wave` reports.

    Raises UserError, and StoppedError if the budget is spent or the account is refused. A later
    call continues.
    """
    with file.writer() as writer:
        # Read while no other process can write, so that nothing is judged and paid for twice.
        done = file.read()
        left = [reply for reply in replies if reply.key not in done]
        work = _JudgingWork(left, judge, budget, writer, on_judged)
        if judge.provider and judge.provider.uses_batches:
            waves = Waves(
                file.batches,
                within=file.folder.path,
                workers=len(left),
                several_turns=False,
                allowance=budget,
                report=on_wave,
            )
            async with waves:
                await work.done_by(len(left), waves)
        else:
            check_read(file.batches, file.folder.path)
            await work.done_by(concurrency or _concurrency(judge))
    if work.stopped:
        raise work.stopped
    return work.failed


class _JudgingWork:
    """Judges replies with several workers."""

    def __init__(
        self,
        replies: list[EpisodeRecord],
        judge: Judge,
        budget: Budget | None,
        writer: LineWriter,
        on_judged: Callable[[], None],
    ) -> None:
        self._left = iter(replies)
        self._judge = judge
        self._budget = budget
        self._writer = writer
        self._on_judged = on_judged
        self.failed: list[Unjudged] = []
        self.stopped: StoppedError | None = None
        """Why no further reply is judged, or None."""

    async def done_by(self, workers: int, waves: Waves | None = None) -> None:
        """Judges all replies. Raises the first error of a worker."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(self._work(waves))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def _work(self, waves: Waves | None) -> None:
        async with waves.worker() if waves else nullcontext():
            for episode in self._left:
                if self.stopped:
                    return
                try:
                    judgement = await _judge(episode, self._judge, self._budget)
                except StoppedError as error:
                    self.stopped = self.stopped or error
                    return
                except ProviderError as error:
                    self.failed.append(Unjudged(episode.key, error.kind, str(error)))
                else:
                    self._writer.write(_line(episode, judgement))
                self._on_judged()


async def _judge(episode: EpisodeRecord, judge: Judge, budget: Budget | None) -> JudgementRecord:
    turn = episode.turns[0]
    if turn.judgement is None:
        raise ValueError(f"{episode.key} was not judged")
    case = Case.of_record(episode.scenario, turn.prompt, turn.reply.text, turn.judgement)
    aliases = (SCENARIOS[episode.scenario].stem, SCENARIOS[episode.scenario].title)
    key = RequestKey(episode.scenario, episode.sample_id, 0, aliases, episode.repeat)
    return await ask(judge, case, key, budget)


def _line(episode: EpisodeRecord, judgement: JudgementRecord) -> Judged:
    scenario, sample_id, repeat = episode.key
    return Judged(scenario=scenario, sample_id=sample_id, repeat=repeat, judgement=judgement)


def _concurrency(judge: Judge) -> int:
    return judge.provider.concurrency if judge.provider else 1


def with_judgement(episode: EpisodeRecord, judgement: JudgementRecord) -> EpisodeRecord:
    """Returns the episode with the other judgement. Its outcome is not changed."""
    turn = episode.turns[0].model_copy(update={"judgement": judgement})
    return episode.model_copy(update={"turns": [turn]})
