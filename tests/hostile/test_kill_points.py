"""Processes that die at random moments: nothing is lost, doubled or half written after a resume.

Each area is a `Victim`: the command, the command that resumes it, and what must hold in the end.
`KILLS=20 python -m pytest tests/hostile/test_kill_points.py` kills each of them 20 times instead
of twice. The moments are drawn anew in every run; a failure prints them.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from proactive_agent.records.run_folder import RunFolder
from tests.providers.hostile_server import HostileServer

REPOSITORY = Path(__file__).parents[2]
KILLS = int(os.environ.get("KILLS", "2"))
LIMIT = ["--limit", str(2 + KILLS // 2)]
"""Samples per scenario: enough that the run has not ended before the last kill."""
PATIENCE = 300
"""Seconds after which a process counts as stalled."""


class Victim(NamedTuple):
    """A command that is killed and resumed until it ends."""

    begin: list[str]
    resume: Callable[[], list[str]]
    """The command that goes on; called when there is something to resume."""
    has_begun: Callable[[], bool]
    progress: Callable[[], int]
    """Number of finished parts."""
    longest_step: int
    """Most parts between two kills."""


def started(arguments: list[str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "proactive_agent", *arguments]
    return subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def kill_often(victim: Victim, between: Callable[[], None]) -> None:
    """Kills the command up to KILLS times, then lets it end. `between` checks what a kill left.

    A command that ends before its kill is not started again.
    """
    rng = random.Random()
    moments: list[str] = []

    def resumed() -> subprocess.Popen[str]:
        return started(victim.resume() if victim.has_begun() else victim.begin)

    for number in range(KILLS):
        process = resumed()
        # Every other kill comes soon after some progress, the others at any time from the start.
        after_progress = number % 2 == 0
        goal = victim.progress() + (rng.randint(0, victim.longest_step) if after_progress else 0)
        delay = rng.uniform(0, 0.2 if after_progress else 4)
        deadline = time.monotonic() + PATIENCE
        while victim.progress() < goal and process.poll() is None:
            assert time.monotonic() < deadline, moments
            time.sleep(0.002)
        time.sleep(delay)
        process.kill()
        _, errors = process.communicate(timeout=PATIENCE)
        moments.append(f"{victim.progress()} parts + {delay:.3f} s: {process.returncode}")
        assert process.returncode in (-signal.SIGKILL, 0), (moments, errors)
        between()
        if process.returncode == 0:
            assert number > 0, "it ended before the first kill"
            return
    process = resumed()
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, (moments, errors)
    between()


# Runs --------------------------------------------------------------------------------------------


def run_victim(results: Path, concurrency: int, *options: str) -> Victim:
    in_flight = ["--concurrency", str(concurrency)]

    def folder() -> Path | None:
        return next((file.parent for file in results.glob("*/run.json")), None)

    def lines() -> int:
        return sum(f.read_bytes().count(b"\n") for f in results.glob("*/episodes.jsonl"))

    return Victim(
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
