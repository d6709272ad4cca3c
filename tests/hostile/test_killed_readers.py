"""`judge` and `export` die at random moments: nothing is lost, judged twice or half written.

`KILLS=20 python -m pytest tests/hostile/test_killed_readers.py` kills `judge`, and `export` in each
format, 20 times.  Otherwise `judge` dies twice, and `export` as CSV once.  The moments are drawn
anew; a failure prints them.
"""

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from proactive_agent.cli.app import cli
from proactive_agent.records.run_folder import RunFolder
from tests.proactive_agent.run_folders import write_run
from tests.proactive_agent.written_records import episode
from tests.providers.hostile_server import HostileServer

REPOSITORY = Path(__file__).parents[2]
KILLS = int(os.environ.get("KILLS", "0"))
PATIENCE = 300
"""Seconds after which a process counts as stalled."""
EPISODES = 400


def started(*arguments: str | Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "proactive_agent", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def killed(process: subprocess.Popen[str], ready: Callable[[], bool], delay: float) -> int:
    """Kills a process some seconds after it is ready, and returns its exit code."""
    deadline = time.monotonic() + PATIENCE
    while not ready() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    time.sleep(delay)
    process.kill()
    process.communicate(timeout=PATIENCE)
    return process.returncode


def finished(process: subprocess.Popen[str]) -> None:
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors


# judge -------------------------------------------------------------------------------------------


def whole_lines(run: Path) -> list[bytes]:
    """The judgements that are on disk; a torn last line counts for nothing."""
    files = list((run / "judgements").glob("*.jsonl"))
    assert len(files) <= 1
    content = files[0].read_bytes() if files else b""
    return content[: content.rfind(b"\n") + 1].splitlines()


@pytest.mark.api
def test_killed_judges_lose_and_repeat_nothing(tmp_path: Path) -> None:
    pytest.importorskip("openai", reason="needs the extra `api`")
    options = ["--provider", "baseline:never-ask", "--scenario", "vsod", "--protocol", "oeg"]
    assert CliRunner().invoke(cli, ["run", "--out", str(tmp_path), *options]).exit_code == 0
    (run,) = tmp_path.iterdir()
    before = (run / "episodes.jsonl").read_bytes()
    replies = len(before.splitlines())
    rng, in_flight, kills = random.Random(), 2, KILLS or 2
    moments: list[str] = []
    with HostileServer(delay=0.03).running() as server:
        server.then(*["verdicts"] * 10 * replies)
        command = ["judge", run, "--judge", f"openai:m@{server.url}", "--concurrency", in_flight]
        kept: list[bytes] = []
        for number in range(kills):
            goal = len(kept) + rng.randint(0, max(1, replies // (kills + 1)))
            delay = rng.uniform(0, 0.1 if number % 2 else 2)
            process = started(*map(str, command))
            code = killed(process, lambda goal=goal: len(whole_lines(run)) >= goal, delay)  # type: ignore[misc]
            moments.append(f"{len(kept)} lines, goal {goal} + {delay:.3f} s: {code}")
            now = whole_lines(run)
            assert now[: len(kept)] == kept, moments
            kept = now
        finished(started(*map(str, command)))
    lines = [json.loads(line) for line in whole_lines(run)]
    assert whole_lines(run)[: len(kept)] == kept, moments
    assert len({(line["sample_id"], line["repeat"]) for line in lines}) == len(lines) == replies
    assert all(line["judgement"]["problem"] is None for line in lines)
    # A kill wastes at most the requests in flight and the probe of the next start.
    assert len(server.received) <= replies + (kills + 1) * (1 + in_flight), moments
    assert (run / "episodes.jsonl").read_bytes() == before
    (file,) = (run / "judgements").iterdir()
    assert file.read_bytes().endswith(b"\n")


# export ------------------------------------------------------------------------------------------


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


def is_begun(folder: Path) -> bool:
    """Whether a temporary file exists.  The folder may not exist yet."""
    return any(Path(folder).rglob(".*.tmp*"))


def sizes(folder: Path) -> dict[str, int]:
    """The number of rows, samples, lines or bytes of each file.  Raises if one is damaged."""
    return {name: CHECKS[file.suffix](file) for name, file in files_below(folder).items()}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    kinds = ("ask", "ask", "right")
    return write_run(
        tmp_path_factory.mktemp("runs") / "run",
        (episode(*kinds, sample_id=number) for number in range(EPISODES)),
    )


@pytest.mark.parametrize("form", FORMATS if KILLS else ("csv",))
def test_a_killed_export_leaves_whole_files(form: str, run: RunFolder, tmp_path: Path) -> None:
    if form in LIBRARIES:
        pytest.importorskip(LIBRARIES[form], reason="needs an extra")
    rng = random.Random()

    def export(out: Path) -> subprocess.Popen[str]:
        return started("export", run.path, "--format", form, "-o", out / FORMATS[form])

    begun = time.monotonic()
    finished(export(tmp_path / "good"))
    seconds = time.monotonic() - begun
    expected = sizes(tmp_path / "good")
    assert expected
    moments: list[str] = []
    out = tmp_path / "out"
    for number in range(KILLS or 1):
        # Every other kill comes soon after the first file was begun.
        soon = number % 2 == 0
        delay = rng.uniform(0, 0.1 if soon else seconds)
        code = killed(export(out), lambda soon=soon: not soon or is_begun(out), delay)  # type: ignore[misc]
        moments.append(f"{delay:.3f} s: {code}")
        for name, size in sizes(out).items() if out.exists() else ():
            assert expected[name] == size, moments
    finished(export(out))
    assert sizes(out) == expected, moments
    assert [file.name for file in out.rglob(".*")] == [], moments
    assert any(moment.endswith(str(-signal.SIGKILL)) for moment in moments)
