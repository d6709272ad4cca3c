"""One process trains into a folder. Readers see whether it is alive; a dry run shows its plan."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from proactive_agent.cli.app import cli
from proactive_agent.providers.local.model_folder import folder_sha256
from proactive_agent.tools import UserError
from proactive_agent.training import session
from proactive_agent.training.folder import MANIFEST, is_being_trained, read_manifest
from tests.proactive_agent.training.test_checkpoints import checkpoint, manifest

TRAIN = """
import sys, time
from pathlib import Path
from proactive_agent.training.folder import lock
with lock(Path(sys.argv[1])):
    print("locked", flush=True)
    time.sleep(600)
"""


@contextmanager
def other_process(out: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that trains into a folder until it is killed."""
    command = [sys.executable, "-c", TRAIN, str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        try:
            yield process
        finally:
            process.kill()


def resumed(out: Path, *options: str) -> Result:
    return CliRunner().invoke(cli, ["train", "--resume", "--out", str(out), *options])


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


def test_a_training_whose_process_died_reads_as_interrupted(tmp_path: Path) -> None:
    manifest().write(tmp_path)
    with other_process(tmp_path) as process:
        assert is_being_trained(tmp_path)
        assert read_manifest(tmp_path).status == "running"
        process.kill()
        process.wait(timeout=60)
        assert not is_being_trained(tmp_path)
        assert read_manifest(tmp_path).status == "interrupted"


def test_a_second_process_does_not_resume_a_training(tmp_path: Path) -> None:
    manifest().write(tmp_path)
    before = contents(tmp_path)
    with other_process(tmp_path):
        result = resumed(tmp_path)
    assert result.exit_code == 2
    assert f"{tmp_path} is being written by another process" in result.stderr
    (tmp_path / f"{MANIFEST}.lock").unlink()  # The killed process left it.
    assert contents(tmp_path) == before


def test_a_folder_that_another_process_trained_into_meanwhile_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    # The other process begins while this one loads its model.
    monkeypatch.setattr(session, "_prepared", lambda *_: manifest().write(out))
    with pytest.raises(UserError, match="is not empty"):
        session.train(manifest().settings, out)
    assert [file.name for file in out.iterdir()] == [MANIFEST]


def test_a_refused_resume_leaves_no_lock_file(tmp_path: Path) -> None:
    manifest().as_ended("finished", 3).write(tmp_path)
    assert "there is nothing to resume" in resumed(tmp_path).stderr
    assert [file.name for file in tmp_path.iterdir()] == [MANIFEST]


def with_settings(out: Path, **settings: Any) -> None:
    written = manifest(trust_remote_code=True)
    more = written.settings.model_copy(update=settings)
    written.model_copy(update={"settings": more}).write(out)


def test_a_dry_run_shows_what_a_resumed_training_would_load_and_send(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with_settings(out, model="someone/model", data="nowhere/else/x", vllm="server",
                  vllm_server="http://evil.example", report_to=("wandb",))  # fmt: skip
    checkpoint(out, 30)
    before = contents(out)
    # It shows everything before it looks at the data, which are missing here.
    result = resumed(out, "--dry-run")
    assert result.stdout.splitlines() == [
        f"{out}: interrupted; it would be resumed from step 30",
        "model: someone/model",
        "  code from the model's repository runs on this machine",
        "  refused without --trust-remote-code",
        "data: nowhere/else/x",
        "test data: the embedded suite",
        "prompts, pictures and weights go to http://evil.example",
        "the metrics of every step are sent to wandb",
    ]
    assert contents(out) == before
    trusted = resumed(out, "--dry-run", "--trust-remote-code")
    assert "refused" not in trusted.stdout
    with other_process(out):
        shown = resumed(out, "--dry-run").stdout
    assert f"{out}: running;" in shown
    assert "  refused now, because another process trains into this folder" in shown


@pytest.mark.local
def test_a_dry_run_finds_what_would_refuse_a_resumed_training(tmp_path: Path) -> None:
    pytest.importorskip("trl", reason="needs the extra `train`")
    from tests.proactive_agent.training.models import split
    from tests.providers import tiny_models

    out, model = tmp_path / "out", tiny_models.folder("smolvlm")
    settings = {"model": str(model), "data": str(split()), "batch_size": 16}
    with_settings(out, **settings)
    changed = f"{split()} has changed since the training in {out} started"
    assert changed in resumed(out, "--dry-run").stderr
    (data,) = split().glob("*.parquet")
    fields = json.loads((out / MANIFEST).read_text())
    fields["data"]["files"] = {data.name: hashlib.sha256(data.read_bytes()).hexdigest()}
    (out / MANIFEST).write_text(json.dumps(fields))
    assert f"{model} has changed since the training" in resumed(out, "--dry-run").stderr
    fields["model"]["folder_sha256"] = folder_sha256(model)
    (out / MANIFEST).write_text(json.dumps(fields))
    result = resumed(out, "--dry-run")
    assert result.exit_code == 0, result.output
    assert "rows to train on" in result.stdout
    assert [file.name for file in out.iterdir()] == [MANIFEST]
