"""What a training works with: rows, model, and how prompts are made of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proactive_agent.play.protocols import Mcqa, Protocol, ToolUse
from proactive_agent.providers.local.aliases import Source
from proactive_agent.providers.local.chat import Chat
from proactive_agent.scenarios.wording import Wording
from proactive_agent.tools import UserError
from proactive_agent.training.episodes import EpisodeData, read_episodes
from proactive_agent.training.events import Mixed, Note, ReadProgress, Tell, Working
from proactive_agent.training.model import load_model
from proactive_agent.training.prompts import question_of, repeating, wordings_of
from proactive_agent.training.rows import Split, read_split
from proactive_agent.training.selection import (
    Leak,
    TrainingRows,
    apart,
    compared_with,
    find_leaks,
    mix_of,
    rows_of,
)
from proactive_agent.training.settings import TrainingSettings, advice

if TYPE_CHECKING:
    from proactive_agent.providers.local.loading import Loaded


_NAMED = 3
"""Leaks."""


@dataclass(frozen=True, kw_only=True)
class TrainingMaterial:
    """What is trained on, without the model."""

    data: Split | EpisodeData
    """All that was read."""
    chosen: TrainingRows
    leaks: int
    """Rows left out because they show the picture of a test sample."""
    wordings: Sequence[Wording]


@dataclass(frozen=True, kw_only=True)
class Prepared(TrainingMaterial):
    """A training that can start."""

    settings: TrainingSettings
    out: Path
    protocol: Protocol
    source: Source
    loaded: "Loaded"
    chat: Chat
    processor: Any
    """Takes prompts that are rendered already."""
    stop: frozenset[int]
    """The tokens that end a reply."""


def read_material(settings: TrainingSettings, tell: Tell) -> TrainingMaterial:
    """Reads and checks all rows, and tells of their mix.  Raises UserError."""
    for remark in advice(settings):
        tell(Note(remark))
    read = read_episodes if settings.multi_turn else read_split
    data = read(settings.data, lambda done: tell(ReadProgress("rows", done)))
    chosen, leaks = _choose(settings, data, tell)
    wordings = wordings_of(settings.data)
    if settings.protocol == "tools" and not settings.multi_turn:
        for rows in chosen:
            for row in rows:
                question_of(row, wordings)
    return TrainingMaterial(data=data, chosen=chosen, leaks=leaks, wordings=wordings)


def prepare(settings: TrainingSettings, out: Path, tell: Tell) -> Prepared:
    """Reads and checks all rows, then loads the model.  Raises UserError."""
    from proactive_agent.providers.local.generation import stop_ids

    material = read_material(settings, tell)
    tell(Working("model"))
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
        chat=Chat(loaded.processor, loaded.template),
        processor=repeating(loaded.processor),
        stop=stop_ids(loaded.model, loaded.processor.tokenizer),
    )


def single_questions(prepared: Prepared) -> Split:
    """The rows that were read, where they are single questions."""
    if not isinstance(prepared.data, Split):
        raise TypeError("episodes have no rows")
    return prepared.data


def _choose(
    settings: TrainingSettings, data: Split | EpisodeData, tell: Tell
) -> tuple[TrainingRows, int]:
    rows: Any = rows_of(data.rows, settings.scenarios, settings.limit)
    tests = compared_with(settings.data, settings.eval_data)
    pictures_of: Any = data.pictures_of
    leaks = find_leaks(rows, pictures_of, tests, lambda done: tell(ReadProgress("pictures", done)))
    if leaks:
        tell(Note(_about(leaks)))
    leaking = {leak.row for leak in leaks}
    rows = [row for row in rows if row.index not in leaking]
    chosen = apart(rows, settings.held_out if settings.eval_every else 0, settings.seed)
    train = mix_of(chosen.train)
    unseen = [name for name in mix_of(data.rows) if name not in train]
    tell(Mixed(train, mix_of(chosen.held_out), unseen))
    have, need = len(chosen.train), settings.prompts_per_step
    if have < need:
        raise UserError(
            f"one step takes {need} prompts, and there are {have} rows to train on: a smaller "
            "batch-size would do"
        )
    return chosen, len(leaks)


def _about(leaks: Sequence[Leak]) -> str:
    named = "; ".join(map(str, leaks[:_NAMED]))
    more = "; …" if len(leaks) > _NAMED else ""
    return f"left out as they show pictures of test samples, {len(leaks):,} rows: {named}{more}"
