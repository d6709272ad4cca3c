"""Span attributes by OpenTelemetry's GenAI conventions. Unknown values are omitted."""

import json
from typing import Any

from proactive_agent.records.describe import call_result, verdict_of
from proactive_agent.records.episode import CallRecord, EpisodeRecord, TurnRecord
from proactive_agent.records.failures import group
from proactive_agent.records.last_answer import is_informed
from proactive_agent.records.manifest import Manifest
from proactive_agent.runs.generation import sampling_of, temperature_of
from proactive_agent.settings.model_spec import split_spec


def model_of(manifest: Manifest) -> str:
    """The name of the model, without its provider."""
    return split_spec(manifest.settings.provider).model or manifest.settings.provider


def episode_attributes(manifest: Manifest, episode: EpisodeRecord) -> dict[str, Any]:
    """The attributes of an episode's span."""
    failure = group(episode)
    return _known(
        {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.provider.name": _provider(manifest),
            "gen_ai.agent.name": "proactive-agent",
            "gen_ai.conversation.id": f"{episode.scenario}:{episode.sample_id}:{episode.repeat}",
            "gen_ai.request.model": model_of(manifest),
            **_usage(episode),
            "error.type": episode.error.kind if episode.error else None,
            "proactive_agent.scenario": episode.scenario,
            "proactive_agent.sample_id": str(episode.sample_id),
            "proactive_agent.repeat": episode.repeat,
            "proactive_agent.protocol": episode.protocol,
            "proactive_agent.condition": episode.condition,
            "proactive_agent.correct": None if episode.error else episode.outcome.correct,
            "proactive_agent.informed": None if episode.error else is_informed(episode),
            "proactive_agent.failure": failure.name if failure else None,
            "proactive_agent.stop": episode.outcome.stop,
            "proactive_agent.suggestions": episode.outcome.suggestions,
        }
    )


def chat_attributes(manifest: Manifest, episode: EpisodeRecord, turn: TurnRecord) -> dict[str, Any]:
    """The attributes of a turn's span. Its messages are only those of this turn."""
    asked = {"role": "user", "parts": [{"type": "text", "content": turn.prompt}]}
    return _known(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": _provider(manifest),
            "gen_ai.request.model": model_of(manifest),
            "gen_ai.request.max_tokens": sampling_of(manifest.settings).max_tokens,
            "gen_ai.request.temperature": temperature_of(manifest),
            **_usage(turn),
            "gen_ai.response.model": turn.reply.served.model if turn.reply.served else None,
            "gen_ai.response.finish_reasons": [turn.reply.finish_reason or "unknown"],
            "gen_ai.input.messages": json.dumps([asked]),
            "gen_ai.output.messages": json.dumps([_reply(turn)]),
            "proactive_agent.turn": turn.index,
            "proactive_agent.image": turn.image.path,
            "proactive_agent.action": turn.action.kind,
            "proactive_agent.verdict.suggestion": turn.verdict.suggestion,
            "proactive_agent.verdict.category": turn.verdict.category,
            "proactive_agent.verdict": verdict_of(episode, turn),
        }
    )


def tool_attributes(episode: EpisodeRecord, turn: TurnRecord, call: CallRecord) -> dict[str, Any]:
    """The attributes of a tool call's span."""
    return _known(
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": call.name,
            "gen_ai.tool.type": "function",
            "gen_ai.tool.call.id": call.id or None,
            "gen_ai.tool.call.arguments": call.arguments,
            "gen_ai.tool.call.result": call_result(episode, turn),
            "error.type": turn.action.why,
        }
    )


def _provider(manifest: Manifest) -> str:
    return split_spec(manifest.settings.provider).provider


def _usage(of: EpisodeRecord | TurnRecord) -> dict[str, Any]:
    return {
        "gen_ai.usage.input_tokens": of.usage.input_tokens,
        "gen_ai.usage.output_tokens": of.usage.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": of.usage.cached_tokens,
        "gen_ai.usage.reasoning.output_tokens": of.usage.reasoning_tokens,
    }


def _reply(turn: TurnRecord) -> dict[str, Any]:
    parts: list[dict[str, Any]] = []
    if turn.reply.text:
        parts.append({"type": "text", "content": turn.reply.text})
    parts += [
        {"type": "tool_call", "id": call.id, "name": call.name, "arguments": call.arguments}
        for call in turn.reply.tool_calls
    ]
    return {"role": "assistant", "parts": parts, "finish_reason": turn.reply.finish_reason or ""}


def _known(attributes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if value is not None}
