"""Commands that die at random moments: nothing is lost, doubled or half written after a resume.

`killing.py` kills each of them a few times. `KILLS=20` kills each 20 times, and `export` in every
format. The seed that the tests print draws the same moments again.
"""

import contextlib
import csv
import json
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from proactive_agent.records.run_folder import RunFolder
from tests.hostile.killing import Victim, finished, kill_often, started
from tests.hostile.randomness import ALL_KILLS, KILLS
from tests.proactive_agent.run_folders import write_run
from tests.proactive_agent.written_records import episode
from tests.providers.hostile_server import HostileServer

LIMIT = ["--limit", str(2 + KILLS // 2)]
"""Samples per scenario: enough that the run has not ended before the last kill."""


# Runs --------------------------------------------------------------------------------------------


def run_victim(results: Path, concurrency: int, *options: str) -> Victim:
    in_flight = ["--concurrency", str(concurrency)]

    def folder() -> Path | None:
        return next((file.parent for file in results.glob("*/run.json")), None)

    def lines() -> int:
        return sum(f.read_bytes().count(b"\n") for f in results.glob("*/episodes.jsonl"))

    return Victim(
        options[1],
        ["run", "--out", str(results), *in_flight, *options],
        lambda: ["run", "--resume", str(folder()), *in_flight],
        lambda: folder() is not None,
        lines,
        longest_step=5,
    )


def whole_so_far(results: Path) -> None:
    """Checks a folder whose process was killed: readers see whole files and no living writer."""
    for file in results.glob("*/run.json"):
        folder = RunFolder(file.parent)
        assert folder.read_manifest().status in ("interrupted", "finished")
        keys = [outline.key for outline in folder.scan()]
        assert len(keys) == len(set(keys)), "an episode was played twice"
        if folder.summary_file.exists():
            json.loads(folder.summary_file.read_bytes())


def check_run(results: Path) -> RunFolder:
    begun = [path for path in results.iterdir() if (path / "run.json").exists()]
    assert len(begun) == 1
    folder = RunFolder(begun[0])
    manifest = folder.read_manifest()
    assert manifest.status == "finished"
    limit = manifest.settings.limit or 0
    samples = sum(min(limit, file.kept) for file in manifest.data.files.values())
    counts = Counter(outline.key for outline in folder.scan())
    assert len(counts) == samples, "episodes are missing"
    assert set(counts.values()) == {1}, "an episode was played twice"
    assert all(outline.error is None for outline in folder.outlines())
    names = {file.name for file in folder.path.iterdir()}
    assert names == {"run.json", "episodes.jsonl", "summary.json"}
    return folder


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer(delay=0.05).running() as running:
        yield running


@pytest.mark.api
def test_a_run_of_an_api_survives_kills(server: HostileServer, tmp_path: Path) -> None:
    pytest.importorskip("openai", reason="needs the extra `api`")
    in_flight = 2
    options = ["--provider", f"openai:m@{server.url}", *LIMIT]
    kill_often(run_victim(tmp_path, in_flight, *options), lambda: whole_so_far(tmp_path))
    folder = check_run(tmp_path)
    turns = sum(len(episode.turns) for episode in folder.episodes())
    # A kill wastes at most the requests in flight and the probe of the next start.
    longest = max(len(episode.turns) for episode in folder.episodes())
    assert len(server.received) <= turns + (KILLS + 1) * (1 + in_flight * longest)


@pytest.mark.local
def test_a_run_of_a_local_model_survives_kills(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs the extra `local`")
    from tests.providers import tiny_models

    model = f"local:{tiny_models.folder('idefics2')}"
    options = ["--provider", model, "--max-tokens", "4", "--batch-size", "1"]
    options += LIMIT
    kill_often(run_victim(tmp_path, 1, *options), lambda: whole_so_far(tmp_path))
    check_run(tmp_path)


# Trainings ---------------------------------------------------------------------------------------


@pytest.mark.local
def test_a_training_survives_kills(tmp_path: Path) -> None:
    pytest.importorskip("trl", reason="needs the extra `train`")
    from proactive_agent.training.checkpoints import last_checkpoint
    from proactive_agent.training.folder import read_journal, read_manifest
    from tests.proactive_agent.training.models import split
    from tests.providers import tiny_models

    out, steps = tmp_path / "out", 8 + 2 * KILLS

    def journal() -> list[tuple[str, int]]:
        return [(line["phase"], line["step"]) for line in read_journal(out)]

    def whole() -> None:
        if (out / "train.json").exists():
            read_manifest(out)
            journal()
            for name in ("README.md", "model.safetensors"):
                assert not (out / name).exists() or (out / name).stat().st_size
            last = last_checkpoint(out)
            assert last is None or (last / "model.safetensors").stat().st_size

    begin = [
        "train", "--model", str(tiny_models.folder("smolvlm")), "--data", str(split()),
        "--out", str(out), "--method", "sft", "--tune", "full", "--batch-size", "4",
        "--device-batch-size", "4", "--rollouts", "2", "--max-steps", str(steps),
        "--save-every", "1", "--eval-limit", "0",
    ]  # fmt: skip
    victim = Victim(
        "train",
        begin,
        lambda: ["train", "--resume", "--out", str(out)],
        (out / "train.json").exists,
        lambda: len(journal()),
        longest_step=2,
    )
    kill_often(victim, whole)
    manifest = read_manifest(out)
    assert (manifest.status, manifest.steps) == ("finished", steps)
    assert journal() == [("sft", step) for step in range(1, steps + 1)]
    assert not [file.name for file in out.iterdir() if file.name.startswith(".")]


# Judges ------------------------------------------------------------------------------------------


def judged_lines(run: Path) -> list[bytes]:
    """The judgements that are on disk; a torn last line counts for nothing."""
    files = list((run / "judgements").glob("*.jsonl"))
    assert len(files) <= 1
    content = files[0].read_bytes() if files else b""
    return content[: content.rfind(b"\n") + 1].splitlines()


@pytest.mark.api
def test_killed_judges_lose_and_repeat_nothing(tmp_path: Path) -> None:
    pytest.importorskip("openai", reason="needs the extra `api`")
    options = ["--provider", "baseline:never-ask", "--scenario", "vsod", "--protocol", "oeg"]
    finished(started(["run", "--out", str(tmp_path), *options]))
    (run,) = tmp_path.iterdir()
    before = (run / "episodes.jsonl").read_bytes()
    replies, in_flight = len(before.splitlines()), 2
    kept: list[bytes] = []

    def nothing_lost() -> None:
        now = judged_lines(run)
        assert now[: len(kept)] == kept
        kept[:] = now

    with HostileServer(delay=0.03).running() as server:
        server.then(*["verdicts"] * 10 * replies)
        command = ["judge", str(run), "--judge", f"openai:m@{server.url}"]
        command += ["--concurrency", str(in_flight)]
        victim = Victim(
            "judge", command, lambda: command, lambda: True, lambda: len(judged_lines(run)),
            longest_step=max(1, replies // (KILLS + 1)), seconds=2,
        )  # fmt: skip
        kill_often(victim, nothing_lost)
    lines = [json.loads(line) for line in kept]
    assert len({(line["sample_id"], line["repeat"]) for line in lines}) == len(lines) == replies
    assert all(line["judgement"]["problem"] is None for line in lines)
    # A kill wastes at most the requests in flight and the probe of the next start.
    assert len(server.received) <= replies + (KILLS + 1) * (1 + in_flight)
    assert (run / "episodes.jsonl").read_bytes() == before
    (file,) = (run / "judgements").iterdir()
    assert file.read_bytes().endswith(b"\n")


# Exports -----------------------------------------------------------------------------------------


def check_csv(file: Path) -> int:
    with file.open(newline="", encoding="utf-8") as stream:
        return len(list(csv.DictReader(stream, strict=True)))


def check_parquet(file: Path) -> int:
    import pyarrow.parquet

    return int(pyarrow.parquet.read_table(file).num_rows)


def check_archive(file: Path) -> int:
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        return sum(name.startswith("samples/") for name in archive.namelist())


def check_lines(file: Path) -> int:
    content = file.read_text(encoding="utf-8")
    assert content.endswith("\n")
    return len([json.loads(line) for line in content.splitlines()])


def check_text(file: Path) -> int:
    return len(file.read_bytes())


CHECKS = {
    ".csv": check_csv, ".parquet": check_parquet, ".eval": check_archive, ".jsonl": check_lines,
    ".json": check_text, ".md": check_text,
}  # fmt: skip
FORMATS = {
    "csv": "tables", "parquet": "tables", "inspect": "inspect.eval", "hf": "hub",
    "otel": "spans.jsonl",
}  # fmt: skip
LIBRARIES = {
    "parquet": "pyarrow",
    "hf": "pyarrow",
    "inspect": "inspect_ai",
    "otel": "opentelemetry",
}


def files_below(folder: Path) -> dict[str, Path]:
    """The files by their names, without temporary ones."""
    return {
        file.relative_to(folder).as_posix(): file
        for file in folder.rglob("*")
        if file.is_file() and not file.name.startswith(".")
    }


def last_written(folder: Path) -> int:
    """The time of the newest file, temporary ones included, in ns; 0 if there is none."""
    newest = 0
    for file in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # It was renamed meanwhile.
            newest = max(newest, file.stat().st_mtime_ns)
    return newest


def sizes(folder: Path) -> dict[str, int]:
    """The number of rows, samples, lines or bytes of each file. Raises if one is damaged."""
    return {name: CHECKS[file.suffix](file) for name, file in files_below(folder).items()}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    kinds = ("ask", "ask", "right")
    return write_run(
        tmp_path_factory.mktemp("runs") / "run",
        (episode(*kinds, sample_id=number) for number in range(400)),
    )


@pytest.mark.parametrize("form", FORMATS if ALL_KILLS else ("csv", "parquet"))
def test_a_killed_export_leaves_whole_files(form: str, run: RunFolder, tmp_path: Path) -> None:
    if form in LIBRARIES:
        pytest.importorskip(LIBRARIES[form], reason="needs an extra")

    def export(out: Path) -> list[str]:
        return ["export", str(run.path), "--format", form, "-o", str(out / FORMATS[form])]

    begun = time.monotonic()
    finished(started(export(tmp_path / "good")))
    seconds = time.monotonic() - begun
    expected = sizes(tmp_path / "good")
    assert expected
    out = tmp_path / "out"

    def whole() -> None:
        for name, size in sizes(out).items() if out.exists() else ():
            assert expected[name] == size

    victim = Victim(
        f"export {form}", export(out), lambda: export(out), lambda: True,
        lambda: last_written(tmp_path), longest_step=1, seconds=seconds, again=True,
    )  # fmt: skip
    kill_often(victim, whole)
    assert sizes(out) == expected
    assert [file.name for file in out.rglob(".*")] == []
