"""The command `train`: its errors, its output and its files."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from proactive_agent.cli.app import cli
from proactive_agent.cli.train_options import OPTIONS
from proactive_agent.cli.train_view import evaluation_lines, metrics_line
from proactive_agent.training.recipes import RECIPES
from proactive_agent.training.settings import TrainingSettings

pytest.importorskip("trl", reason="needs the extra `train`")

from proactive_agent.tools.install import install_command
from tests.proactive_agent.training.material import fields, small_split, write_split
from tests.providers import tiny_models

pytestmark = pytest.mark.local


def train(*options: str) -> Result:
    return CliRunner().invoke(cli, ["train", *options])


def refused(*options: str) -> str:
    result = train(*options)
    assert result.exit_code == 2, result.output
    return result.stderr.strip()


def test_help_imports_no_library_of_the_extra() -> None:
    code = (
        "import sys; from proactive_agent.cli.app import cli\n"
        "try: cli(['train', '--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'transformers', 'trl', 'peft', 'datasets', 'numpy', 'pydantic'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "--reward-suggestion" in done.stdout


def test_every_setting_is_an_option_with_the_same_default() -> None:
    given = cli.commands["train"].make_context("train", []).params
    own = {"out", "resume", "dry_run"}
    assert set(given) - own == set(TrainingSettings.model_fields)
    for name, field in TrainingSettings.model_fields.items():
        if not field.is_required():
            assert given[name] == field.default, name


def test_a_dry_run_shows_the_mix_and_writes_nothing(tmp_path: Path) -> None:
    data = small_split(tmp_path)
    model = str(tiny_models.folder("smolvlm"))
    result = train(
        "--model", model, "--data", str(data), "--out", str(tmp_path / "out"), "--dry-run",
        "--scenario", "coco", "--batch-size", "16",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.output.splitlines()]
    assert ["coco", "6", "6", "0"] in lines
    assert ["quickdraw", "unseen", "unseen"] in lines
    assert "2 prompts per step are few" in result.output
    assert not (tmp_path / "out").exists()


def test_a_dry_run_loads_no_model(tmp_path: Path) -> None:
    data = small_split(tmp_path)
    result = train(
        "--model", "nobody/has-this-model", "--data", str(data), "--out", str(tmp_path / "out"),
        "--batch-size", "16", "--dry-run",
    )  # fmt: skip
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--report-to", "wandb"],
            "--report-to wandb needs a library that is not installed: pip install wandb",
        ),
        (["--report-to", "paper"], "--report-to: 'paper' is not one of azure_ml"),
        (
            ["--vllm", "colocate"],
            "--vllm needs a library that is not installed: pip install 'trl[vllm]'",
        ),
        (["--optimizer", "nonsense"], "nonsense is not a valid OptimizerNames"),
        (["--schedule", "nonsense"], "nonsense is not a valid SchedulerType"),
    ],
)
def test_errors_of_the_trainers_come_before_data_is_read(
    options: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for library in ("wandb", "vllm"):
        monkeypatch.setitem(sys.modules, library, None)
    message = refused(
        "--model", "m/m", "--data", "nowhere", "--out", str(tmp_path / "out"), *options
    )
    assert said in message
    assert len(message.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_wrong_row_gives_a_one_line_error(tmp_path: Path) -> None:
    write_split(tmp_path, [fields(0), fields(1, ground_truth="Teapot.")])
    said = refused("--model", "m/m", "--data", str(tmp_path), "--out", str(tmp_path / "out"))
    assert said.startswith("error: train-00000-of-00001.parquet, row 1: ground_truth: 'Teapot.'")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "--out is missing"),
        (["--out", "o"], "--model is missing"),
        (["--out", "o", "--model", "m"], "--data is missing"),
        (["--out", "o", "--model", "m", "--data", "d", "--scenario", "maze"], "unknown scenario"),
        (
            ["--out", "o", "--model", "m", "--data", "d", "--batch-size", "9"],
            "which is not a multiple of rollouts (8)",
        ),
        (["--out", "o", "--resume", "--seed", "1"], "settings of the training; drop --seed"),
        (["--out", "nowhere", "--resume"], "nowhere is not the folder of a training: train.json"),
    ],
)
def test_wrong_options_give_one_line_errors(
    options: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    message = refused(*options)
    assert said in message
    assert len(message.splitlines()) == 1


def test_too_few_rows_for_a_step_are_refused(tmp_path: Path) -> None:
    data = small_split(tmp_path, 8)
    said = refused("--model", "m/m", "--data", str(data), "--out", str(tmp_path / "out"))
    assert "one step takes 64 prompts, but there are only 8 rows to train on" in said


def test_a_missing_library_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trl", None)
    said = refused("--model", "m/m", "--data", "d", "--out", str(tmp_path / "out"))
    assert install_command("train") in said


def test_a_missing_lora_target_is_named(tmp_path: Path) -> None:
    data = small_split(tmp_path)
    said = refused(
        "--model", str(tiny_models.folder("smolvlm")), "--data", str(data), "--batch-size", "16",
        "--out", str(tmp_path / "out"), "--lora-target", "q_proj", "--lora-target", "c_attn",
    )  # fmt: skip
    assert said.endswith("error: lora-target: the language model has no layer c_attn")
    assert not (tmp_path / "out").exists()


def test_a_training_of_the_command_line_writes_its_manifest(tmp_path: Path) -> None:
    data, out = small_split(tmp_path), tmp_path / "out"
    result = train(
        "--model", str(tiny_models.folder("smolvlm")), "--data", str(data), "--out", str(out),
        "--batch-size", "8", "--rollouts", "4", "--max-steps", "1", "--max-tokens", "4",
        "--eval-limit", "0", "--protocol", "tools", "--report-to", "none",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert f"run --provider local:{out}" in result.output.replace("\n", "")
    manifest = json.loads((out / "train.json").read_text())
    assert manifest["settings"]["data"] == str(data)
    assert manifest["settings"]["lora_targets"] == ["q_proj", "k_proj"]
    assert manifest["data"]["train"]["coco"] == {"ambiguous": 6, "clear": 6}
    assert len(manifest["model"]["folder_sha256"]) == 64
    assert {"trl", "peft", "torch"} <= set(manifest["versions"])
    (line,) = (out / "log.jsonl").read_text().splitlines()
    assert json.loads(line)["tokens_per_second"] > 0


def test_the_line_of_progress() -> None:
    values = {"reward": 0.5, "ask_rate/ambiguous": 0.25, "loss": 0.1, "entropy": None}
    assert metrics_line({**values, "tokens_per_second": 99.6}) == "reward 0.50 asks 0.25 100 tok/s"
    assert metrics_line({"loss": 0.125}) == "loss 0.12"


def test_an_evaluation_is_two_lines() -> None:
    values = {
        "trained/asks/ambiguous": 0.875, "trained/asks/clear": 0.0, "trained/acc/ambiguous": 0.5,
        "trained/acc/clear": 1.0, "trained/psr": 1.25, "unseen/asks/ambiguous": 0.1,
    }  # fmt: skip
    assert evaluation_lines("after", values) == [
        "after, trained: asks 88% (on clear frames 0%), acc 50% (100%), psr 1.2",
        "after, unseen: asks 10% (on clear frames -), acc - (-), psr 0.0",
    ]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[TrainingSettings]:
    """Settings of the trainings that would have been started."""
    found: list[TrainingSettings] = []
    monkeypatch.setattr(
        "proactive_agent.cli.train_view.show_training",
        lambda settings, out, **more: found.append(settings),
    )
    return found


def test_a_model_may_be_named_as_in_run_and_generated_scenes_as_data(
    asked: list[TrainingSettings], tmp_path: Path
) -> None:
    options = ("--model", "local:nano", "--data", "fresh:train", "--out", str(tmp_path))
    assert train(*options).exit_code == 0
    (settings,) = asked
    assert (settings.model, settings.data) == ("nano", "fresh:1720000:seen")


def test_options_of_a_model_s_own_recipe_give_way_to_those_of_the_user(
    asked: list[TrainingSettings], tmp_path: Path
) -> None:
    recipe = RECIPES["nano"]
    options = ("--data", "fresh:train", "--out", str(tmp_path), "--lora-rank", "4")
    result = train("--model", "nano", *options, "--learning-rate", "1e-5", "--scenario", "coco")
    assert "--lora-target v_proj" in result.output
    assert "--learning-rate" not in result.output
    assert train("--model", "idefics2", *options).output == ""
    nano, idefics = asked
    assert (nano.learning_rate, nano.scenarios, nano.lora_rank) == (1e-5, ("coco",), 4)
    assert nano.lora_targets == recipe["lora_targets"] != idefics.lora_targets
    assert idefics == TrainingSettings.of(model="idefics2", data=nano.data, lora_rank=4)


def test_every_setting_of_a_recipe_is_an_option_of_train() -> None:
    names = {option.name for group in OPTIONS.values() for option in group}
    for recipe in RECIPES.values():
        assert recipe.keys() <= names
        assert not recipe.keys() & {"model", "data", "out", "seed", "reward_suggestion"}
