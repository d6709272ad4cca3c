"""Builds the records of turns and episodes from what happened in play."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from proactive_agent.play.protocols.base import TurnPrompt, TurnReading
from proactive_agent.providers import Reply, SentImage, Usage
from proactive_agent.records.episode import (
    ActionRecord,
    CallRecord,
    EpisodeRecord,
    ErrorRecord,
    ErrorSource,
    ImageRecord,
    OutcomeRecord,
    PerformedRecord,
    ReplyRecord,
    SentImageRecord,
    ServedByRecord,
    ToolRecord,
    TurnRecord,
    UsageRecord,
    VerdictRecord,
)
from proactive_agent.scenarios import Environment, ImageRef, Outcome, SeenPicture, Verdicts
from proactive_agent.tools import Abstain, Answer, Intervention, Invalid, Tool, Vague
from proactive_agent.tools.reading import clean

LONGEST_KIND = 100
LONGEST_MESSAGE = 2000
"""Longest kind and message of an error that are kept, in characters."""


@dataclass(frozen=True, slots=True)
class PlayedTurn:
    """A finished turn: the prompt, the reply, its reading and the outcome."""

    index: int
    shown: ImageRef
    enough: bool | None
    """Whether the frame is informative; None if the question is asked only once."""
    picture: SeenPicture | None
    """The picture; None if a provider that needs no pictures played without it."""
    prompt: TurnPrompt
    reply: Reply
    reading: TurnReading
    outcome: Outcome
    seconds: float
    """Time waited for the reply."""


def turn_record(turn: PlayedTurn) -> TurnRecord:
    """Returns the record of one turn."""
    shown, picture, prompt, reply = turn.shown, turn.picture, turn.prompt, turn.reply
    reading = turn.reading
    verdicts = reading.verdicts or turn.outcome.verdicts
    differs = reading.lenient is not None and reading.lenient != verdicts
    return TurnRecord(
        index=turn.index,
        image=ImageRecord(
            path=shown.path,
            crop=shown.crop,
            size=picture.size if picture else None,
            sha256=picture.sha256 if picture else None,
            sent=_sent_record(reply.sent_image) if reply.sent_image else None,
        ),
        enough=turn.enough,
        prompt=prompt.text,
        options=list(prompt.options),
        tools=[_tool_record(tool) for tool in prompt.tools],
        reply=ReplyRecord(
            text=reply.text,
            tool_calls=[
                CallRecord(name=call.name, arguments=call.arguments, id=call.id)
                for call in reply.tool_calls
            ],
            finish_reason=reply.finish_reason,
            tool_format=reply.tool_format,
            served=ServedByRecord.of(reply.served) if reply.served else None,
            thinking_room=reply.thinking_room,
        ),
        action=_action_record(reading, turn.outcome.performed),
        via=reading.via,
        notes=list(reading.notes),
        verdict=_verdict_record(verdicts),
        lenient_verdict=_verdict_record(reading.lenient) if differs and reading.lenient else None,
        judgement=reading.judgement,
        user=reading.user,
        usage=UsageRecord.of(reply.usage, turn.seconds),
    )


def episode_record(
    environment: Environment[Any],
    *,
    repeat: int,
    protocol: str,
    condition: str,
    fewest: int | None,
    examples: list[int | str],
    turns: list[TurnRecord],
    unrecorded: UsageRecord | None,
    error: ErrorRecord | None,
) -> EpisodeRecord:
    """Returns the record of an episode that ended, or that stopped at `error`.

    `unrecorded` is the usage of replies that are part of no turn.
    """
    last = turns[-1].action if turns else None
    stop = environment.stop or "error"
    return EpisodeRecord(
        scenario=environment.name,
        sample_id=environment.sample.id,
        repeat=repeat,
        protocol=protocol,
        condition=condition,
        outcome=OutcomeRecord(
            correct=environment.correct and error is None,
            stop="error" if error else stop,
            suggestions=sum(turn.verdict.suggestion == "correct" for turn in turns),
            turns=len(turns),
        ),
        answer=last.category if last else None,
        target=environment.sample.answer,
        fewest=fewest,
        unseen=environment.sample.unseen,
        examples=examples,
        error=error,
        usage=_total([*(turn.usage for turn in turns), *([unrecorded] if unrecorded else ())]),
        turns=turns,
    )


def total_usage(turns: UsageRecord, whole: Usage) -> UsageRecord:
    """Returns the usage of an episode whose provider reports it for the episode as a whole.

    The provider's numbers replace those of the turns where it reports them.
    """
    reported = UsageRecord.of(whole, turns.seconds or 0.0)
    known = {n: value for n, value in reported if value is not None and n != "cache_hits"}
    return turns.model_copy(update=known)


def error_record(source: ErrorSource, kind: object, error: Exception) -> ErrorRecord:
    """Returns the record of an error, whose kind and message may come from a server."""
    message = clean(str(error))[:LONGEST_MESSAGE]
    return ErrorRecord(source=source, kind=clean(str(kind))[:LONGEST_KIND], message=message)


def _sent_record(sent: SentImage) -> SentImageRecord:
    return SentImageRecord(
        sha256=sent.sha256, media_type=sent.media_type, size=sent.size, bytes=sent.bytes
    )


def _tool_record(tool: Tool) -> ToolRecord:
    return ToolRecord(
        name=tool.name,
        parameters={p.name: list(p.choices) or None for p in tool.parameters},
    )


def _action_record(reading: TurnReading, performed: Intervention | None) -> ActionRecord:
    match reading.action:
        case Intervention(tool, argument):
            return ActionRecord(
                kind="intervention",
                tool=tool,
                argument=argument,
                question=reading.question,
                mapped=reading.mapped,
                performed=None
                if performed in (None, reading.action)
                else PerformedRecord(tool=performed.tool, argument=performed.argument),
            )
        case Answer(category):
            return ActionRecord(kind="answer", category=category)
        case Abstain(reason):
            return ActionRecord(kind="abstain", detail=reason or None)
        case Vague(wish):
            return ActionRecord(kind="vague", question=wish)
        case Invalid(why, detail):
            return ActionRecord(kind="invalid", why=why, detail=detail or None)


def _verdict_record(verdicts: Verdicts) -> VerdictRecord:
    return VerdictRecord(suggestion=verdicts.suggestion, category=verdicts.category)


def _total(usages: list[UsageRecord]) -> UsageRecord:
    return UsageRecord(
        input_tokens=_sum(usage.input_tokens for usage in usages),
        output_tokens=_sum(usage.output_tokens for usage in usages),
        cached_tokens=_sum(usage.cached_tokens for usage in usages),
        reasoning_tokens=_sum(usage.reasoning_tokens for usage in usages),
        cost_usd=_sum(usage.cost_usd for usage in usages),
        seconds=_sum(usage.seconds for usage in usages),
        cache_hits=sum(usage.cache_hits for usage in usages),
    )


def _sum(values: Iterable[Any]) -> Any:
    """Returns the sum, or None if any value is unknown."""
    known = list(values)
    return None if not known or None in known else sum(known)
