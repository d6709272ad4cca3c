import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from proactive_agent.cli.app import cli
from proactive_agent.providers.baselines import BASELINES, DEFAULT_BASELINES
from proactive_agent.records.failure_groups import GROUPS
from proactive_agent.scenarios import SCENARIOS
from proactive_agent.tools.install import install_command
from tests.proactive_agent.scripted import sample_of, write_lines


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "results"


def run(results: Path, *options: str, exit_code: int = 0) -> Result:
    result = invoke("run", "--out", str(results), *options)
    assert result.exit_code == exit_code, result.output
    return result


def folders(results: Path) -> list[Path]:
    return sorted(results.iterdir())


def episodes(results: Path) -> list[dict[str, Any]]:
    (folder,) = folders(results)
    return [json.loads(line) for line in (folder / "episodes.jsonl").read_text().splitlines()]


# run ---------------------------------------------------------------------------------------------


def test_without_arguments_the_baselines_play_the_embedded_suite(results: Path) -> None:
    output = run(results).stdout
    for word in ("oracle", "never-ask", "ROD", "COCO", "mean", "cannot be compared with"):
        assert word in output
    assert len(folders(results)) == 6


def test_one_provider_ends_with_a_table_per_scenario(results: Path) -> None:
    output = run(results, "--provider", "baseline:oracle", "--scenario", "rod,vsod").stdout
    rows = {line.split()[0]: line.split() for line in output.splitlines() if line.split()}
    assert rows["rod"][2] == rows["vsod"][2] == "100.0"
    assert "coco" not in rows


def test_options_reach_the_records(results: Path) -> None:
    run(results, "--provider", "baseline:first-option", "--scenario", "ROD", "--limit", "1",
        "--protocol", "mcqa", "--condition", "hint", "--seed", "7")  # fmt: skip
    (episode,) = episodes(results)
    assert (episode["scenario"], episode["sample_id"]) == ("rod", 0)
    assert (episode["protocol"], episode["condition"]) == ("mcqa", "hint")
    manifest = json.loads((folders(results)[0] / "run.json").read_text())
    assert manifest["settings"]["seed"] == 7
    assert episode["turns"][0]["options"][-4:] == sample_of("rod").categories


def test_a_replay_is_scored_again(results: Path, tmp_path: Path) -> None:
    sample = sample_of("vsod")
    lines = [{"scenario": "OcclusionDataSet-MM20", "sample_id": 0, "replies": [sample.answer]}]
    file = write_lines(tmp_path / "replies.jsonl", lines)
    run(results, "--provider", f"replay:{file}", "--protocol", "mcqa", "--scenario", "vsod",
        "--limit", "1")  # fmt: skip
    assert episodes(results)[0]["outcome"]["correct"]


def test_a_runs_own_episodes_can_be_replayed(results: Path, tmp_path: Path) -> None:
    run(results, "--provider", "baseline:random")
    first = folders(results)[0] / "episodes.jsonl"
    again = tmp_path / "again"
    run(again, "--provider", f"replay:{first}")
    assert (folders(again)[0] / "summary.json").read_text().count('"errors": 0') == 8
    before = {(e["scenario"], e["sample_id"]): e["outcome"] for e in episodes(results)}
    after = {(e["scenario"], e["sample_id"]): e["outcome"] for e in episodes(again)}
    assert before == after


def test_replies_that_run_out_make_error_records(results: Path, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "r.jsonl", [{"scenario": "rod", "sample_id": 0, "replies": []}])
    output = run(results, "--provider", f"replay:{file}", "--scenario", "rod", exit_code=1).stdout
    assert {e["outcome"]["stop"] for e in episodes(results)} == {"error"}
    assert "-" in output


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
@pytest.mark.parametrize(
    ("option", "needs"),
    [
        (("--workers", "2"), "--workers needs a model of the provider local;"),
        (("--batch-api",), "--batch-api needs a model of the provider openai or anthropic;"),
        (("--rpm", "3"), "--rpm needs a model of the provider openai, anthropic or litellm;"),
    ],
)
def test_a_resumed_run_refuses_what_a_fresh_run_refuses(
    option: tuple[str, ...], needs: str, more: tuple[str, ...], results: Path
) -> None:
    """The run is finished, so that without the refusal the command would succeed."""
    fresh = ("--provider", "baseline:oracle", "--scenario", "rod", "--limit", "1")
    run(results, *fresh)
    (folder,) = results.iterdir()
    for which in (fresh, ("--resume", str(folder))):
        said = run(results, *which, *option, *more, exit_code=2).stderr
        assert said.startswith(f"error: {needs}")


def resumed_dry_run(results: Path, *played: str) -> str:
    """Returns the dry run of what is left, after a run whose replies answer the samples 0 and 1."""
    answers = [{"scenario": "rod", "sample_id": one, "replies": ["What?"]} for one in (0, 1)]
    model = f"replay:{write_lines(results.parent / 'replies.jsonl', answers)}"
    invoke("run", "--out", str(results), "--provider", model, "--scenario", "rod", *played)
    (folder,) = folders(results)
    return run(results, "--resume", str(folder), "--dry-run").stdout


def test_a_dry_run_of_a_resumed_run_estimates_what_is_left(results: Path) -> None:
    output = resumed_dry_run(results, "--limit", "3")
    assert "1 episodes are left" in output
    assert "first request: rod, sample 2" in output
    (total,) = (line.split() for line in output.splitlines() if line.startswith("in all"))
    assert total[2] == "1"


def test_a_dry_run_of_a_finished_run_says_that_nothing_is_left(results: Path) -> None:
    output = resumed_dry_run(results, "--limit", "2")
    assert "No episode is left to play." in output
    assert "in all" not in output


def test_a_dry_run_shows_the_first_request_and_writes_nothing(results: Path) -> None:
    output = run(results, "--dry-run", "--provider", "local:never-loaded").stdout
    assert sample_of("rod").prompt in output
    assert "── tools\nmove_object\n" in output
    assert "in all" in output
    assert not results.exists()


@pytest.mark.parametrize(
    ("options", "place"),
    [
        ((), "nothing is sent; the model runs on this machine"),
        (("--workers", "2"), "nothing is sent; 2 workers on this machine"),
        (
            ("--ray", "10.1.2.3:6379", "--workers", "2"),
            "prompts and pictures go to the workers of the Ray cluster at 10.1.2.3:6379",
        ),
        (
            ("--ray", "auto"),
            "prompts and pictures go to the workers of the Ray cluster to which this machine "
            "belongs",
        ),
    ],
)
def test_a_dry_run_says_where_a_local_model_is(
    options: tuple[str, ...], place: str, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    model = ("--provider", "local:never-loaded", "--limit", "1", "--scenario", "rod")
    output = run(results, "--dry-run", *model, *options).stdout
    assert f"local:never-loaded: {place}\n" in output


def test_a_dry_run_says_where_a_local_judge_is(results: Path) -> None:
    judged = ("--protocol", "oeg", "--judge", "local:never-loaded", "--ray", "10.1.2.3:6379")
    output = run(results, "--dry-run", "--limit", "1", "--scenario", "rod", *judged).stdout
    assert "local:never-loaded: prompts and pictures go to the workers of the Ray" in output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--provider", "nonsense"], "expected NAME:MODEL"),
        (["--provider", "Oracle"], "did you mean baseline:oracle?"),
        (["--provider", "qwen2.5-vl-3b"], "did you mean local:qwen2.5-vl-3b?"),
        (["--provider", "gpt-4.1"], "did you mean openai:gpt-4.1?"),
        (["--provider", "opnai:x"], "did you mean 'openai'? known: agent, anthropic"),
        (["--provider", "baseline:orcale"], "did you mean 'oracle'?"),
        (["--scenario", "rodd"], "did you mean 'rod'?"),
        (["--condition", "hints"], "did you mean 'hint'?"),
        (["--provider", "nobody:x"], "unknown provider 'nobody'; known: agent, anthropic"),
        (["--provider", "baseline:x"], "unknown baseline 'x'; known: oracle"),
        (["--provider", "replay:none.jsonl"], "none.jsonl"),
        (["--scenario", "cubism"], "unknown scenario 'cubism'; known: rod"),
        (["--data", "nowhere"], "nowhere is not a folder"),
        (["--condition", "mood"], "unknown condition 'mood'"),
        (["--resume", "nowhere"], "no run 'nowhere'"),
        (["--resume", "nowhere", "--seed", "3", "--attn", "sdpa"], "drop --seed, --attn"),
        (["--limit", "0"], "--limit"),
        (["--protocol", "quiz"], "--protocol"),
        (["--provider", "local:nano", "--ray", ""], "--ray '' is not the address of a cluster"),
    ],
)
def test_wrong_input_is_one_clear_line_and_exit_code_2(
    options: list[str], message: str, results: Path
) -> None:
    result = invoke("run", "--out", str(results), *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not results.exists()


def test_a_missing_extra_names_the_install_command(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setitem(sys.modules, "transformers", None)
    for module in [
        name for name in sys.modules if name.startswith("proactive_agent.providers.local")
    ]:
        monkeypatch.delitem(sys.modules, module)
    result = invoke("run", "--provider", "local:idefics2", "--out", str(results))
    assert result.exit_code == 2
    assert install_command("local") in result.stderr


# compare and trace -------------------------------------------------------------------------------


@pytest.fixture
def two_runs(results: Path) -> list[str]:
    run(results, "--provider", "baseline:oracle", "--scenario", "rod", "--limit", "2")
    run(results, "--provider", "baseline:never-ask", "--scenario", "rod", "--limit", "3")
    return [str(folder) for folder in folders(results)]


def test_compare_shows_runs_side_by_side_and_how_they_differ(two_runs: list[str]) -> None:
    result = invoke("compare", *two_runs)
    assert result.exit_code == 0, result.output
    for word in ("baseline:oracle", "baseline:never-ask", "ROD", "acc, points: difference to",
                 "differ in limit: 2, 3"):  # fmt: skip
        assert word in result.stdout


def test_compare_writes_for_programs_and_says_the_rest_beside(two_runs: list[str]) -> None:
    oracle = next(run for run in two_runs if "oracle" in run)
    result = invoke("compare", *two_runs, "--format", "json", "--baseline", oracle)
    report = json.loads(result.stdout)
    assert report["baseline"] == "baseline:oracle"
    assert list(report["differences"]) == ["baseline:never-ask"]
    assert "differ in limit: 2, 3" in result.stderr


def test_one_run_is_compared_scenario_by_scenario(two_runs: list[str]) -> None:
    output = invoke("compare", two_runs[0]).stdout
    for word in ("rod", "turns, %", "tool calls, %"):
        assert word in output


def test_a_baseline_that_is_not_compared_is_wrong_input(two_runs: list[str]) -> None:
    result = invoke("compare", two_runs[0], "--baseline", "other")
    assert result.exit_code == 2
    assert "--baseline other: not one of the compared runs" in result.stderr


def test_trace_lists_episodes(two_runs: list[str]) -> None:
    oracle = next(run for run in two_runs if "oracle" in run)
    result = invoke("trace", oracle)
    assert result.exit_code == 0, result.output
    assert "rod:0" in result.stdout
    assert "correct" in result.stdout


def test_trace_filters(two_runs: list[str]) -> None:
    silent = next(run for run in two_runs if "never-ask" in run)
    assert "rod:0" in invoke("trace", silent, "--wrong").stdout
    for option in ("--correct", "--errors"):
        assert "rod:0" not in invoke("trace", silent, option).stdout
    assert "rod:0" not in invoke("trace", silent, "--scenario", "coco").stdout


def test_trace_shows_one_episode_turn_by_turn(two_runs: list[str]) -> None:
    oracle = next(run for run in two_runs if "oracle" in run)
    output = invoke("trace", oracle, "--sample", "rod:1").stdout
    assert sample_of("rod", 1).prompt in output
    assert 'move_object({"direction":' in output
    assert "suggestion correct" in output
    assert "category correct" in output
    assert "rod:0" not in output


def test_trace_of_an_unknown_sample_is_wrong_input(two_runs: list[str]) -> None:
    result = invoke("trace", two_runs[0], "--sample", "rod:99")
    assert result.exit_code == 2
    assert "no episode rod:99" in result.stderr
    assert "of rod it has 0, 1" in result.stderr


# The program as a process ------------------------------------------------------------------------


def program(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "proactive_agent", *arguments],
        cwd=cwd, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_folders_named_like_our_packages_do_not_shadow_them(tmp_path: Path) -> None:
    for name in ("tools", "providers", "scenarios"):
        package = tmp_path / name
        package.mkdir()
        (package / "__init__.py").write_text(f"raise RuntimeError('the wrong {name}')")
        (tmp_path / f"{name}.py").write_text(f"raise RuntimeError('the wrong {name}.py')")
    done = program("run", "--provider", "baseline:oracle", "--limit", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "100.0" in done.stdout


HEAVY = ["rich", "pydantic", "PIL", "torch", "transformers", "openai", "anthropic", "litellm",
         "proactive_agent.scenarios", "proactive_agent.providers", "asyncio",
         "huggingface_hub"]  # fmt: skip


def test_models_lists_the_short_names() -> None:
    rows = dict(
        line.split(maxsplit=1) for line in invoke("models").stdout.splitlines() if ":" in line
    )
    assert rows["local:idefics2"].strip() == "HuggingFaceM4/idefics2-8b"
    assert "baseline:oracle" in rows


def test_an_unknown_command_is_corrected() -> None:
    result = invoke("comapre", "run")
    assert result.exit_code == 2
    assert "unknown command 'comapre'; did you mean 'compare'? known: " in result.stderr


def test_a_folder_of_pictures_is_data_for_build(results: Path, tmp_path: Path) -> None:
    (tmp_path / "photos" / "cat").mkdir(parents=True)
    (tmp_path / "photos" / "cat" / "1.JPG").write_bytes(b"")
    result = invoke("run", "--data", str(tmp_path / "photos"), "--out", str(results))
    assert result.exit_code == 2
    assert "make scenarios of them with `build " in result.stderr


def test_help_lists_scenarios_baselines_and_failure_groups() -> None:
    shown = " ".join(invoke("run", "--help").stdout.split())
    assert f"One of {', '.join(SCENARIOS)};" in shown
    assert f"Baselines: baseline:{', '.join(BASELINES)}." in shown
    (left_out,) = set(BASELINES) - set(DEFAULT_BASELINES)
    assert f"Default: all of them but {left_out}." in shown
    for command in ("why", "trace"):
        shown = invoke(command, "--help").stdout
        assert all(f"  {one.name} " in shown for one in GROUPS)


def commands(group: click.Group) -> Iterator[click.Command]:
    for command in group.commands.values():
        yield from commands(command) if isinstance(command, click.Group) else [command]


def test_the_help_of_options_names_only_options_of_the_same_command() -> None:
    for command in commands(cli):
        options = [one for one in command.params if isinstance(one, click.Option)]
        own = {name for option in options for name in option.opts}
        texts = [(one.help or "").replace("run --", "") for one in options]
        named = {name for text in texts for name in re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)}
        assert named <= own, command.name


def test_serve_explains_its_options_without_the_protocols_of_run() -> None:
    assert "oeg" not in invoke("serve", "--help").stdout


def test_an_unknown_precision_is_refused_with_the_known_ones() -> None:
    result = invoke("run", "--dtype", "float8")
    assert result.exit_code == 2
    assert "'float8' is not one of 'auto', 'float32', 'float16', 'bfloat16'" in result.stderr


@pytest.mark.parametrize("command", ["run", "why", "trace", "runs", "reproduce"])
def test_help_imports_nothing_heavy(command: str, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from proactive_agent.cli.app import cli\n"
        f"cli(['{command}', '--help'], standalone_mode=False)\n"
        "print('\\nIMPORTED', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True,
                          text=True, check=True)  # fmt: skip
    imported = set(done.stdout.split("IMPORTED", 1)[1].split())
    assert imported.isdisjoint(HEAVY)
    assert "proactive_agent.cli.run" in imported


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "proactive_agent", "run", "--dry-run"],
        cwd=tmp_path, stdout=write, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    os.close(write)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
