"""From what happened in an episode to its record."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from proactive_agent.play.protocols.base import Prompt, TurnReading
from proactive_agent.providers import Reply, SentImage, Usage
from proactive_agent.records.episode import (
    ActionRecord,
    CallRecord,
    EpisodeRecord,
    ErrorRecord,
    ImageRecord,
    OutcomeRecord,
    ReplyRecord,
    SentImageRecord,
    ToolRecord,
    TurnRecord,
    UsageRecord,
    VerdictRecord,
)
from proactive_agent.scenarios import Environment, ImageRef, Outcome, Picture, Verdicts
from proactive_agent.tools import Abstain, Action, Answer, Intervention, Invalid, Tool


@dataclass(frozen=True, slots=True)
class Taken:
    """An action, and the request in words behind it, if there was one."""

    action: Action
    question: str | None = None
    mapped: bool = False


def turn_record(
    index: int,
    shown: ImageRef,
    picture: Picture | None,
    prompt: Prompt,
    reply: Reply,
    reading: TurnReading,
    taken: Taken,
    outcome: Outcome,
    seconds: float,
) -> TurnRecord:
    """The record of one turn."""
    verdicts = reading.verdicts or outcome.verdicts
    differs = reading.lenient is not None and reading.lenient != verdicts
    return TurnRecord(
        index=index,
        image=ImageRecord(
            path=shown.path,
            crop=shown.crop,
            size=picture.image.size if picture else None,
            sha256=picture.sha256 if picture else None,
            sent=_sent_record(reply.sent_image) if reply.sent_image else None,
        ),
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
        ),
        action=_action_record(taken),
        via=reading.via,
        notes=list(reading.notes),
        verdict=_verdict_record(verdicts),
        lenient_verdict=_verdict_record(reading.lenient) if differs and reading.lenient else None,
        usage=usage_record(reply.usage, seconds),
    )


def usage_record(usage: Usage, seconds: float) -> UsageRecord:
    """What a request cost; `seconds` were waited for it, where the provider does not tell."""
    return UsageRecord(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cached_tokens=usage.cached_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        cost_usd=usage.cost_usd,
        seconds=round(seconds if usage.seconds is None else usage.seconds, 6),
        cache_hits=int(usage.cache_hit),
    )


def episode_record(
    environment: Environment[Any],
    scenario: str,
    repeat: int,
    protocol: str,
    condition: str,
    fewest: int | None,
    turns: list[TurnRecord],
    error: ErrorRecord | None,
) -> EpisodeRecord:
    """The record of an episode that has ended, or met an error."""
    last = turns[-1].action if turns else None
    stop = environment.stop or "error"
    return EpisodeRecord(
        scenario=scenario,
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
        error=error,
        usage=_total([turn.usage for turn in turns]),
        turns=turns,
    )


def _sent_record(sent: SentImage) -> SentImageRecord:
    return SentImageRecord(
        sha256=sent.sha256, media_type=sent.media_type, size=sent.size, bytes=sent.bytes
    )


def _tool_record(tool: Tool) -> ToolRecord:
    return ToolRecord(
        name=tool.name,
        parameters={p.name: list(p.choices) or None for p in tool.parameters},
    )


def _action_record(taken: Taken) -> ActionRecord:
    match taken.action:
        case Intervention(tool, argument):
            return ActionRecord(
                kind="intervention",
                tool=tool,
                argument=argument,
                question=taken.question,
                mapped=taken.mapped,
            )
        case Answer(category):
            return ActionRecord(kind="answer", category=category)
        case Abstain(reason):
            return ActionRecord(kind="abstain", detail=reason or None)
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
    """The sum, or None where any part of it is unknown."""
    known = list(values)
    return None if not known or None in known else sum(known)
