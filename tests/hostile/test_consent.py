"""Run folders from someone else: they run no code of a model and get no key without consent."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from proactive_agent.cli.app import cli
from proactive_agent.records.manifest import ProviderSettings, Settings
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.runs.planned_run import PlannedRun
from proactive_agent.tools import UserError
from proactive_agent.training.folder import TrainingManifest
from proactive_agent.training.session import resume as resume_training
from tests.hostile.attacking import refusal
from tests.proactive_agent.running import prepare_run
from tests.providers.api_asking import server
from tests.providers.hostile_server import HostileServer

__all__ = ["server"]

KEY = "sk-a-secret-of-the-user"


def foreign_run(results: Path, provider: str, **settings: Any) -> RunFolder:
    """A run folder that someone else could send: its `run.json` names `provider`."""
    made = prepare_run(Settings(provider="baseline:random", scenarios=("rod",)), results)
    fields = {"scenarios": ("rod",), "limit": 1, **settings}
    manifest = made.manifest.model_copy(update={"settings": Settings(provider=provider, **fields)})
    made.folder.write_manifest(manifest)
    return made.folder


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [*map(str, arguments)])


# Code of a model ---------------------------------------------------------------------------------


def test_the_command_of_an_agent_runs_only_with_consent(tmp_path: Path) -> None:
    marker = tmp_path / "was-here"
    folder = foreign_run(tmp_path / "results", f"agent:touch {marker} {{url}}")
    refused = invoke("run", "--resume", folder.path)
    assert "is a command that would be run on this machine" in refused.stderr
    shown = invoke("run", "--resume", folder.path, "--dry-run")
    assert f"touch {marker}" in shown.output.replace("\n", "")
    invoke("compare", folder.path)
    assert not marker.exists()
    invoke("run", "--resume", folder.path, "--trust-remote-code")
    assert marker.exists()


@pytest.fixture
def infected(tmp_path: Path) -> Path:
    """A model whose repository has code, which leaves the file `was-here` in its folder."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(
        json.dumps({"model_type": "infected", "auto_map": {"AutoConfig": "code.Config"}})
    )
    marker = folder / "was-here"
    (folder / "code.py").write_text(
        f"open({str(marker)!r}, 'w').close()\n"
        "from transformers import PretrainedConfig\n"
        "class Config(PretrainedConfig): model_type = 'infected'\n"
    )
    return folder


def with_code(results: Path, model: Path) -> RunFolder:
    how = ProviderSettings(trust_remote_code=True, device="cpu")
    return foreign_run(results, f"local:{model}", provider_settings=how)


@pytest.mark.local
def test_a_run_folder_cannot_allow_code_of_a_model(infected: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs the extra `local`")
    folder = with_code(tmp_path / "results", infected)
    message = refusal("run", "--resume", folder.path)
    assert "--trust-remote-code allows it" in message
    assert not (infected / "was-here").exists()
    # The model has no weights, so it cannot be loaded in the end; but its code may run now.
    invoke("run", "--resume", folder.path, "--trust-remote-code")
    assert (infected / "was-here").exists()


def test_a_dry_run_shows_the_code_and_loads_nothing(infected: Path, tmp_path: Path) -> None:
    folder = with_code(tmp_path / "results", infected)
    result = invoke("run", "--resume", folder.path, "--dry-run")
    assert result.exit_code == 0, result.output
    assert f"model: local:{infected}" in result.stdout
    assert "1 episodes are left; data: the embedded suite" in result.stdout
    assert "refused without --trust-remote-code" in result.stdout
    assert not (infected / "was-here").exists()


def test_the_folder_of_a_training_cannot_allow_code_either(tmp_path: Path) -> None:
    fields = {
        "settings": {"model": "someone/model", "data": "x", "trust_remote_code": True},
        "model": {"name": "m", "commit": None, "folder_sha256": None, "parameters": 1,
                  "dtype": "float32"},
        "data": {"files": {}, "train": {}, "held_out": {}, "leaks": 0},
        "processes": 1, "versions": {}, "git_commit": None, "started": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    TrainingManifest.model_validate(fields).write(tmp_path)
    with pytest.raises(UserError, match="--trust-remote-code allows it"):
        resume_training(tmp_path)
    assert "--trust-remote-code allows it" in refusal("train", "--resume", "--out", tmp_path)


# Keys --------------------------------------------------------------------------------------------


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PROACTIVE_AGENT_API_KEY", KEY)
    return KEY


def sent_keys(server: HostileServer) -> set[str]:
    return {request.headers["authorization"] for request in server.received}


@pytest.mark.api
@pytest.mark.usefixtures("key")
@pytest.mark.parametrize("named", ["127.0.0.1", "127.0.0.1:PORT"])
def test_a_server_of_a_run_folder_gets_a_key_with_consent_only(
    named: str, server: HostileServer, tmp_path: Path
) -> None:
    folder = foreign_run(tmp_path, f"openai:m@{server.url}")
    shown = server.url.removeprefix("http://").removesuffix("/v1")
    message = refusal("run", "--resume", folder.path)
    assert f"the server {shown}, which would get the key PROACTIVE_AGENT_API_KEY" in message
    refusal("run", "--resume", folder.path, "--trust-host", "127.0.0.1:1")
    assert server.received == []
    named = named.replace("PORT", shown.partition(":")[2])
    done = invoke("run", "--resume", folder.path, "--trust-host", named)
    assert done.exit_code == 0, done.output
    assert sent_keys(server) == {f"Bearer {KEY}"}


@pytest.mark.api
def test_without_a_key_no_consent_is_needed(server: HostileServer, tmp_path: Path) -> None:
    folder = foreign_run(tmp_path, f"openai:m@{server.url}")
    done = invoke("run", "--resume", folder.path)
    assert done.exit_code == 0, done.output
    assert sent_keys(server) == {"Bearer none"}


@pytest.mark.usefixtures("key")
def test_the_server_of_a_judge_needs_consent_as_well(tmp_path: Path) -> None:
    judge = "litellm:hosted_vllm/j@http://evil.example/v1"
    folder = foreign_run(tmp_path, "baseline:random", protocol="oeg", judge=judge)
    assert "the server evil.example, which would get" in refusal("run", "--resume", folder.path)
    shown = invoke("run", "--resume", folder.path, "--dry-run").stdout
    assert f"judge: {judge}" in shown
    assert "go to evil.example, with the key PROACTIVE_AGENT_API_KEY" in shown
    assert "refused without --trust-host evil.example" in shown
    with pytest.raises(UserError, match=r"evil\.example"):
        PlannedRun.resumed(folder)


@pytest.mark.api
@pytest.mark.usefixtures("key")
def test_an_own_run_is_resumed_with_the_options_of_its_hint(
    server: HostileServer, tmp_path: Path
) -> None:
    server.then(None, "401")
    stopped = invoke("run", "--provider", f"openai:m@{server.url}", "--scenario", "rod",
                     "--limit", "1", "--out", tmp_path)  # fmt: skip
    assert stopped.exit_code != 0
    (hint,) = [line for line in stopped.stderr.splitlines() if "continue with: " in line]
    done = invoke("run", *hint.partition("continue with: ")[2].split())
    assert done.exit_code == 0, done.output
