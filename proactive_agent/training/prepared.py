"""Prepares a training: reads the rows, selects them, and loads the model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proactive_agent.play.protocols import Mcqa, Protocol, ToolUse
from proactive_agent.providers.local.aliases import Source
from proactive_agent.providers.local.chat import Chat
from proactive_agent.scenarios.fresh.source import is_fresh, parse_source, parse_train_source
from proactive_agent.scenarios.wording import Wording
from proactive_agent.tools import UserError
from proactive_agent.training.episodes import EpisodeData, read_episodes
from proactive_agent.training.events import Mixed, Note, OnEvent, ReadProgress, Working
from proactive_agent.training.generated import generate_split
from proactive_agent.training.model import load_model
from proactive_agent.training.prompts import question_of, verbatim_processor, wordings_of
from proactive_agent.training.rows import Split, read_split
from proactive_agent.training.selection import (
    Leak,
    TrainingRows,
    comparison_data,
    count_frames,
    find_leaks,
    hold_out,
    select_rows,
)
from proactive_agent.training.settings import TrainingSettings, advice

if TYPE_CHECKING:
    from proactive_agent.providers.local.loading import Loaded


_NAMED = 3
"""Number of leaks that the message names."""


@dataclass(frozen=True, kw_only=True)
class TrainingMaterial:
    """The data of a training, without the model."""

    data: Split | EpisodeData
    """All rows or samples that were read."""
    chosen: TrainingRows
    leaks: int
    """Number of rows that were left out because they show the picture of a test sample."""
    wordings: Sequence[Wording]


@dataclass(frozen=True, kw_only=True)
class Prepared(TrainingMaterial):
    """A training that is ready to start."""

    settings: TrainingSettings
    out: Path
    protocol: Protocol
    source: Source
    loaded: "Loaded"
    chat: Chat
    processor: Any
    """Processor for prompts that are already rendered."""
    stop: frozenset[int]
    """Tokens that end a reply."""


def read_material(settings: TrainingSettings, on_event: OnEvent) -> TrainingMaterial:
    """Reads, checks and selects the rows. Raises UserError."""
    for remark in advice(settings):
        on_event(Note(remark))
    _check_seeds(settings.data, settings.eval_data)
    data = _read(settings, lambda done: on_event(ReadProgress("rows", done)))
    chosen, leaks = _choose(settings, data, on_event)
    wordings = wordings_of(settings.data)
    if settings.protocol == "tools" and not settings.multi_turn:
        for rows in chosen:
            for row in rows:
                question_of(row, wordings)
    return TrainingMaterial(data=data, chosen=chosen, leaks=leaks, wordings=wordings)


def _check_seeds(data: str, test: str | None) -> None:
    """Raises UserError if generated scenes to train on have the seed of the test data.

    `find_leaks` does not see it: the pictures of rows are JPEG files, those of tests are not.
    """
    if not is_fresh(data) or test is None or not is_fresh(test):
        return
    if (seed := parse_train_source(data).seed) == parse_source(test).seed:
        raise UserError(
            f"{data}: the test data ({test}) have the same seed, {seed}; train on another one, "
            "for example fresh:train"
        )


def _read(settings: TrainingSettings, on_row: Callable[[int], None]) -> Split | EpisodeData:
    if settings.multi_turn:
        return read_episodes(settings.data, on_row)
    if is_fresh(settings.data):
        return generate_split(settings.data, settings.scenarios, on_row)
    return read_split(settings.data, on_row)


def prepare(settings: TrainingSettings, out: Path, on_event: OnEvent) -> Prepared:
    """Reads, checks and selects the rows, then loads the model. Raises UserError."""
    from proactive_agent.providers.local.generation import stop_ids

    material = read_material(settings, on_event)
    on_event(Working("model"))
    source, loaded = load_model(settings)
    return Prepared(
        settings=settings,
        out=out,
        data=material.data,
        chosen=material.chosen,
        leaks=material.leaks,
        wordings=material.wordings,
        protocol=ToolUse() if settings.protocol == "tools" else Mcqa(settings.parser),
        source=source,
        loaded=loaded,
        chat=Chat(loaded.processor, loaded.template, family=loaded.family),
        processor=verbatim_processor(loaded.processor),
        stop=stop_ids(loaded.model, loaded.processor.tokenizer),
    )


def single_questions(prepared: Prepared) -> Split:
    """Returns the train split. Raises TypeError in a multi-turn training."""
    if not isinstance(prepared.data, Split):
        raise TypeError("episodes have no rows")
    return prepared.data


def _choose(
    settings: TrainingSettings, data: Split | EpisodeData, on_event: OnEvent
) -> tuple[TrainingRows, int]:
    rows: Any = select_rows(data.rows, settings.scenarios, settings.limit)
    tests = comparison_data(settings.data, settings.eval_data)
    pictures_of: Any = data.pictures_of

    def on_picture(done: int) -> None:
        on_event(ReadProgress("pictures", done))

    leaks = find_leaks(rows, pictures_of, tests, on_picture)
    if leaks:
        on_event(Note(_about(leaks)))
    leaking = {leak.row for leak in leaks}
    rows = [row for row in rows if row.index not in leaking]
    chosen = hold_out(rows, settings.held_out if settings.eval_every else 0, settings.seed)
    train = count_frames(chosen.train)
    unseen = [name for name in count_frames(data.rows) if name not in train]
    on_event(Mixed(train, count_frames(chosen.held_out), unseen))
    have, need = len(chosen.train), settings.prompts_per_step
    if have < need:
        raise UserError(
            f"one step takes {need} prompts, but there are only {have} rows to train on: "
            "lower --batch-size"
        )
    return chosen, len(leaks)


def _about(leaks: Sequence[Leak]) -> str:
    named = "; ".join(map(str, leaks[:_NAMED]))
    more = "; …" if len(leaks) > _NAMED else ""
    return (
        f"{len(leaks):,} rows were left out because they show pictures of test samples: "
        f"{named}{more}"
    )
