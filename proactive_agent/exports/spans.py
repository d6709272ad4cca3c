"""Exports runs as OpenTelemetry spans by the GenAI conventions.

An episode is an agent span, a turn a chat span, a call a tool span. Spans are sent to an OTLP
endpoint or written as lines of OTLP JSON, which collectors read. The records hold durations but no
timestamps. The time of a span is the start of the run plus the seconds of its episode up to then.
"""

import base64
import json
import os
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from proactive_agent.disk.inner_folders import make_inner_folder
from proactive_agent.disk.whole_files import written_aside
from proactive_agent.exports.span_attributes import (
    chat_attributes,
    episode_attributes,
    model_of,
    tool_attributes,
)
from proactive_agent.records.describe import ending_of
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.records.manifest import Manifest
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.tools import MissingExtraError, UserError
from proactive_agent.tools.secrets import check_address, redact_logs, register_secret

HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"
"""Variable with the headers of the endpoint, which can be secret: `name=value,name=value`."""

NANOSECONDS = 10**9

BATCH = 512
"""Spans per batch; a batch can exceed this by the spans of one episode."""

_IDS = ("traceId", "spanId", "parentSpanId")


def write_spans(run: RunFolder, file: Path) -> list[Path]:
    """Writes lines of OTLP JSON, each with a batch of spans. Returns the path of the file.

    Raises MissingExtraError without the OpenTelemetry libraries.
    """
    _check_libraries()
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    # Imported by name because protobuf has no type stubs here.
    as_dict = import_module("google.protobuf.json_format").MessageToDict
    make_inner_folder(file.parent, within=run.path)
    with written_aside(file) as partial, partial.open("w", encoding="utf-8") as stream:

        def write(spans: Sequence[Any]) -> None:
            batch = as_dict(encode_spans(spans), use_integers_for_enums=True)
            stream.write(json.dumps(_with_hex_ids(batch)) + "\n")

        _export(run, write)
    return [file]


def send_spans(run: RunFolder, endpoint: str) -> int:
    """Sends spans to an OTLP endpoint over HTTP, e.g. http://localhost:4318.

    Returns the number of spans. Raises UserError if the endpoint refuses them.
    """
    _check_libraries()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import SpanExportResult

    check_address(endpoint, HEADERS)
    redact_logs()
    for header in os.environ.get(HEADERS, "").split(","):
        register_secret(header.partition("=")[2].strip(), HEADERS)
    url = urlsplit(endpoint)
    if url.scheme not in ("http", "https") or not url.netloc:
        raise UserError(
            f"--otlp {endpoint}: expected an http or https address, e.g. http://localhost:4318"
        )
    if url.path in ("", "/"):
        endpoint = f"{endpoint.rstrip('/')}/v1/traces"
    exporter: Any = OTLPSpanExporter(endpoint=endpoint)

    def send(spans: Sequence[Any]) -> None:
        if exporter.export(spans) is not SpanExportResult.SUCCESS:
            raise UserError(f"--otlp {endpoint}: the endpoint did not accept the spans")

    try:
        return _export(run, send)
    finally:
        exporter.shutdown()


def _check_libraries() -> None:
    try:
        import opentelemetry.exporter.otlp.proto.http
        import opentelemetry.sdk.trace  # noqa: F401
    except ModuleNotFoundError:
        raise MissingExtraError("otel", "export --format otel") from None


def _export(run: RunFolder, consume: Callable[[Sequence[Any]], None]) -> int:
    """Passes all spans on in batches. The SDK's own processor drops spans if its queue is full."""
    number = 0
    for batch in _batches(run):
        consume(batch)
        number += len(batch)
    return number


def _batches(run: RunFolder) -> Iterator[list[Any]]:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

    manifest = run.read_manifest()
    ended: list[Any] = []

    class Keep(SpanProcessor):
        def on_end(self, span: Any) -> None:
            ended.append(span)

    resource = Resource({"service.name": "proactive-agent", "proactive_agent.run": manifest.run_id})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(Keep())
    tracer = provider.get_tracer("proactive_agent")
    for episode in run.episodes():
        _episode_spans(tracer, manifest, episode)
        if len(ended) >= BATCH:
            yield ended.copy()
            ended.clear()
    if ended:
        yield ended


def _episode_spans(tracer: Any, manifest: Manifest, episode: EpisodeRecord) -> None:
    from opentelemetry import trace

    now = int(manifest.started.timestamp() * NANOSECONDS)
    span = tracer.start_span("invoke_agent proactive-agent", start_time=now)
    span.set_attributes(episode_attributes(manifest, episode))
    context = trace.set_span_in_context(span)
    for turn in episode.turns:
        name = f"chat {model_of(manifest)}"
        chat = tracer.start_span(name, context=context, start_time=now, kind=trace.SpanKind.CLIENT)
        chat.set_attributes(chat_attributes(manifest, episode, turn))
        now += int((turn.usage.seconds or 0.0) * NANOSECONDS)
        chat.end(now)
        for call in turn.reply.tool_calls:
            tool = tracer.start_span(f"execute_tool {call.name}", context=context, start_time=now)
            tool.set_attributes(tool_attributes(episode, turn, call))
            tool.end(now)
    if episode.error:
        span.set_status(trace.Status(trace.StatusCode.ERROR, episode.error.message))
    else:
        span.add_event(
            "gen_ai.evaluation.result",
            {
                "gen_ai.evaluation.name": "correct",
                "gen_ai.evaluation.score.value": float(episode.outcome.correct),
                "gen_ai.evaluation.score.label": "right" if episode.outcome.correct else "wrong",
                "gen_ai.evaluation.explanation": ending_of(episode),
            },
            now,
        )
    span.end(now)


def _with_hex_ids(value: Any) -> Any:
    """Converts ids from base64 (protobuf's JSON) to hexadecimal (OTLP's JSON)."""
    if isinstance(value, list):
        return [_with_hex_ids(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: base64.b64decode(one).hex() if key in _IDS else _with_hex_ids(one)
        for key, one in value.items()
    }
