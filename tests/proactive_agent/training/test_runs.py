"""Whole trainings of tiny models: learning, saving, loading, playing and resuming."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl", reason="needs the extra `train`")

from safetensors import safe_open

from proactive_agent.cli.app import cli
from proactive_agent.tools import UserError
from proactive_agent.training.checkpoints import MARKER, last_checkpoint
from proactive_agent.training.events import Event, Stepped
from proactive_agent.training.folder import read_journal, read_manifest
from proactive_agent.training.session import resume, train
from proactive_agent.training.settings import TrainingSettings
from tests.proactive_agent.training.models import (
    SHORT,
    rewarded,
    split,
    steps,
    taught,
    trained,
)

pytestmark = pytest.mark.local


def played(results: Path, folder: Path) -> list[str]:
    """Runs a model by the command line and returns its replies."""
    from click.testing import CliRunner

    options = ["--protocol", "mcqa", "--limit", "1", "--max-tokens", "8", "--batch-size", "16"]
    command = ["run", "--provider", f"local:{folder}", "--out", str(results), *options]
    result = CliRunner().invoke(cli, command)
    assert result.exit_code == 0, result.output
    (run,) = results.iterdir()
    return said(run)


def said(run: Path) -> list[str]:
    """Returns every reply of a run, in the order of the samples."""
    lines = (run / "episodes.jsonl").read_text().splitlines()
    episodes = sorted(map(json.loads, lines), key=lambda e: (e["scenario"], e["sample_id"]))
    return [turn["reply"]["text"] for episode in episodes for turn in episode["turns"]]


@pytest.mark.parametrize("kind", ["smolvlm", "llava_onevision"])
def test_supervised_training_lowers_the_loss(kind: str) -> None:
    lines = read_journal(taught(kind))
    losses = [line["loss"] for line in lines]
    assert len(losses) == 14
    assert losses[-1] < 0.5 * losses[2]
    assert {line["phase"] for line in lines} == {"sft"}


@pytest.mark.parametrize("kind", ["smolvlm", "llava_onevision"])
def test_a_run_loads_the_model_that_grpo_trained(kind: str, tmp_path: Path) -> None:
    out, logged = rewarded(kind)
    assert [line["step"] for line in logged] == [1, 2, 3]
    assert any(line["grad_norm"] > 0 for line in logged)
    for line in logged:
        parts = ("category", "suggestion", "price", "over_asking")
        assert line["reward"] == pytest.approx(sum(line[f"reward/{part}"] for part in parts))
        assert ("kl" in line) == (kind == "smolvlm")
    after = said(out / "evaluations" / "after-zero-shot")
    assert played(tmp_path, out) == after
    manifest = read_manifest(out)
    assert (manifest.status, manifest.steps) == ("finished", 3)
    assert (out / "README.md").read_text().count("→") == 7 * 4


def test_only_the_language_model_gets_adapters() -> None:
    with safe_open(rewarded("llava_onevision").out / "adapter_model.safetensors", "pt") as file:
        names = set(file.keys())
    layers = {name.rpartition(".lora_")[0] for name in names}
    expected = {
        f"base_model.model.model.language_model.layers.{layer}.self_attn.{name}"
        for layer in (0, 1)
        for name in ("q_proj", "k_proj")
    }
    assert layers == expected


class _StopError(KeyboardInterrupt):
    """Ctrl-C during a training."""


def test_a_resumed_training_logs_what_an_uninterrupted_one_does(tmp_path: Path) -> None:
    settings = TrainingSettings.of(
        **{**SHORT, "save_every": 2}, data=str(split()), model=str(taught("smolvlm")), max_steps=4,
        learning_rate=1e-2, max_tokens=4, eval_every=2, held_out=2,
    )  # fmt: skip
    whole: list[Event] = []
    train(settings, tmp_path / "whole", whole.append)

    def interrupted(event: Event) -> None:
        if isinstance(event, Stepped) and event.step == 3:
            raise _StopError

    with pytest.raises(_StopError):
        train(settings, tmp_path / "parts", interrupted)
    assert read_manifest(tmp_path / "parts").status == "interrupted"
    told: list[Event] = []
    resume(tmp_path / "parts", told.append)
    assert [line["step"] for line in steps(told)] == [3, 4, 4]
    assert essence(tmp_path / "parts") == essence(tmp_path / "whole")
    with pytest.raises(UserError, match="is finished: there is nothing to resume"):
        resume(tmp_path / "parts")


@pytest.mark.parametrize("older", [False, True], ids=["marked", "before the marker existed"])
def test_a_training_that_died_after_its_last_step_takes_no_further_step(
    older: bool, tmp_path: Path
) -> None:
    whole, out = rewarded("smolvlm").out, tmp_path / "out"
    shutil.copytree(whole, out)
    (out / "model.safetensors").unlink()
    fields = json.loads((out / "train.json").read_text())
    log = read_journal(out)
    if older:
        for marker in (out / "checkpoints").glob(f"*/{MARKER}"):
            marker.unlink()
        del fields["marked_checkpoints"]
    (out / "train.json").write_text(json.dumps({**fields, "status": "running"}))
    assert resume(out).steps == 3
    trained_lines = [line for line in log if line["phase"] != "benchmark"]
    assert [line for line in read_journal(out) if line["phase"] != "benchmark"] == trained_lines
    assert read_manifest(out).marked_checkpoints
    assert last_checkpoint(out) is not None
    assert essence(out) == essence(whole)
    weights = [(folder / "model.safetensors").read_bytes() for folder in (out, whole)]
    assert weights[0] == weights[1]


def essence(out: Path) -> list[dict[str, Any]]:
    """Returns the journal without measured times."""
    clocks = ("runtime", "per_second", "time")
    lines = read_journal(out)
    assert any(line.get("loss") for line in lines)
    return [
        {name: value for name, value in line.items() if not name.endswith(clocks)} for line in lines
    ]


@pytest.mark.parametrize(
    ("part", "change", "what"),
    [
        ("data", {"files": {"train-00000-of-00001.parquet": "0" * 64}}, "split"),
        ("model", {"folder_sha256": "0" * 64}, "llava_onevision"),
    ],
)
def test_a_changed_split_or_model_is_not_resumed(
    part: str, change: dict[str, Any], what: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(rewarded("llava_onevision").out, out)
    fields = json.loads((out / "train.json").read_text())
    fields["status"] = "interrupted"
    fields[part].update(change)
    (out / "train.json").write_text(json.dumps(fields))
    with pytest.raises(UserError, match=rf"{what} has changed since the training in .* started"):
        resume(out)


def test_a_checkpoint_is_loaded_like_any_model(tmp_path: Path) -> None:
    out = rewarded("smolvlm").out
    (checkpoint,) = (out / "checkpoints").glob("checkpoint-*")
    assert checkpoint.name == "checkpoint-3"
    assert played(tmp_path, checkpoint) == said(out / "evaluations" / "after-zero-shot")


def test_a_warm_up_comes_first_and_leaves_one_adapter(tmp_path: Path) -> None:
    out = tmp_path / "out"
    logged = trained(
        out, model=str(taught("llava_onevision")), warm_up=2, warm_up_learning_rate=1e-2,
        max_steps=1, max_tokens=4,
    )  # fmt: skip
    assert [line["phase"] for line in logged] == ["warm-up", "warm-up", "grpo"]
    assert json.loads((out / "adapter_config.json").read_text())["peft_type"] == "LORA"
    with safe_open(out / "adapter_model.safetensors", "pt") as file:
        lora_b = [file.get_tensor(name) for name in file.keys() if "lora_B" in name]  # noqa: SIM118
    assert any(tensor.abs().max() > 1e-3 for tensor in lora_b)


def test_a_warm_up_writes_no_checkpoints(tmp_path: Path) -> None:
    out = tmp_path / "out"
    settings = TrainingSettings.of(
        **{**SHORT, "save_every": 1}, data=str(split()), model=str(taught("llava_onevision")),
        warm_up=2, max_steps=1, max_tokens=4,
    )  # fmt: skip

    def interrupted(event: Event) -> None:
        if isinstance(event, Stepped) and (event.phase, event.step) == ("warm-up", 2):
            raise _StopError

    with pytest.raises(_StopError):
        train(settings, out, interrupted)
    assert last_checkpoint(out) is None
    told: list[Event] = []
    resume(out, told.append)
    assert [line["phase"] for line in steps(told)] == ["warm-up", "warm-up", "grpo"]


def test_every_step_has_its_line_despite_a_benchmark_between_steps(tmp_path: Path) -> None:
    out = tmp_path / "out"
    trained(out, model=str(taught("smolvlm")), max_steps=3, eval_every=1, eval_limit=1, held_out=0,
            max_tokens=4)  # fmt: skip
    lines = read_journal(out)
    assert [line["step"] for line in lines if "reward" in line] == [1, 2, 3]
    found = [line["step"] for line in lines if any(name.startswith("benchmark/") for name in line)]
    assert found == [0, 1, 2, 3]


def test_two_processes_train_one_model(tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = {
        "model": taught("smolvlm"), "data": split(), "out": out, "device": "cpu", "batch-size": 8,
        "rollouts": 4, "device-batch-size": 4, "max-steps": 1, "max-tokens": 4, "eval-limit": 1,
        "held-out": 0, "save-every": 1,
    }  # fmt: skip
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
    subprocess.run(
        [*launch, "-m", "proactive_agent", "train", *words],
        check=True, capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert read_manifest(out).processes == 2
    checkpoint = last_checkpoint(out)
    assert checkpoint is not None
    # Each process wrote its random state before the checkpoint counted as complete.
    assert {"rng_state_0.pth", "rng_state_1.pth"} <= set(
        json.loads((checkpoint / MARKER).read_text())
    )
    assert [(line["phase"], line["step"]) for line in read_journal(out)] == [
        ("benchmark", 0), ("grpo", 1), ("benchmark", 1),
    ]  # fmt: skip


def test_a_training_stops_early_without_a_better_held_out_reward(tmp_path: Path) -> None:
    out = tmp_path / "out"
    trained(out, model=str(taught("smolvlm")), max_steps=6, eval_every=1, held_out=2, patience=2,
            learning_rate=1e-12, max_tokens=4)  # fmt: skip
    manifest = read_manifest(out)
    assert manifest.stopped_early
    assert 3 <= manifest.steps < 6


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(
        UserError,
        match=r"is not empty: choose another folder, or continue its training with --resume",
    ):
        trained(tmp_path, model="idefics2")
