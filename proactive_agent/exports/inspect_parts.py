"""Converts the parts of a turn to Inspect's types: reply, calls, tools, usage."""

import json
from typing import Any

from proactive_agent.records.describe import step_of, verdict_of
from proactive_agent.records.episode import CallRecord, EpisodeRecord, TurnRecord, UsageRecord


def as_output(turn: TurnRecord, model: str, message_id: str) -> Any:
    """Converts the reply to the output of an Inspect model."""
    from inspect_ai.model import ChatCompletionChoice, ChatMessageAssistant, ModelOutput
    from inspect_ai.tool import ToolCall

    calls = []
    for call in turn.reply.tool_calls:
        fields, problem = as_arguments(call)
        calls.append(
            ToolCall(
                id=call.id or f"call-{turn.index}",
                function=call.name,
                arguments=fields,
                parse_error=problem,
            )
        )
    message = ChatMessageAssistant(
        id=message_id,
        content=turn.reply.text,
        tool_calls=calls or None,
        model=model,
        source="generate",
    )
    reasons = {"tool_calls": "tool_calls", "length": "max_tokens"}
    stop: Any = reasons.get(turn.reply.finish_reason or "", "stop")
    served = turn.reply.served.model if turn.reply.served else None
    return ModelOutput(
        model=served or model,
        choices=[ChatCompletionChoice(message=message, stop_reason=stop)],
        usage=as_usage(turn.usage),
        time=turn.usage.seconds,
    )


def as_arguments(call: CallRecord) -> tuple[dict[str, Any], str | None]:
    """Parses the arguments of a call.

    Arguments that are not a JSON object are returned under `unparsed`, with the reason.
    """
    try:
        value = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError) as error:
        return {"unparsed": call.arguments}, f"not JSON: {error}"
    if isinstance(value, dict):
        return value, None
    return {"unparsed": call.arguments}, "not a JSON object"


def as_tools(turn: TurnRecord) -> list[Any]:
    """Converts the tools of a turn.

    The records hold no descriptions, so each tool is described by its name.
    """
    from inspect_ai.tool import ToolInfo, ToolParam, ToolParams

    return [
        ToolInfo(
            name=tool.name,
            description=tool.name,
            parameters=ToolParams(
                properties={
                    name: ToolParam(type="string", enum=values)
                    for name, values in tool.parameters.items()
                },
                required=list(tool.parameters),
            ),
        )
        for tool in turn.tools
    ]


def as_description(episode: EpisodeRecord, turn: TurnRecord) -> dict[str, Any]:
    """Describes the action and the verdict in words."""
    return {"action": step_of(turn), "verdict": verdict_of(episode, turn)}


def as_metadata(turn: TurnRecord) -> dict[str, Any]:
    """Returns the action and the verdict as data."""
    action = turn.action.model_dump(exclude_none=True)
    return {"action": action, "verdict": turn.verdict.model_dump(), "via": turn.via}


def as_usage(usage: UsageRecord) -> Any:
    """Converts tokens and cost.

    Returns None if neither count is known, because Inspect would show zero tokens.
    """
    from inspect_ai.model import ModelUsage

    if usage.input_tokens is None and usage.output_tokens is None:
        return None
    given, written = usage.input_tokens or 0, usage.output_tokens or 0
    return ModelUsage(
        input_tokens=given,
        output_tokens=written,
        total_tokens=given + written,
        input_tokens_cache_read=usage.cached_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        total_cost=usage.cost_usd,
    )
