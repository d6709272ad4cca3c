"""`export`: every format can be read with its own library."""

import csv
import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from click.testing import CliRunner

from proactive_agent.cli.app import cli
from proactive_agent.metrics import summarise
from proactive_agent.records.manifest import Settings
from proactive_agent.records.run_folder import EpisodeWriter, RunFolder
from tests.proactive_agent.running import play_new
from tests.proactive_agent.written_records import FAILED, episode


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run with answers, calls and an error: the oracle's episodes and one that failed."""
    results = tmp_path_factory.mktemp("results")
    settings = Settings(provider="baseline:oracle", scenarios=("rod", "coco"), limit=2)
    folder = play_new(settings, results)
    with EpisodeWriter(folder) as writer:
        writer.write(episode("ask", sample_id=99, stop="error", error=FAILED))
        writer.write(episode("wrong", sample_id=98, target="=cmd|' /C calc'!A0"))
    return folder


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


def test_unknown_csv_cells_are_empty(played: RunFolder, tmp_path: Path) -> None:
    exported(played, "csv", tmp_path)
    with (tmp_path / "episodes.csv").open(newline="") as stream:
        failed = next(r for r in csv.DictReader(stream) if r["sample_id"] == "99")
    assert failed["correct"] == failed["cost_usd"] == ""
    assert failed["error_kind"] == "timeout"
    assert failed["failure"] == "error:timeout"


def test_no_cell_of_a_csv_is_a_formula(played: RunFolder, tmp_path: Path) -> None:
    exported(played, "csv", tmp_path)
    with (tmp_path / "episodes.csv").open(newline="") as stream:
        row = next(r for r in csv.DictReader(stream) if r["sample_id"] == "98")
    assert row["target"] == "'=cmd|' /C calc'!A0"


def test_parquet_has_the_same_rows_with_types(played: RunFolder, tmp_path: Path) -> None:
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


def test_the_card_of_a_hub_folder_has_metadata_and_scores(
    played: RunFolder, tmp_path: Path
) -> None:
    pytest.importorskip("pyarrow")
    exported(played, "hf", tmp_path)
    _, head, text = (tmp_path / "README.md").read_text().split("---\n", 2)
    metadata = yaml.safe_load(head)
    for config in metadata["configs"]:
        assert (tmp_path / config["data_files"]).is_file()
    assert metadata["pretty_name"] == "baseline:oracle on ProactiveBench scenarios"
    assert "| coco | 2 | 100.0 (34–100) |" in text


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
            assert sample.scores["psr"].value == record.outcome.turns - 1


def test_an_inspect_log_has_the_scores_of_the_summary(played: RunFolder, tmp_path: Path) -> None:
    log_library = pytest.importorskip("inspect_ai.log")
    exported(played, "inspect", tmp_path / "run.eval")
    log = log_library.read_eval_log(str(tmp_path / "run.eval"))
    acc, psr = log.results.scores
    summary = summarise(played.outlines())
    assert acc.metrics["mean"].value == summary.acc.value
    assert psr.metrics["coco"].value == summary.scenarios["coco"].psr.value
    assert (acc.scored_samples, acc.unscored_samples) == (5, 1)


def test_an_inspect_log_shows_the_result_of_a_call(played: RunFolder, tmp_path: Path) -> None:
    log_library = pytest.importorskip("inspect_ai.log")
    exported(played, "inspect", tmp_path / "run.eval")
    log = log_library.read_eval_log(str(tmp_path / "run.eval"), resolve_attachments=True)
    record = next(r for r in played.episodes() if len(r.turns) > 2)
    name = f"{record.scenario}:{record.sample_id}"
    sample = next(s for s in log.samples if s.id == name)
    *moved, answered = (event for event in sample.events if event.event == "tool")
    for event, turn in zip(moved, record.turns[1:], strict=True):
        text, picture = event.result
        assert picture.image.startswith("data:image/webp;base64,")
        assert text.text == turn.prompt
    assert answered.result == "answer: correct"


def test_an_inspect_log_shows_why_a_sample_ended(tmp_path: Path) -> None:
    log_library = pytest.importorskip("inspect_ai.log")
    settings = Settings(
        provider="baseline:always-ask", protocol="mcqa", scenarios=("rod",), limit=1, repeats=2
    )
    folder = play_new(settings, tmp_path)
    exported(folder, "inspect", tmp_path / "run.eval")
    log = log_library.read_eval_log(str(tmp_path / "run.eval"))
    assert [sample.epoch for sample in log.samples] == [1, 2]
    assert log.eval.config.epochs == 2
    sample = log.samples[0]
    (record, _) = folder.episodes()
    assert sample.limit.limit == record.outcome.turns
    assert sample.choices == record.turns[0].options
    kinds = [event.event for event in sample.events]
    assert kinds[-3:] == ["sample_limit", "score", "score"]


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
    paths: list[str]
    status = 200

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        self.received.append(self.rfile.read(length))
        self.paths.append(self.path)
        self.send_response(self.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        return


class Sent(NamedTuple):
    """The output of `export --otlp`."""

    done: subprocess.CompletedProcess[str]
    bodies: list[bytes]
    paths: list[str]


def sent(played: RunFolder, status: int) -> Sent:
    """Exports to a local collector that answers with this status."""
    fields: dict[str, Any] = {"received": [], "paths": [], "status": status}
    server = HTTPServer(("127.0.0.1", 0), type("Handler", (_Collector,), fields))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    arguments = ["export", str(played.path), "--format", "otel", "--otlp", url]
    # In a separate process, because the exporter leaves a thread behind.
    done = subprocess.run(
        [sys.executable, "-m", "proactive_agent", *arguments],
        capture_output=True, check=False, text=True,
    )  # fmt: skip
    server.shutdown()
    server.server_close()
    return Sent(done, fields["received"], fields["paths"])


def test_spans_reach_an_otlp_endpoint(played: RunFolder) -> None:
    trace_service = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
    done, bodies, paths = sent(played, 200)
    assert done.returncode == 0, done.stderr
    assert set(paths) == {"/v1/traces"}
    names = []
    for body in bodies:
        request = trace_service.ExportTraceServiceRequest()
        request.ParseFromString(body)
        for resource in request.resource_spans:
            names += [span.name for scope in resource.scope_spans for span in scope.spans]
    records = list(played.episodes())
    turns = [turn for record in records for turn in record.turns]
    calls = sum(len(turn.reply.tool_calls) for turn in turns)
    assert names.count("invoke_agent proactive-agent") == len(records)
    assert names.count("chat oracle") == len(turns)
    assert sum(name.startswith("execute_tool ") for name in names) == calls
    assert f"sent {len(names)} spans" in done.stderr


def test_an_endpoint_that_refuses_spans_is_reported(played: RunFolder) -> None:
    pytest.importorskip("opentelemetry.sdk")
    done = sent(played, 400).done
    assert done.returncode == 2
    assert "the endpoint did not accept the spans" in done.stderr


def lines_of_spans(file: Path) -> list[dict[str, Any]]:
    """The spans of a file of OTLP JSON."""
    return [
        span
        for line in file.read_text().splitlines()
        for resource in json.loads(line)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]


def values(span: dict[str, Any]) -> dict[str, Any]:
    """The attributes of a span of OTLP JSON, of any type."""
    return {a["key"]: next(iter(a["value"].values())) for a in span["attributes"]}


def test_span_lines_hold_the_tokens(played: RunFolder, tmp_path: Path) -> None:
    pytest.importorskip("opentelemetry.sdk")
    exported(played, "otel", tmp_path / "spans.jsonl")
    spans = lines_of_spans(tmp_path / "spans.jsonl")
    chats = [values(span) for span in spans if span["name"].startswith("chat ")]
    counts = [t.usage.input_tokens for r in played.episodes() for t in r.turns]
    told = [int(chat["gen_ai.usage.input_tokens"]) for chat in chats]
    assert sorted(told) == sorted(map(int, counts))  # type: ignore[arg-type]


def test_span_lines_are_valid_otlp_json(played: RunFolder, tmp_path: Path) -> None:
    pytest.importorskip("opentelemetry.sdk")
    exported(played, "otel", tmp_path / "spans.jsonl")
    spans = lines_of_spans(tmp_path / "spans.jsonl")
    ids = {span["spanId"] for span in spans}
    assert all(len(bytes.fromhex(span["traceId"])) == 16 for span in spans)
    assert all(len(bytes.fromhex(identity)) == 8 for identity in ids)
    assert {span["parentSpanId"] for span in spans if "parentSpanId" in span} < ids


def test_spans_use_the_names_of_the_conventions(played: RunFolder, tmp_path: Path) -> None:
    conventions = pytest.importorskip(
        "opentelemetry.semconv._incubating.attributes.gen_ai_attributes"
    )
    exported(played, "otel", tmp_path / "spans.jsonl")
    names = {name for span in lines_of_spans(tmp_path / "spans.jsonl") for name in values(span)}
    known = set(map(str, vars(conventions).values()))
    ours = {name for name in names if name.startswith("proactive_agent.")}
    assert names - ours - {"error.type"} <= known


def test_an_endpoint_needs_the_span_format(played: RunFolder, tmp_path: Path) -> None:
    arguments = ["export", str(played.path), "--format", "csv", "--otlp", "http://localhost:1"]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 2
    assert "--otlp needs --format otel" in done.output


def test_an_unwritable_path_is_named(played: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    arguments = ["export", str(played.path), "--format", "csv", "-o", str(tmp_path / "taken")]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 2
    assert "taken cannot be written: File exists" in done.output.replace("\n", "")
