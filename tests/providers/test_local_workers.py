"""Workers of a local model, on a real Ray: replies, deaths, pictures, and the end."""

import asyncio
import importlib.metadata
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

pytest.importorskip("torch")
pytest.importorskip("ray", reason="needs the extra `ray`")

from proactive_agent.providers import (
    ApiAccess,
    ImagePart,
    ProviderError,
    ProviderOptions,
    Request,
    Sampling,
    create_provider,
)
from proactive_agent.providers.keeper import __file__ as keeper
from proactive_agent.providers.local import Local
from proactive_agent.providers.workers import connection, pictures, provider
from proactive_agent.providers.workers.provider import LocalWorkers
from proactive_agent.records.manifest import ProviderSettings, Settings
from proactive_agent.runs.planned_run import PlannedRun
from proactive_agent.scenarios import DataFolder, StoredImage
from proactive_agent.tools import UserError
from tests.proactive_agent.running import play_async
from tests.providers import tiny_models
from tests.providers.asking import ask_all, essence, question, questions

pytestmark = pytest.mark.local

ROOT = Path(__file__).parents[2]
PATIENCE = 600
"""Seconds after which something that must happen counts as missing."""
SAMPLED = Sampling(max_tokens=24, thinking_tokens=0, temperature=1.0)


def wait_for(reached: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (found := reached()):
        assert time.monotonic() < deadline, "it has not happened"
        time.sleep(0.05)
    return found


def written(file: Path) -> str:
    return file.read_text() if file.exists() else ""


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a Ray that was started elsewhere and cannot import this program."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment["RAY_worker_niceness"] = "0"
    for _ in range(3):  # On a busy machine, Ray can give up after 30 seconds.
        folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")
        command = [
            sys.executable, "-I", "-S", keeper, "0", folder,
            sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--port=0",
            f"--temp-dir={folder}", "--num-cpus=8", "--num-gpus=0", "--include-dashboard=false",
            "--disable-usage-stats", "--object-store-memory=100000000",
        ]  # fmt: skip
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            cwd="/", env=environment, text=True,
        ) as process:  # fmt: skip
            try:
                assert process.stdout
                started = any("Ray runtime started" in line for line in process.stdout)
                if started:
                    # Ray writes its address a moment after this line.
                    yield wait_for(partial(written, Path(folder) / "ray_current_cluster"))
            finally:
                process.communicate()
        if started:
            return
    pytest.fail("Ray does not start")


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


def options(cluster: str | None, workers: int | None, **more: Any) -> ProviderOptions:
    access = ApiAccess(workers=workers, ray=cluster)
    return ProviderOptions(device="cpu", batch_size=4, access=access, **more)


@pytest.fixture(scope="module")
def workers(cluster: str, runner: asyncio.Runner) -> Iterator[LocalWorkers]:
    spec = f"local:{tiny_models.folder('idefics2')}"
    made = create_provider(spec, options(cluster, 2))
    assert isinstance(made, LocalWorkers)
    yield made
    runner.run(made.close())


@pytest.fixture(scope="module")
def alone() -> Iterator[Local]:
    """The same model in this process."""
    made = Local.create(str(tiny_models.folder("idefics2")), options(None, None))
    yield made
    asyncio.run(made.close())


def test_a_killed_worker_changes_no_reply(
    workers: LocalWorkers, alone: Local, runner: asyncio.Runner
) -> None:
    requests = [
        question(*asked.messages[0].content, index=index, seed=index, sampling=SAMPLED)
        for index, asked in enumerate(questions(8) * 6)
    ]

    async def ask_and_kill() -> list[Any]:
        tasks = [asyncio.create_task(workers.complete(request)) for request in requests]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        busiest = max(workers.pool.places, key=lambda place: place.in_flight)
        assert busiest.description
        assert busiest.in_flight
        os.kill(busiest.description.process, signal.SIGKILL)
        return await asyncio.gather(*tasks)

    replies = runner.run(ask_and_kill())
    assert essence(replies) == essence(asyncio.run(ask_all(alone, requests)))
    assert len({reply.text for reply in replies}) > len(requests) / 2
    assert [line.partition(" ")[0] for line in workers.activity()] == ["worker", "worker"]
    counted = workers.counted()
    assert counted["worker_restarts"] == 1
    assert 0 < counted["requests_sent_again"] < len(requests)


class Deadly:
    """A picture that kills the worker that opens it."""

    def location(self) -> tuple[Path, Path]:
        return ROOT, ROOT / "pyproject.toml"

    def __call__(self) -> Image.Image:
        os._exit(1)


def test_a_request_that_kills_its_workers_becomes_an_error_and_spares_the_others(
    workers: LocalWorkers,
    alone: Local,
    runner: asyncio.Runner,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(provider, "TRIES", 2)
    others = questions(4)
    before = workers.pool.restarts

    async def ask() -> list[Any]:
        deadly = workers.complete(question(ImagePart("deadly", Deadly()), "?"))
        return await asyncio.gather(deadly, *map(workers.complete, others), return_exceptions=True)

    death, *replies = runner.run(ask())
    assert isinstance(death, ProviderError)
    assert (death.kind, str(death).partition(";")[0]) == (
        "worker_died",
        "2 workers died with this request",
    )
    assert workers.pool.restarts == before + 2
    assert essence(replies) == essence(asyncio.run(ask_all(alone, others)))


def test_pictures_are_sent_once_to_workers_that_do_not_see_the_data(
    workers: LocalWorkers, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = DataFolder()
    samples = list(data.samples("rod"))[:2]
    refs = [data.environment("rod", sample).observe().image for sample in samples]
    parts = [ImagePart(f"{ref}", StoredImage(data.images, ref)) for ref in refs]
    requests: list[Request] = [question(*parts, "?" * n, index=n) for n in range(1, 5)]
    put: list[Any] = []
    ray_put = workers._pixels._put
    monkeypatch.setattr(workers._pixels, "_put", lambda pixels: put.append(1) or ray_put(pixels))

    seen = runner.run(ask_all(workers, requests))
    assert not put
    monkeypatch.setattr(pictures.FileFacts, "of", lambda file: pictures.FileFacts(file, 1, "other"))
    for place in workers.pool.places:
        place.sees.clear()
    sent = runner.run(ask_all(workers, requests))
    assert len(put) == len(parts)
    assert essence(sent) == essence(seen)


def test_the_judge_has_workers_too_and_run_json_describes_both(
    cluster: str, workers: LocalWorkers, runner: asyncio.Runner, tmp_path: Path
) -> None:
    settings = Settings(
        provider=f"local:{tiny_models.folder('idefics2')}",
        judge=f"local:{tiny_models.folder(tiny_models.TEXT_ONLY)}",
        protocol="oeg",
        scenarios=("rod",),
        limit=2,
        provider_settings=ProviderSettings(max_tokens=8, thinking_tokens=0, device="cpu"),
    )
    run = PlannedRun.new(settings, tmp_path, ApiAccess(workers=1, ray=cluster))
    folder = runner.run(play_async(run)).folder
    manifest = folder.read_manifest()
    described = {
        "played_by": [f"1 worker with 0 GPUs each, Ray {importlib.metadata.version('ray')}"],
        "worker_restarts": 0,
        "requests_sent_again": 0,
    }
    for facts in (manifest.provider, manifest.judge):
        assert facts is not None
        assert {name: facts[name] for name in described} == described
    assert manifest.generation
    assert [episode.error for episode in folder.episodes()] == [None, None]


def test_a_model_that_cannot_be_loaded_is_explained_as_without_workers(
    cluster: str, workers: LocalWorkers, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "idefics2"}')
    with pytest.raises(UserError) as alone:
        create_provider(f"local:{tmp_path}", options(None, None))
    with pytest.raises(UserError) as worker:
        create_provider(f"local:{tmp_path}", options(cluster, 1))
    assert str(worker.value) == str(alone.value)


def test_an_address_without_a_cluster_is_named() -> None:
    with pytest.raises(UserError, match=r"--ray 127\.0\.0\.1:1: nothing answers at this address"):
        connection._check_reachable("127.0.0.1:1")


def test_a_process_uses_one_ray(workers: LocalWorkers) -> None:
    with pytest.raises(UserError, match="cannot use Ray on this machine at the same time"):
        create_provider(f"local:{tiny_models.folder('idefics2')}", options(None, 2))


class Program:
    """A run in another process, whose processes and temporary files are found by a mark."""

    def __init__(self, results: Path, *arguments: str, cwd: Path = ROOT) -> None:
        self.mark = uuid.uuid4().hex
        self.folder = Path(tempfile.mkdtemp(prefix="t-", dir="/tmp"))
        command = [sys.executable, "-m", "proactive_agent", "run", "--out", str(results)]
        self.process = subprocess.Popen(
            [*command, "--device", "cpu", "--scenario", "rod", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=cwd, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(self.folder),
                 "MARK": self.mark},
        )  # fmt: skip

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.communicate()

    def is_gone(self) -> bool:
        mark = f"MARK={self.mark}".encode()
        for file in Path("/proc").glob("[0-9]*/environ"):
            try:
                if mark in file.read_bytes():
                    return False
            except OSError:
                continue
        return not list(self.folder.iterdir())

    def send(self, number: signal.Signals) -> tuple[int, str]:
        self.process.send_signal(number)
        output, _ = self.process.communicate(timeout=PATIENCE)
        wait_for(self.is_gone)
        self.folder.rmdir()
        return self.process.returncode, output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_of_a_start_that_is_interrupted(
    tmp_path: Path, number: signal.Signals
) -> None:
    model = tiny_models.folder("idefics2")
    arguments = ("--provider", f"local:{model}", "--workers", "2")
    with Program(tmp_path / "runs", *arguments) as program:
        wait_for(lambda: list(program.folder.glob("proactive-ray-*/session_latest")))
        code, output = program.send(number)
    assert code == 128 + number
    assert "Traceback" not in output
    assert "SIGTERM" not in output


def test_nothing_is_left_of_a_program_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "model").symlink_to(tiny_models.folder("idefics2"))
    arguments = ("--provider", "local:./model", "--workers", "1", "--repeats", "1000")
    with Program(tmp_path / "runs", *arguments, "--temperature", "1", cwd=tmp_path) as program:
        # The file is made before run.json, and empty at first.
        episodes = "runs/*/episodes.jsonl"
        wait_for(lambda: any(file.stat().st_size for file in tmp_path.glob(episodes)))
        (manifest,) = tmp_path.glob("runs/*/run.json")
        facts = json.loads(manifest.read_text())["provider"]
        assert program.send(signal.SIGKILL)[0] == -signal.SIGKILL
    (played_by,) = facts["played_by"]
    assert played_by.startswith("1 worker with 0 GPUs each, Ray ")
