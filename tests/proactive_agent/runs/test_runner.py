import json
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from proactive_agent.providers import (
    Provider,
    ProviderError,
    Reply,
    Request,
    Sampling,
    create_provider,
    register_provider,
)
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.records.manifest import Settings
from proactive_agent.records.run_folder import EpisodeWriter, RunFolder
from proactive_agent.runs.planned_run import PlannedRun
from proactive_agent.runs.prepare import PreparedRun
from proactive_agent.runs.session import SessionObserver
from proactive_agent.scenarios import SCENARIOS, DataFolder
from proactive_agent.scenarios.dataset import EMBEDDED
from proactive_agent.tools import UserError
from tests.proactive_agent.running import play_async, play_run, prepare_resume, prepare_run
from tests.proactive_agent.scripted import write_lines

REPOSITORY = Path(__file__).parents[3]
ALL = tuple(SCENARIOS)


def settings(provider: str = "baseline:random", **more: Any) -> Settings:
    return Settings(provider=provider, **{"scenarios": ALL, **more})


def play(prepared: PreparedRun, concurrency: int | None = None) -> RunFolder:
    return play_run(prepared, concurrency).folder


def without_times(episodes: Iterable[EpisodeRecord]) -> dict[Any, Any]:
    found = {}
    for episode in episodes:
        fields = episode.model_dump(exclude={"usage": True, "turns": {"__all__": {"usage"}}})
        found[episode.key] = fields
    return found


def numbers(folder: RunFolder) -> Any:
    """The summary without the values that depend on the clock."""
    summary = json.loads(folder.summary_file.read_text())
    for rates in (summary["macro"], *summary["scenarios"].values()):
        del rates["mean_seconds"]
    return summary


def test_the_same_settings_give_the_same_episodes_at_any_concurrency(tmp_path: Path) -> None:
    one = play(prepare_run(settings(), tmp_path), 1)
    many = play(prepare_run(settings(), tmp_path), 50)
    assert without_times(one.episodes()) == without_times(many.episodes())
    assert numbers(one) == numbers(many)


def test_another_seed_gives_other_episodes(tmp_path: Path) -> None:
    first = play(prepare_run(settings(seed=1), tmp_path))
    second = play(prepare_run(settings(seed=2), tmp_path))
    assert without_times(first.episodes()) != without_times(second.episodes())


def test_the_limit_holds_per_scenario(tmp_path: Path) -> None:
    prepared = prepare_run(settings(limit=2, scenarios=("rod", "coco")), tmp_path)
    played = [episode.key for episode in play(prepared).episodes()]
    assert sorted(played) == [
        ("coco", 0, 0), ("coco", 1, 0), ("rod", 0, 0), ("rod", 1, 0)
    ]  # fmt: skip
    assert prepared.total == 4


def test_the_samples_of_clear_are_counted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = prepare_run(settings(limit=2, scenarios=("rod",), condition="clear"), tmp_path)
    counted = prepared.total
    monkeypatch.setattr(DataFolder, "samples", lambda *args, **options: pytest.fail("read again"))
    assert (counted, prepared.total) == (2, 2)


def test_the_manifest_is_there_before_the_first_episode(tmp_path: Path) -> None:
    prepared = prepare_run(settings(scenarios=("rod",)), tmp_path)
    seen = []

    class Look(SessionObserver):
        def episode_ended(self, run: PreparedRun, episode: EpisodeRecord) -> None:
            seen.append(run.folder.read_manifest().status)

    play_run(prepared, 1, observer=Look())
    assert set(seen) == {"running"}
    finished = prepared.folder.read_manifest()
    assert finished.status == "finished"
    assert finished.ended is not None


def test_the_manifest_names_what_determines_the_numbers(tmp_path: Path) -> None:
    manifest = prepare_run(settings(scenarios=("rod",)), tmp_path).manifest
    assert manifest.data.wording == "own v1"
    assert manifest.data.files["rod"].samples == manifest.data.files["rod"].kept > 0
    assert {"python", "pillow", "pydantic", "proactive-agent"} <= set(manifest.versions)


def replay_file(tmp_path: Path, sample_ids: Iterable[int]) -> Path:
    lines = [{"scenario": "rod", "sample_id": i, "replies": ["A."] * 20} for i in sample_ids]
    return write_lines(tmp_path / "replies.jsonl", lines)


def test_resume_plays_what_met_an_error_again_and_nothing_else(tmp_path: Path) -> None:
    file = replay_file(tmp_path, [0, 1])
    options = settings(f"replay:{file}", scenarios=("rod",), protocol="mcqa")
    folder = play(prepare_run(options, tmp_path))
    before = {e.sample_id for e in folder.episodes() if e.error}
    assert before
    assert before.isdisjoint({0, 1})
    replay_file(tmp_path, range(50))
    resumed = prepare_resume(folder)
    assert set(resumed.done) == {("rod", 0, 0), ("rod", 1, 0)}
    play(resumed)
    assert [e for e in folder.episodes() if e.error] == []
    assert len(list(folder.episodes())) == resumed.total


@pytest.mark.parametrize(
    ("fact", "thinking_tokens", "expected"),
    [("thinks", None, 0), ("thinks", 64, 64), ("price", None, None)],
)
def test_a_run_that_began_without_room_for_thinking_goes_on_without_it(
    tmp_path: Path, fact: str, thinking_tokens: int | None, expected: int | None
) -> None:
    """Manifests of older versions lack `thinks`."""
    spec = "openai:o3@http://127.0.0.1:1"
    chosen = {"thinking_tokens": thinking_tokens}
    prepared = prepare_run(settings(spec, provider_settings=chosen), tmp_path)
    older = prepared.manifest.model_copy(deep=True)
    del older.provider[fact]
    with EpisodeWriter(prepared.folder):
        prepared.folder.write_manifest(older)
    assert prepared.play.sampling.thinking_tokens == thinking_tokens
    assert prepare_resume(prepared.folder).play.sampling.thinking_tokens == expected


def test_resume_refuses_other_data(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    name = "Realistic-Occlusion-Dataset_preprocessed.jsonl"
    lines = [json.loads(line) for line in (EMBEDDED / name).read_text().splitlines()]
    write_lines(data / name, lines)
    folder = play(prepare_run(settings(scenarios=("rod",), data=str(data)), tmp_path))
    write_lines(data / name, lines[:-1])
    with pytest.raises(UserError, match="have changed since"):
        prepare_resume(folder)


def test_a_fault_in_the_data_is_found_before_anything_is_asked_or_written(tmp_path: Path) -> None:
    file = tmp_path / "QuickDraw_preprocessed.jsonl"
    lines = (EMBEDDED / file.name).read_text().splitlines()
    file.write_text("\n".join([*lines, lines[0].replace('"answer"', '"odd"')]) + "\n")
    with pytest.raises(UserError, match=f"{file.name}, line {len(lines) + 1}.*answer"):
        prepare_run(settings(scenarios=("quickdraw",), data=str(tmp_path)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_scenario_that_is_not_there_is_named(tmp_path: Path) -> None:
    write_lines(tmp_path / "QuickDraw_preprocessed.jsonl", [])
    with pytest.raises(UserError, match="no data for rod"):
        prepare_run(settings(scenarios=("rod",), data=str(tmp_path)), tmp_path)


# Interruptions of the whole program --------------------------------------------------------------


def start(results: Path, *options: str) -> subprocess.Popen[str]:
    command = [
        sys.executable, "-m", "tests.proactive_agent.slow_program", "run",
        "--concurrency", "2", "--out", str(results), *options,
    ]  # fmt: skip
    return subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for_episodes(results: Path, process: subprocess.Popen[str], count: int) -> RunFolder:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        for file in results.glob("*/episodes.jsonl"):
            if file.read_bytes().count(b"\n") >= count:
                return RunFolder(file.parent)
        time.sleep(0.01)
    raise AssertionError(f"no {count} episodes came: {process.communicate()}")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    results = tmp_path_factory.mktemp("undisturbed")
    process = start(results, "--provider", "slow:random")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return RunFolder(next(results.iterdir()))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_resumes_to_the_identical_summary(
    how: signal.Signals, undisturbed: RunFolder, tmp_path: Path
) -> None:
    process = start(tmp_path, "--provider", "slow:random")
    folder = wait_for_episodes(tmp_path, process, 5)
    process.send_signal(how)
    _, errors = process.communicate(timeout=60)
    finished = list(folder.episodes())
    assert 5 <= len(finished) < folder_size(undisturbed)
    assert folder.read_manifest().status == "interrupted"
    if how != signal.SIGKILL:
        assert process.returncode == 128 + how
        assert "--resume" in errors
    resumed = start(tmp_path, "--resume", str(folder.path))
    _, errors = resumed.communicate(timeout=120)
    assert resumed.returncode == 0, errors
    assert numbers(folder) == numbers(undisturbed)
    lines = folder.episodes_file.read_bytes().count(b"\n")
    assert lines == folder_size(undisturbed), "an episode was played twice"


class Waiting(Provider):
    """Its probe waits until another process has played the run to its end."""

    asked = probes = 0

    def __init__(self, meanwhile: Callable[[], Awaitable[object]]) -> None:
        self.meanwhile = meanwhile
        self.baseline = create_provider("baseline:random")

    async def probe(self, sampling: Sampling) -> None:
        del sampling
        Waiting.probes += 1
        if Waiting.probes == 1:
            await self.meanwhile()

    async def complete(self, request: Request) -> Reply:
        Waiting.asked += 1
        return await self.baseline.complete(request)


def test_a_resume_that_waits_in_its_probe_plays_nothing_twice(tmp_path: Path) -> None:
    async def play_the_rest() -> None:
        await play_async(PlannedRun.resumed(folder))

    register_provider("waiting", lambda model, options: Waiting(play_the_rest), replace=True)
    folder = prepare_run(settings("waiting:x", scenarios=("rod",)), tmp_path).folder
    folder.write_manifest(prepare_run(settings("waiting:x", scenarios=("rod",)), tmp_path).manifest)
    total = play_run(PlannedRun.resumed(folder)).summary.scenarios["rod"].episodes
    assert Waiting.probes == 2
    lines = folder.episodes_file.read_bytes().count(b"\n")
    assert lines == total == len(list(folder.episodes()))


def test_a_run_that_is_being_played_is_refused_before_a_probe(tmp_path: Path) -> None:
    async def nothing() -> None:
        raise AssertionError("a probe was paid for")

    register_provider("waiting", lambda model, options: Waiting(nothing), replace=True)
    prepared = prepare_run(settings("waiting:x", scenarios=("rod",)), tmp_path)
    prepared.folder.write_manifest(prepared.manifest)
    with (
        EpisodeWriter(prepared.folder),
        pytest.raises(UserError, match="is being written by another process"),
    ):
        play_run(PlannedRun.resumed(prepared.folder))


def test_a_full_disk_ends_a_run_with_one_error_and_whole_records(tmp_path: Path) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)); "
    code = limit + "import proactive_agent.__main__ as m; m.main()"
    options = ["--provider", "baseline:random", "--scenario", "rod"]
    command = [sys.executable, "-c", code, "run", "--out", str(tmp_path), *options]
    full = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
    assert full.returncode == 2
    assert "Traceback" not in full.stderr
    assert full.stderr.count("cannot be written: File too large") == 1
    (path,) = tmp_path.iterdir()
    assert f"continue with: --resume {path}" in full.stderr
    assert {file.name for file in path.iterdir()} == {"run.json", "episodes.jsonl"}
    folder = RunFolder(path)
    assert folder.read_manifest().status == "interrupted"
    assert folder.episodes_file.read_bytes().endswith(b"\n")
    played = [outline.key for outline in folder.scan()]
    assert played
    play_run(PlannedRun.resumed(folder))
    assert [outline.key for outline in folder.scan()][: len(played)] == played


def folder_size(folder: RunFolder) -> int:
    return sum(1 for _ in folder.episodes())


class Counting(Provider):
    """Counts its requests. The first one of its life fails."""

    def __init__(self) -> None:
        self.baseline = create_provider("baseline:never-ask")
        self.requests = 0

    def counted(self) -> dict[str, int]:
        return {"requests": self.requests}

    async def complete(self, request: Request) -> Reply:
        self.requests += 1
        if self.requests == 1:
            raise ProviderError("timeout", "too slow")
        return await self.baseline.complete(request)


def test_the_manifest_has_the_counts_of_its_run_also_if_it_was_resumed(tmp_path: Path) -> None:
    model = Counting()

    def counted(run: PlannedRun) -> int:
        count: int = play_run(run).folder.read_manifest().provider["requests"]
        return count

    chosen = settings("python:counting", scenarios=("rod",), limit=3)
    first = PlannedRun.new(chosen, tmp_path, model=model)
    assert counted(first) == 3
    assert counted(PlannedRun.new(chosen, tmp_path, model=model)) == 3
    assert counted(first) == 4  # one episode had an error
