"""The tidy tables: a row per episode and a row per turn, with equal columns in every format."""

import json
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

from proactive_agent.records.episode import CUT_OFF, EpisodeRecord, TurnRecord, UsageRecord
from proactive_agent.records.failures import group
from proactive_agent.records.last_answer import is_informed, luck_of
from proactive_agent.records.manifest import Manifest
from proactive_agent.reports.runs import data_label

Kind = Literal["string", "int64", "double", "bool"]


class TurnOf(NamedTuple):
    """A turn and its episode."""

    episode: EpisodeRecord
    turn: TurnRecord


class ExportColumn(NamedTuple):
    """A column. Unknown values are None."""

    name: str
    kind: Kind
    value: Callable[[Any], Any]


class ExportTable(NamedTuple):
    """A table and the way its rows are made."""

    name: str
    columns: tuple[ExportColumn, ...]
    items: Callable[[EpisodeRecord], Iterator[Any]]
    """Returns the items of an episode; each becomes a row."""


def rows(
    table: ExportTable, manifest: Manifest, episode: EpisodeRecord
) -> Iterator[dict[str, Any]]:
    """Yields the rows of an episode. The columns of the run come first."""
    run = {column.name: column.value(manifest) for column in RUN}
    for item in table.items(episode):
        yield run | {column.name: column.value(item) for column in table.columns}


def _usage(get: Callable[[Any], UsageRecord]) -> tuple[ExportColumn, ...]:
    kinds: dict[str, Kind] = {
        "input_tokens": "int64",
        "output_tokens": "int64",
        "cached_tokens": "int64",
        "reasoning_tokens": "int64",
        "cost_usd": "double",
        "seconds": "double",
        "cache_hits": "int64",
    }

    def column(name: str, kind: Kind) -> ExportColumn:
        return ExportColumn(name, kind, lambda item: getattr(get(item), name))

    return tuple(column(name, kind) for name, kind in kinds.items())


RUN = (
    ExportColumn("run_id", "string", lambda m: m.run_id),
    ExportColumn("provider", "string", lambda m: m.settings.provider),
    ExportColumn("protocol", "string", lambda m: m.settings.protocol),
    ExportColumn("condition", "string", lambda m: m.settings.condition),
    ExportColumn("toolset", "string", lambda m: m.settings.toolset),
    ExportColumn("data", "string", data_label),
)


def _failure(episode: EpisodeRecord) -> str | None:
    """The failure group as in `why`; None if the episode is right."""
    failure = group(episode)
    return failure.name if failure else None


def _edges(crop: tuple[float, ...] | None) -> str | None:
    """Formats a crop as `left,upper,right,lower` in pixels."""
    return None if crop is None else ",".join(f"{edge:g}" for edge in crop)


def _judged(turn: TurnRecord, kind: str) -> bool | None:
    """Whether the judge found an answer of this kind; None without a judgement."""
    judgement = turn.judgement
    if judgement is None or judgement.problem is not None:
        return None
    return any(answer.met for answer in judgement.answers if answer.kind == kind)


def _of_call(item: TurnOf, field: str) -> str | None:
    """A field of the first tool call; None without calls."""
    calls = item.turn.reply.tool_calls
    return getattr(calls[0], field) if calls else None


def _performed(item: TurnOf, field: str) -> str | None:
    """A field of the intervention that was performed in place of the one asked for."""
    performed = item.turn.action.performed
    return getattr(performed, field) if performed else None


def _is_cut_off(turn: TurnRecord) -> bool:
    """Whether the token limit ended the reply."""
    return turn.reply.finish_reason == CUT_OFF


def _served(item: TurnOf, field: str) -> str | None:
    """What answered this turn; None if the provider does not report it."""
    served = item.turn.reply.served
    return getattr(served, field) if served else None


EPISODES = ExportTable(
    "episodes",
    (
        ExportColumn("scenario", "string", lambda e: e.scenario),
        ExportColumn("sample_id", "string", lambda e: str(e.sample_id)),
        ExportColumn("repeat", "int64", lambda e: e.repeat),
        ExportColumn("correct", "bool", lambda e: None if e.error else e.outcome.correct),
        ExportColumn("informed", "bool", lambda e: None if e.error else is_informed(e)),
        ExportColumn("stop", "string", lambda e: e.outcome.stop),
        ExportColumn("failure", "string", _failure),
        ExportColumn("suggestions", "int64", lambda e: e.outcome.suggestions),
        ExportColumn("fewest", "int64", lambda e: e.fewest),
        ExportColumn("unseen", "bool", lambda e: e.unseen),
        ExportColumn(
            "examples", "string", lambda e: json.dumps(e.examples) if e.examples else None
        ),
        ExportColumn("turns", "int64", lambda e: e.outcome.turns),
        ExportColumn("cut_off", "int64", lambda e: sum(map(_is_cut_off, e.turns))),
        ExportColumn("answer", "string", lambda e: e.answer),
        ExportColumn("target", "string", lambda e: e.target),
        ExportColumn("error_source", "string", lambda e: e.error and e.error.source),
        ExportColumn("error_kind", "string", lambda e: e.error and e.error.kind),
        ExportColumn("error_message", "string", lambda e: e.error and e.error.message),
        *_usage(lambda e: e.usage),
    ),
    lambda episode: iter([episode]),
)

TURNS = ExportTable(
    "turns",
    (
        ExportColumn("scenario", "string", lambda t: t.episode.scenario),
        ExportColumn("sample_id", "string", lambda t: str(t.episode.sample_id)),
        ExportColumn("repeat", "int64", lambda t: t.episode.repeat),
        ExportColumn("turn", "int64", lambda t: t.turn.index),
        ExportColumn("image", "string", lambda t: t.turn.image.path),
        ExportColumn("enough", "bool", lambda t: t.turn.enough),
        ExportColumn("image_crop", "string", lambda t: _edges(t.turn.image.crop)),
        ExportColumn("image_sha256", "string", lambda t: t.turn.image.sha256),
        ExportColumn("prompt", "string", lambda t: t.turn.prompt),
        ExportColumn("reply", "string", lambda t: t.turn.reply.text),
        ExportColumn("called", "string", lambda t: _of_call(t, "name")),
        ExportColumn("arguments", "string", lambda t: _of_call(t, "arguments")),
        ExportColumn("calls", "int64", lambda t: len(t.turn.reply.tool_calls)),
        ExportColumn("finish_reason", "string", lambda t: t.turn.reply.finish_reason),
        ExportColumn("cut_off", "bool", lambda t: _is_cut_off(t.turn)),
        ExportColumn("served_model", "string", lambda t: _served(t, "model")),
        ExportColumn("served_fingerprint", "string", lambda t: _served(t, "fingerprint")),
        ExportColumn("served_gateway", "string", lambda t: _served(t, "gateway")),
        ExportColumn("via", "string", lambda t: t.turn.via),
        ExportColumn("action", "string", lambda t: t.turn.action.kind),
        ExportColumn("tool", "string", lambda t: t.turn.action.tool),
        ExportColumn("argument", "string", lambda t: t.turn.action.argument),
        ExportColumn("category", "string", lambda t: t.turn.action.category),
        ExportColumn("invalid_why", "string", lambda t: t.turn.action.why),
        ExportColumn("detail", "string", lambda t: t.turn.action.detail),
        ExportColumn("question", "string", lambda t: t.turn.action.question),
        ExportColumn("mapped", "bool", lambda t: t.turn.action.mapped),
        ExportColumn("performed_tool", "string", lambda t: _performed(t, "tool")),
        ExportColumn("performed_argument", "string", lambda t: _performed(t, "argument")),
        ExportColumn("suggestion_verdict", "string", lambda t: t.turn.verdict.suggestion),
        ExportColumn("category_verdict", "string", lambda t: t.turn.verdict.category),
        ExportColumn("lucky", "bool", lambda t: luck_of(t.episode, t.turn) is not None),
        ExportColumn("judged_suggestion", "bool", lambda t: _judged(t.turn, "proactive")),
        ExportColumn("judged_category", "bool", lambda t: _judged(t.turn, "category")),
        *_usage(lambda t: t.turn.usage),
    ),
    lambda episode: (TurnOf(episode, turn) for turn in episode.turns),
)

TABLES = (EPISODES, TURNS)
