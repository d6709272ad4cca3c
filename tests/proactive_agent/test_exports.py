"""`export`: every format is opened again with the library that it is for."""

import asyncio
import csv
import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from proactive_agent.cli.app import cli
from proactive_agent.manifest import Settings
from proactive_agent.run_folder import EpisodeWriter, RunFolder
from proactive_agent.runner import prepare_run, run
from tests.proactive_agent.records import FAILED, episode


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """The oracle and one failed episode, so that answers, calls and errors are all there."""
    results = tmp_path_factory.mktemp("results")
    settings = Settings(provider="baseline:oracle", scenarios=("rod", "coco"), limit=2)
    prepared = prepare_run(settings, results)
    asyncio.run(run(prepared))
    with EpisodeWriter(prepared.folder) as writer:
        writer.write(episode("ask", sample_id=99, stop="error", error=FAILED))
        writer.write(episode("wrong", sample_id=98, target="=cmd|' /C calc'!A0"))
    return prepared.folder


def exported(played: RunFolder, form: str, output: Path, *more: str) -> None:
    arguments = ["export", str(played.path), "--format", form, "-o", str(output), *more]
    done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output


def test_csv_has_a_row_per_episode_and_per_turn(played: RunFolder, tmp_path: Path) -> None:
    exported(played, "csv", tmp_path)
    with (tmp_path / "episodes.csv").open(newline="") as stream:
        episodes = {(r["scenario"], r["sample_id"]): r for r in csv.DictReader(stream)}
    with (tmp_path / "turns.csv").open(newline="") as stream:
        turns = list(csv.DictReader(stream))
    records = list(played.episodes())
    assert len(episodes) == len(records)
    assert len(turns) == sum(len(record.turns) for record in records)
    solved = records[0]
    row = episodes[solved.scenario, str(solved.sample_id)]
    assert (row["correct"], int(row["suggestions"]), row["answer"]) == (
        "True", solved.outcome.suggestions, solved.answer,
    )  # fmt: skip
    assert json.loads(turns[0]["arguments"]) == json.loads(
        solved.turns[0].reply.tool_calls[0].arguments
    )


def test_csv_leaves_empty_what_is_not_known(played: RunFolder, tmp_path: Path) -> None:
    exported(played, "csv", tmp_path)
    with (tmp_path / "episodes.csv").open(newline="") as stream:
        failed = next(r for r in csv.DictReader(stream) if r["sample_id"] == "99")
    assert failed["correct"] == failed["cost_usd"] == ""
    assert failed["error_kind"] == "timeout"


def test_no_cell_of_a_csv_is_a_formula(played: RunFolder, tmp_path: Path) -> None:
    exported(played, "csv", tmp_path)
    with (tmp_path / "episodes.csv").open(newline="") as stream:
        row = next(r for r in csv.DictReader(stream) if r["sample_id"] == "98")
    assert row["target"] == "'=cmd|' /C calc'!A0"


def test_parquet_says_the_same_with_types(played: RunFolder, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    exported(played, "parquet", tmp_path)
    episodes = parquet.read_table(tmp_path / "episodes.parquet").to_pylist()
    records = list(played.episodes())
    assert [row["suggestions"] for row in episodes] == [r.outcome.suggestions for r in records]
    assert [row["correct"] for row in episodes] == [
        None if r.error else r.outcome.correct for r in records
    ]
    turns = parquet.read_table(tmp_path / "turns.parquet").to_pylist()
    assert [row["prompt"] for row in turns] == [t.prompt for r in records for t in r.turns]


def test_a_hub_folder_is_loaded_by_datasets(
    played: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    datasets = pytest.importorskip("datasets")
    exported(played, "hf", tmp_path / "hub")
    loaded = datasets.load_dataset(str(tmp_path / "hub"), "turns", cache_dir=str(tmp_path / "c"))
    assert loaded["train"].num_rows == sum(len(record.turns) for record in played.episodes())
    manifest = json.loads((tmp_path / "hub" / "run.json").read_text())
    assert manifest["run_id"] == played.read_manifest().run_id


def test_an_inspect_log_round_trips(played: RunFolder, tmp_path: Path) -> None:
    log_library = pytest.importorskip("inspect_ai.log")
    exported(played, "inspect", tmp_path / "run.eval")
    log = log_library.read_eval_log(str(tmp_path / "run.eval"), resolve_attachments=True)
    assert log.status == "success"
    samples = {sample.id: sample for sample in log.samples}
    for record in played.episodes():
        sample = samples[f"{record.scenario}:{record.sample_id}"]
        kinds = [event.event for event in sample.events]
        assert kinds.count("model") == len(record.turns)
        assert kinds.count("tool") == sum(len(t.reply.tool_calls) for t in record.turns)
        if record.error:
            assert "timeout" in sample.error.message
            assert not sample.scores
        else:
            assert sample.scores["outcome"].value == ("C" if record.outcome.correct else "I")
            assert sample.scores["outcome"].answer == record.answer


def test_an_inspect_log_shows_the_pictures_and_keeps_each_once(
    played: RunFolder, tmp_path: Path
) -> None:
    log_library = pytest.importorskip("inspect_ai.log")
    exported(played, "inspect", tmp_path / "run.eval")
    record = next(r for r in played.episodes() if len(r.turns) > 2)
    name = f"{record.scenario}:{record.sample_id}"
    log = log_library.read_eval_log(str(tmp_path / "run.eval"))
    sample = next(s for s in log.samples if s.id == name)
    pictures = {u for u in sample.attachments.values() if u.startswith("data:image/")}
    shown = {(t.image.sha256, t.image.crop) for t in record.turns}
    assert len(pictures) == len(shown)
    conversation = [message.role for message in sample.messages]
    assert conversation == ["user", "assistant"] + ["tool", "assistant"] * (len(record.turns) - 1)


class _Collector(BaseHTTPRequestHandler):
    received: list[bytes]

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        self.received.append(self.rfile.read(length))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        return


def test_spans_reach_an_otlp_endpoint(played: RunFolder) -> None:
    trace_service = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
    received: list[bytes] = []
    handler = type("Handler", (_Collector,), {"received": received})
    server = HTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/v1/traces"
    arguments = ["export", str(played.path), "--format", "otel", "--otlp", url]
    # In a process of its own, as the exporter leaves a thread behind.
    done = subprocess.run(
        [sys.executable, "-m", "proactive_agent", *arguments], capture_output=True, check=False
    )
    server.shutdown()
    server.server_close()
    assert done.returncode == 0, done.stderr
    names = []
    for body in received:
        request = trace_service.ExportTraceServiceRequest()
        request.ParseFromString(body)
        for resource in request.resource_spans:
            names += [span.name for scope in resource.scope_spans for span in scope.spans]
    records = list(played.episodes())
    turns = sum(len(record.turns) for record in records)
    assert sum(name.startswith("invoke_agent") for name in names) == len(records)
    assert sum(name == "chat baseline:oracle" for name in names) == turns


def test_span_lines_hold_the_tokens(played: RunFolder, tmp_path: Path) -> None:
    pytest.importorskip("opentelemetry.sdk")
    exported(played, "otel", tmp_path / "spans.jsonl")
    spans = [json.loads(line) for line in (tmp_path / "spans.jsonl").read_text().splitlines()]
    chats = [s["attributes"] for s in spans if s["name"].startswith("chat ")]
    counts = [t.usage.input_tokens for r in played.episodes() for t in r.turns]
    assert sorted(c["gen_ai.usage.input_tokens"] for c in chats) == sorted(map(int, counts))  # type: ignore[arg-type]


def test_an_endpoint_goes_with_spans_only(played: RunFolder, tmp_path: Path) -> None:
    arguments = ["export", str(played.path), "--format", "csv", "--otlp", "http://localhost:1"]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 2
    assert "--otlp goes with --format otel" in done.output
