"""The provider `vllm` with a program that has the command line and the routes of vLLM."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("openai", reason="needs the extra `api`")

from proactive_agent.providers import ProviderOptions, StoppedError, create_provider
from proactive_agent.providers.gpus import visible_gpus
from proactive_agent.providers.local.aliases import resolve
from proactive_agent.providers.vllm.arguments import (
    arguments_of,
    parse_engine_arguments,
)
from proactive_agent.providers.vllm.checkpoint import Checkpoint
from proactive_agent.records.manifest import ProviderSettings, Settings
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.runs.planned_run import PlannedRun
from proactive_agent.runs.session import Session
from proactive_agent.runs.trust import Trust, check_trust
from proactive_agent.settings import ApiAccess, Sampling
from proactive_agent.tools import MissingExtraError, UserError
from tests.providers import fake_vllm

pytestmark = pytest.mark.api

ROOT = Path(__file__).parents[2]
FAMILY = "qwen2_5_vl"
PATIENCE = 60
"""Seconds after which something that must happen counts as missing."""
CALL = '<tool_call>{"name": "abstain", "arguments": {}}</tool_call>'


class Fake:
    """A `vllm` on the machine, and the record of its processes and requests."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.program = folder / "bin" / "vllm"
        self.program.parent.mkdir()
        self.program.write_text(
            f'#!/bin/sh\nexec {sys.executable} {fake_vllm.__file__} "$@"\n', encoding="utf-8"
        )
        self.program.chmod(0o755)
        self.model = folder / "model"
        self.model.mkdir()
        (self.model / "config.json").write_text(json.dumps({"model_type": FAMILY}))
        self.file = folder / "record.jsonl"
        self._monkeypatch = monkeypatch
        monkeypatch.setenv("PROACTIVE_AGENT_VLLM", str(self.program))
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
        self.behaves()

    def behaves(self, **behaviour: Any) -> None:
        given = json.dumps({**behaviour, "record": str(self.file)})
        self._monkeypatch.setenv("FAKE_VLLM", given)

    @property
    def spec(self) -> str:
        return f"vllm:{self.model}"

    def record(self) -> dict[str, Any]:
        return json.loads(self.file.read_text().splitlines()[0])  # type: ignore[no-any-return]

    def bodies(self) -> list[dict[str, Any]]:
        lines = map(json.loads, self.file.read_text().splitlines())
        return [line["body"] for line in lines if "body" in line]

    def is_gone(self) -> bool:
        return not any(map(_runs, self.record()["pids"]))


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    return Fake(tmp_path, monkeypatch)


def _runs(process: int) -> bool:
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def play(
    fake: Fake, results: Path, access: ApiAccess | None = None, limit: int = 2, **how: Any
) -> RunFolder:
    """Plays a run, one episode after another. Raises the error that stopped it."""
    loading = how.pop("loading", {})
    settings = Settings(
        provider=fake.spec, scenarios=("rod",), limit=limit,
        provider_settings=ProviderSettings(**loading), **how,
    )  # fmt: skip
    planned = PlannedRun.new(settings, results, access or ApiAccess(tries=3, first_wait=0.5))

    async def playing() -> RunFolder:
        async with Session(concurrency=1) as session:
            (played,) = await session.play([planned])
        if played.stopped:
            raise played.stopped
        return played.folder

    return asyncio.run(playing())


def test_a_run_starts_the_server_and_ends_it(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-the-key-of-a-company-123456")
    fake.behaves(healthy_after=2)
    loading = {"engine_arg": ("max_model_len=4096", "enforce-eager"), "dtype": "bfloat16"}
    folder = play(fake, tmp_path / "runs", protocol="mcqa", loading=loading)
    assert fake.is_gone()
    assert all(episode.error is None for episode in folder.episodes())
    manifest = folder.read_manifest().provider
    assert manifest["vllm"] == "0.99.0"
    assert manifest["model"] == "model"
    options = [
        "--served-model-name=model", "--enable-prompt-tokens-details", "--dtype=bfloat16",
        "--enable-auto-tool-choice", "--tool-call-parser=hermes", "--max-model-len=4096",
        "--enforce-eager",
    ]  # fmt: skip
    assert manifest["arguments"] == ["serve", "model", *options]
    record = fake.record()
    assert record["arguments"][:-4] == ["serve", str(fake.model), *options]
    assert record["arguments"][-4:-1] == ["--host", "127.0.0.1", "--port"]
    # The key is random, only this server gets it, and no record holds it.
    assert record["others"] == ["VLLM_API_KEY"]
    assert len(record["key"]) > 30
    written = [file.read_text() for file in folder.path.rglob("*.json*")]
    assert len(written) > 1
    assert not any(record["key"] in text for text in written)
    assert {episode.usage.cost_usd for episode in folder.episodes()} == {None}


def test_tools_are_native_if_the_template_shows_them(fake: Fake, tmp_path: Path) -> None:
    folder = play(fake, tmp_path / "runs", protocol="tools", limit=1)
    assert all(body["tools"] for body in fake.bodies()[1:])
    assert folder.read_manifest().provider["tool_format"] == "native"


def test_tools_are_text_if_the_template_does_not_show_them(fake: Fake, tmp_path: Path) -> None:
    fake.behaves(takes_tools=False, reply=CALL)
    folder = play(fake, tmp_path / "runs", protocol="tools", limit=1)
    (episode,) = folder.episodes()
    assert episode.error is None
    assert [turn.action.kind for turn in episode.turns] == ["abstain"]
    assert episode.turns[0].reply.tool_format == "text"
    assert not any("tools" in body for body in fake.bodies())
    reason = folder.read_manifest().provider["tools_as_text_because"]
    assert reason == "the chat template takes no tools"


def test_a_server_that_ends_at_its_start_is_explained_by_its_log(
    fake: Fake, tmp_path: Path
) -> None:
    fake.behaves(fails="ValueError: no available memory for the cache blocks")
    with pytest.raises(UserError) as caught:
        play(fake, tmp_path / "runs")
    message = str(caught.value)
    assert message.startswith("vllm:model: the vLLM server ended with exit code 3.")
    assert message.endswith("ValueError: no available memory for the cache blocks")


def test_the_start_takes_no_longer_than_allowed(fake: Fake, tmp_path: Path) -> None:
    fake.behaves(healthy_after=-1)
    with pytest.raises(
        UserError, match=r"not ready after 3 s; .* --start-timeout SECONDS.*\n.*fake vLLM"
    ):
        play(fake, tmp_path / "runs", ApiAccess(start_timeout=3))
    assert fake.is_gone()


def test_a_server_that_dies_in_mid_run_leaves_errors_and_stops_the_run(
    fake: Fake, tmp_path: Path
) -> None:
    fake.behaves(dies_at=3)  # The first request is the probe.
    with pytest.raises(StoppedError, match="the vLLM server has ended"):
        play(fake, tmp_path / "runs", protocol="mcqa", limit=8)
    (folder,) = (RunFolder(path) for path in (tmp_path / "runs").iterdir())
    *_, last = folder.episodes()
    assert last.error is not None
    assert last.error.kind == "server_died"
    assert "ERROR the engine core died" in last.error.message
    assert folder.read_manifest().status != "finished"
    assert fake.is_gone()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left_when_the_program_is_ended(
    fake: Fake, tmp_path: Path, number: signal.Signals
) -> None:
    fake.behaves(healthy_after=-1)  # Ended while the server starts.
    program = [sys.executable, "-m", "proactive_agent", "run"]
    arguments = ["--provider", fake.spec, "--scenario", "rod", "--out", str(tmp_path / "runs")]
    process = subprocess.Popen(
        [*program, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    wait_for(lambda: fake.file.exists() and fake.file.read_text().endswith("\n"))
    process.send_signal(number)
    assert process.wait(PATIENCE) == (-number if number is signal.SIGKILL else 128 + number)
    wait_for(fake.is_gone)


def test_a_server_that_ignores_its_end_is_killed(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proactive_agent.providers.vllm.server.GRACE", 0.1)
    fake.behaves(stubborn=True)

    async def started_and_closed() -> None:
        provider = create_provider(fake.spec)
        await provider.probe(Sampling())
        await provider.close()

    asyncio.run(started_and_closed())
    assert fake.is_gone()


def test_a_missing_program_is_named_with_the_ways_to_install_it(
    fake: Fake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PROACTIVE_AGENT_VLLM", str(tmp_path / "none"))
    with pytest.raises(UserError, match="does not exist or cannot be executed"):
        create_provider(fake.spec)
    monkeypatch.delenv("PROACTIVE_AGENT_VLLM")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"`pip install vllm`.*PROACTIVE_AGENT_VLLM"):
        create_provider(fake.spec)
    monkeypatch.setenv("PATH", str(fake.program.parent), prepend=os.pathsep)
    listed = subprocess.run(
        [sys.executable, "-m", "proactive_agent", "providers"],
        env={**os.environ, "COLUMNS": "300"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert str(fake.program) in listed.stdout


@pytest.mark.parametrize(
    ("program", "given", "message"),
    [("vllm", "port=80", "the program sets it"), ("none", "tp=2", "does not exist")],
)
def test_what_the_hub_need_not_answer_is_checked_before_it_is_asked(
    program: str, given: str, message: str, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setenv("PROACTIVE_AGENT_VLLM", str(fake.program.with_name(program)))
    monkeypatch.setattr(Checkpoint, "read", lambda *model: asked.append(model))
    with pytest.raises(UserError, match=message):
        create_provider("vllm:someone/model", ProviderOptions(engine_arg=(given,)))
    assert not asked


def test_the_missing_client_is_reported_before_the_hub_is_asked(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(Checkpoint, "read", lambda *model: asked.append(model))
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(MissingExtraError, match="api"):
        create_provider("vllm:someone/model")
    assert not asked


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("port=80", "the program sets it"),
        ("--api_key=x", "the program sets it"),
        ("trust-remote", "use --trust-remote-code"),
        ("two words", "expected NAME=VALUE"),
    ],
)
def test_arguments_that_the_program_sets_are_refused(given: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse_engine_arguments([given])


@pytest.mark.parametrize(
    ("given", "copies"),
    [
        ((), "--data-parallel-size=8"),
        (("tensor-parallel-size=2", "pp=2"), "--data-parallel-size=2"),
        (("tp=8",), None),
        (("dp=3",), "--data-parallel-size=3"),
    ],
)
def test_the_gpus_are_shared_among_copies(
    given: tuple[str, ...], copies: str | None, fake: Fake
) -> None:
    options = ProviderOptions(engine_arg=given)
    arguments = arguments_of(resolve(str(fake.model)), options, "llava", gpus=8)
    assert [one for one in arguments if one.startswith("--data")] == ([copies] if copies else [])
    assert not any("tool" in argument for argument in arguments)


@pytest.mark.parametrize(("visible", "count"), [("0,1,3", 3), ("", 0), ("-1", 0), ("0,-1,1", 1)])
def test_gpus_are_counted_without_torch(
    visible: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert len(visible_gpus()) == count


def test_nvidia_smi_lists_the_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'GPU 0: H100 (UUID: x)'\necho 'GPU 1: H100 (UUID: y)'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert visible_gpus() == ["0", "1"]


def test_text_is_generated_as_by_the_local_provider() -> None:
    sampled = Checkpoint({}, {"do_sample": True, "top_k": 1, "repetition_penalty": 1.05})
    greedy = sampled.sampling("m", Sampling(generation="greedy"))
    assert (greedy["repetition_penalty"], greedy["top_k"]) == (1.05, -1)
    own = sampled.sampling("m", Sampling(generation="checkpoint"))
    assert (own["temperature"], own["top_k"], own["repetition_penalty"]) == (1.0, 1, 1.05)
    plain = Checkpoint({}, {"temperature": 0.5})
    assert plain.sampling("m", Sampling(generation="checkpoint"))["temperature"] == 0.0
    assert plain.sampling("m", Sampling(generation="published"))["temperature"] == 0.5
    with pytest.raises(UserError, match="4 beams"):
        Checkpoint({}, {"num_beams": 4}).sampling("m", Sampling(generation="checkpoint"))
    with pytest.raises(UserError, match="install huggingface_hub, or name a folder"):
        Checkpoint(None, None).sampling("m", Sampling(generation="published"))


def test_a_folder_with_engine_arguments_is_resumed_only_with_consent(tmp_path: Path) -> None:
    loading = ProviderSettings(engine_arg=("middleware=their.module",))
    settings = Settings(provider="vllm:x/y", scenarios=("rod",), provider_settings=loading)
    with pytest.raises(UserError, match=r"middleware=their.module, which can run code.*--trust-re"):
        check_trust(settings, Trust(), tmp_path)
    check_trust(settings, Trust(remote_code=True), tmp_path)
