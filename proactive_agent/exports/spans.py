"""OpenTelemetry spans by the GenAI conventions: an episode is an agent's work, a turn a chat.

They go to an OTLP endpoint, or as JSON lines into a file.  The records hold durations, not moments:
a span's time is the start of the run and the seconds spent in its episode so far.
"""

from pathlib import Path
from typing import Any

from proactive_agent.manifest import Manifest
from proactive_agent.records import EpisodeRecord, TurnRecord
from proactive_agent.run_folder import RunFolder
from tools import MissingExtraError

NANOSECONDS = 10**9


def write_spans(run: RunFolder, file: Path) -> list[Path]:
    """One span a line."""
    _needed()
    from opentelemetry.sdk.trace.export import ConsoleSpanExporter

    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8") as stream:
        exporter = ConsoleSpanExporter(
            out=stream, formatter=lambda span: span.to_json(indent=None) + "\n"
        )
        _export(run, exporter)
    return [file]


def send_spans(run: RunFolder, endpoint: str) -> None:
    """To an OTLP endpoint over HTTP, e.g. http://localhost:4318/v1/traces."""
    _needed()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    _export(run, OTLPSpanExporter(endpoint=endpoint))


def _needed() -> None:
    try:
        import opentelemetry.exporter.otlp.proto.http
        import opentelemetry.sdk.trace  # noqa: F401
    except ModuleNotFoundError:
        raise MissingExtraError("otel", "export --format otel") from None


def _export(run: RunFolder, exporter: Any) -> None:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    manifest = run.read_manifest()
    resource = Resource({"service.name": "proactive-agent", "run.id": manifest.run_id})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("proactive_agent")
    try:
        for episode in run.episodes():
            _episode_span(tracer, manifest, episode)
    finally:
        provider.shutdown()


def _episode_span(tracer: Any, manifest: Manifest, episode: EpisodeRecord) -> None:
    from opentelemetry import trace

    now = int(manifest.started.timestamp() * NANOSECONDS)
    span = tracer.start_span(f"invoke_agent {episode.scenario}", start_time=now)
    span.set_attributes(_episode_attributes(manifest, episode))
    if episode.error:
        span.set_status(trace.Status(trace.StatusCode.ERROR, episode.error.message))
        span.set_attribute("error.type", episode.error.kind)
    context = trace.set_span_in_context(span)
    for turn in episode.turns:
        name = f"chat {manifest.settings.provider}"
        chat = tracer.start_span(name, context=context, start_time=now, kind=trace.SpanKind.CLIENT)
        chat.set_attributes(_turn_attributes(manifest, turn))
        now += int((turn.usage.seconds or 0.0) * NANOSECONDS)
        chat.end(now)
        for call in turn.reply.tool_calls:
            tool = tracer.start_span(f"execute_tool {call.name}", context=context, start_time=now)
            tool.set_attributes(
                {
                    "gen_ai.operation.name": "execute_tool",
                    "gen_ai.tool.name": call.name,
                    "gen_ai.tool.call.id": call.id,
                    "gen_ai.tool.call.arguments": call.arguments,
                    "proactive_agent.verdict": turn.verdict.suggestion,
                }
            )
            tool.end(now)
    span.end(now)


def _episode_attributes(manifest: Manifest, episode: EpisodeRecord) -> dict[str, Any]:
    return {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "proactive-agent",
        "gen_ai.request.model": manifest.settings.provider,
        "proactive_agent.scenario": episode.scenario,
        "proactive_agent.sample_id": str(episode.sample_id),
        "proactive_agent.repeat": episode.repeat,
        "proactive_agent.correct": episode.outcome.correct,
        "proactive_agent.stop": episode.outcome.stop,
        "proactive_agent.suggestions": episode.outcome.suggestions,
    }


def _turn_attributes(manifest: Manifest, turn: TurnRecord) -> dict[str, Any]:
    how = manifest.settings.provider_settings
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": manifest.settings.provider.partition(":")[0],
        "gen_ai.request.model": manifest.settings.provider,
        "gen_ai.request.max_tokens": how.max_tokens,
        "gen_ai.request.temperature": how.temperature,
        "gen_ai.usage.input_tokens": turn.usage.input_tokens,
        "gen_ai.usage.output_tokens": turn.usage.output_tokens,
        "gen_ai.response.finish_reasons": [turn.reply.finish_reason or "unknown"],
        "proactive_agent.action": turn.action.kind,
        "proactive_agent.turn": turn.index,
    }
    return {name: value for name, value in attributes.items() if value is not None}
