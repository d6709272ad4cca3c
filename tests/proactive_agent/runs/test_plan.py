"""`run --plan`: whole studies."""

import inspect
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

import proactive_agent.runs.plan
from proactive_agent.providers import ApiAccess
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.runs.plan import planned_runs, read_plan
from proactive_agent.tools import UserError
from tests.proactive_agent.api_playing import invoke
from tests.proactive_agent.scripted import write_lines

REPOSITORY = Path(__file__).parents[3]


def write_plan(folder: Path, name: str = "study.yaml", **keys: Any) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / name
    short = {"models": ["baseline:random"], "scenarios": ["rod"], "limit": 1}
    file.write_text(yaml.safe_dump(short | keys))
    return file


def run_plan(file: Path, *options: str, exit_code: int = 0) -> str:
    result = invoke("run", "--plan", str(file), *options)
    assert result.exit_code == exit_code, result.output
    return result.stdout


def lines_of(results: Path) -> dict[str, int]:
    return {
        file.parent.name: file.read_bytes().count(b"\n")
        for file in sorted(results.glob("*/episodes.jsonl"))
    }


# Playing ---------------------------------------------------------------------------------------


def test_the_example_of_the_documentation_runs(tmp_path: Path) -> None:
    example = inspect.getdoc(proactive_agent.runs.plan) or ""
    block = [line[4:] for line in example.splitlines() if line.startswith("    ")]
    file = tmp_path / "study.yaml"
    file.write_text("\n".join(block))
    output = run_plan(file)
    assert lines_of(tmp_path / "results" / "study") == {
        f"{model}_tools_{condition}": 8  # 2 scenarios, 2 samples, 2 repeats
        for model in ("baseline-oracle", "dice")
        for condition in ("hint", "zero-shot")
    }
    for words in ("tools, zero-shot", "tools, hint", "oracle", "dice"):
        assert words in output


def test_the_same_plan_again_plays_nothing_and_needs_no_model(tmp_path: Path) -> None:
    answers = [{"scenario": "rod", "sample_id": 0, "replies": ["What?"]}]
    replies = write_lines(tmp_path / "replies.jsonl", answers)
    file = write_plan(tmp_path, models=[f"replay:{replies}"])
    first = run_plan(file)
    replies.unlink()
    before = lines_of(tmp_path / "results" / "study")
    assert run_plan(file) == first
    assert lines_of(tmp_path / "results" / "study") == before == {next(iter(before)): 1}


def test_a_plan_may_grow(tmp_path: Path) -> None:
    file = write_plan(tmp_path)
    run_plan(file)
    (old,) = (tmp_path / "results" / "study").iterdir()
    before = (old / "episodes.jsonl").read_bytes()
    models = ["baseline:random", "baseline:oracle"]
    run_plan(write_plan(tmp_path, models=models, conditions=["zero-shot", "hint"]))
    assert len(list((tmp_path / "results" / "study").iterdir())) == 4
    assert (old / "episodes.jsonl").read_bytes() == before


def test_what_met_an_error_is_played_again(tmp_path: Path) -> None:
    replies = write_lines(tmp_path / "replies.jsonl", [])
    file = write_plan(tmp_path, models=[f"replay:{replies}"])
    run_plan(file, exit_code=1)
    (folder,) = (tmp_path / "results" / "study").iterdir()
    assert [e.error is None for e in RunFolder(folder).episodes()] == [False]
    write_lines(replies, [{"scenario": "rod", "sample_id": 0, "replies": ["What?"]}])
    run_plan(file)
    assert [e.error is None for e in RunFolder(folder).episodes()] == [True]


def test_models_and_protocols_have_runs_of_their_own(tmp_path: Path) -> None:
    models = [
        {"provider": "openai:some-model", "name": "cold"},
        {"provider": "openai:some-model", "name": "warm", "temperature": 0.5, "rpm": 3},
    ]
    file = write_plan(tmp_path, models=models, protocols=["tools", "mcqa"], max_tokens=99)
    runs = planned_runs(file, None, ApiAccess(rpm=7.0, tpm=1.0))
    assert [run.folder.path.name for run in runs] == [
        f"{model}_{protocol}_zero-shot"
        for model in ("cold", "warm")
        for protocol in ("tools", "mcqa")
    ]
    hows = [run.settings.provider_settings for run in runs]
    assert [how.temperature for how in hows] == [0.0, 0.0, 0.5, 0.5]
    assert {how.max_tokens for how in hows} == {99}
    assert [run.access for run in runs[1:3]] == [
        ApiAccess(rpm=7.0, tpm=1.0),
        ApiAccess(rpm=3.0, tpm=1.0),
    ]


def test_data_and_results_lie_where_the_plan_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from proactive_agent.scenarios.dataset import EMBEDDED

    shutil.copytree(
        EMBEDDED / "Realistic-Occlusion-Dataset", tmp_path / "d" / "Realistic-Occlusion-Dataset"
    )
    shutil.copy(EMBEDDED / "Realistic-Occlusion-Dataset_preprocessed.jsonl", tmp_path / "d")
    file = write_plan(tmp_path / "studies", data="../d", out="../out")
    monkeypatch.chdir("/")
    run_plan(file)
    (folder,) = (tmp_path / "out" / "study").iterdir()
    assert RunFolder(folder).read_manifest().settings.data == str(tmp_path / "d")
    run_plan(file, "--out", str(tmp_path / "elsewhere"))
    assert len(list((tmp_path / "elsewhere" / "study").iterdir())) == 1


def test_a_dry_run_of_a_plan_counts_all_of_it(tmp_path: Path) -> None:
    file = write_plan(tmp_path, conditions=["zero-shot", "hint", "reference"])
    output = run_plan(file, "--dry-run")
    assert "tools, reference\n" in output
    (total,) = (line.split() for line in output.splitlines() if line.startswith("in all"))
    assert total[2] == "3"
    assert not (tmp_path / "results").exists()


# Interrupted -------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_plan_goes_on_where_it_was(how: signal.Signals, tmp_path: Path) -> None:
    file = write_plan(
        tmp_path, models=["slow:random"], conditions=["zero-shot", "hint"], limit=12, repeats=2
    )
    command = [
        sys.executable,
        "-m",
        "tests.proactive_agent.slow_program",
        "run",
        "--plan",
        str(file),
    ]
    command += ["--concurrency", "2"]
    process = subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    results = tmp_path / "results" / "study"
    wait_for(process, results, "slow-random_tools_hint", 3)
    process.send_signal(how)
    _, errors = process.communicate(timeout=60)
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert f"continue with: --plan {file}" in errors
    before = lines_of(results)
    assert before["slow-random_tools_zero-shot"] == 24
    assert 3 <= before["slow-random_tools_hint"] < 24
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert lines_of(results) == dict.fromkeys(before, 24)
    for folder in results.iterdir():
        episodes = list(RunFolder(folder).episodes())
        assert len({episode.key for episode in episodes}) == 24


def wait_for(process: subprocess.Popen[str], results: Path, run: str, episodes: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if lines_of(results).get(run, 0) >= episodes:
            return
        time.sleep(0.01)
    raise AssertionError(f"no {episodes} episodes came: {process.communicate()}")


# Changed -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"limit": 2}, "limit was 1, is 2"),
        ({"seed": 5}, "seed was 0, is 5"),
        ({"temperature": 0.5}, "temperature was 0.0, is 0.5"),
        ({"scenarios": ["rod", "coco"]}, "scenarios was ('rod',), is ('rod', 'coco')"),
    ],
)
def test_a_plan_that_has_changed_is_refused(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    run_plan(write_plan(tmp_path))
    before = lines_of(tmp_path / "results" / "study")
    file = write_plan(tmp_path, **change)
    result = invoke("run", "--plan", str(file))
    assert result.exit_code == 2
    assert f"{file} has changed since" in result.stderr
    assert message in result.stderr
    assert lines_of(tmp_path / "results" / "study") == before
    run_plan(write_plan(tmp_path, name="other.yaml", **change))


# Faulty ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("models: [baseline:random", "line 1: "),
        ("", "a plan is a mapping with the key models"),
        ("- baseline:random", "a plan is a mapping"),
        ("limit: 3", "line 1: models: is missing"),
        ("models: []", "line 1: models: List should have at least 1 item"),
        ("models:\n  - baseline:random\nlimt: 3", "line 3: limt: unknown key"),
        (
            "models: [baseline:random]\n\nlimit: none",
            "line 3: limit: Input should be a valid integer",
        ),
        ("models: [baseline:random]\nlimit: 0", "line 2: limit: Input should be greater than or"),
        (
            "models: [baseline:random]\nrepeats: true",
            "line 2: repeats: Input should be a valid int",
        ),
        (
            "models:\n- baseline:random\n- random",
            "line 3: models.1.provider: provider 'random': expected NAME:MODEL",
        ),
        ("models:\n- provider: nobody:x", "line 2: models.0.provider: unknown provider 'nobody'"),
        (
            "models:\n- provider: baseline:random\n  dtyp: float32",
            "line 3: models.0.dtyp: unknown key",
        ),
        ("models:\n- dtype: float32", "line 2: models.0.provider: is missing"),
        ("models: [baseline:random]\nconditions: [mood]", "line 2: conditions: unknown condition"),
        (
            "models: [baseline:random]\nprotocols: [mcqa]\nconditions: [stateless]",
            "line 3: conditions: condition 'stateless' with 'mcqa'",
        ),
        ("models: [baseline:random]\nscenarios: [cubism]", "line 2: scenarios.0: unknown scenario"),
        ("models: [baseline:random]\nprotocols: [quiz]", "line 2: protocols.0: Input should be"),
        ("models: [baseline:random]\nlimit: 1\nlimit: 2", "line 3: limit: is given twice"),
        ("models:\n- provider: a:b\n  provider: c:d", "line 3: provider: is given twice"),
        (
            "models: [baseline:random, baseline:random]",
            "'baseline:random' is given twice; give",
        ),
        (
            "models: [baseline:random]\nname: ../x",
            "name: '../x' cannot be the name",
        ),
        ("models: !!python/object/apply:os.system [ls]", "line 1: "),
        ("models: [baseline:random]\njudge: local:x", "judge needs protocol oeg"),
        ("models: [baseline:random]\nhistory_size: 3", "history_size needs condition history"),
        ("models: [openai:m]\ndtype: float32", "dtype needs a model of the provider local"),
        (
            "models:\n- local:m\n- provider: openai:m\n  dtype: float32",
            "openai:m: dtype needs a model of the provider local",
        ),
        ("models: [replay:a/b, replay:a-b]", "two runs would be named replay-a-b_tools_zero-shot"),
    ],
)
def test_a_faulty_plan_names_file_line_and_key(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(text)
    with pytest.raises(UserError) as raised:
        planned_runs(file, None, ApiAccess())
    assert str(raised.value).startswith(str(file))
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_plan_that_is_not_there_is_wrong_input(tmp_path: Path) -> None:
    result = invoke("run", "--plan", str(tmp_path / "none.yaml"))
    assert result.exit_code == 2
    assert "none.yaml" in result.stderr


def test_a_plan_writes_fields_and_headers_as_yaml_does(tmp_path: Path) -> None:
    routing = {"provider": {"order": ["x"]}}
    model = {"provider": "openai:m", "header": ["X-Title=study"], "extra_body": routing}
    (run,) = planned_runs(write_plan(tmp_path, models=[model]), None, ApiAccess())
    how = run.settings.provider_settings
    assert how.header == ("X-Title=study",)
    assert json.loads(how.extra_body or "") == routing


def test_a_plan_is_named_like_its_file(tmp_path: Path) -> None:
    assert read_plan(write_plan(tmp_path, "friday.yml")).name == "friday"
    assert read_plan(write_plan(tmp_path, name="study.yaml")).name == "study"
    file = tmp_path / "named.yaml"
    file.write_text(json.dumps({"models": ["baseline:random"], "name": "monday"}))
    assert read_plan(file).name == "monday"
