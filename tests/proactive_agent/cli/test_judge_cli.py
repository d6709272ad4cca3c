"""The command `judge`, and `run` with a judge."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from proactive_agent.cli.app import cli
from proactive_agent.reports.judge_agreement.labelled import EMBEDDED
from proactive_agent.scenarios import DataFolder
from proactive_agent.scenarios.dataset import EMBEDDED as SUITE
from tests.proactive_agent.scripted import write_lines

LIST = "[false, false, false, true]"


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def played(results: Path, *options: str, exit_code: int = 0) -> Path:
    """Plays a run on the embedded suite and returns its folder."""
    result = invoke("run", "--out", str(results), "--protocol", "oeg", *options)
    assert result.exit_code == exit_code, result.output
    (folder,) = results.iterdir()
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Returns a run that guesses on the 26 samples of one scenario."""
    return played(tmp_path / "r", "--provider", "baseline:never-ask", "--scenario", "vsod")


def verdicts(file: Path, sample_ids: range, text: str = LIST) -> str:
    lines = [{"scenario": "vsod", "sample_id": i, "replies": [text]} for i in sample_ids]
    return f"replay:{write_lines(file, lines)}"


def scores(output: str) -> list[str]:
    """Returns cc, ps and agg of the scenario, without their intervals."""
    return next(line.split()[1:] for line in output.splitlines() if line.split()[:1] == ["VSOD"])


def kept(folder: Path) -> list[dict[str, Any]]:
    (file,) = (folder / "judgements").iterdir()
    return [json.loads(line) for line in file.read_text().splitlines()]


# Judging a run again -----------------------------------------------------------------------------


def test_a_run_is_judged_again_and_its_records_stay(run: Path, tmp_path: Path) -> None:
    before = (run / "episodes.jsonl").read_bytes()
    spec = verdicts(tmp_path / "judge.jsonl", range(26))
    result = invoke("judge", str(run), "--judge", spec)
    assert result.exit_code == 0, result.output
    assert scores(result.stdout) == ["100.0", "0.0", "100.0"]
    assert "against the run's own judge, rules v2" in " ".join(result.stdout.split())
    assert (run / "episodes.jsonl").read_bytes() == before
    lines = kept(run)
    assert sorted(line["sample_id"] for line in lines) == list(range(26))
    assert {line["judgement"]["judge"] for line in lines} == {f"{spec}, own v1"}
    assert {line["judgement"]["reply"] for line in lines} == {LIST}


def test_the_same_judge_says_the_same_again(run: Path) -> None:
    result = invoke("judge", str(run))
    assert result.exit_code == 0, result.output
    theirs = {e["sample_id"]: e["turns"][0]["judgement"] for e in _episodes(run)}
    assert {line["sample_id"]: line["judgement"] for line in kept(run)} == theirs
    assert "own judge" not in result.stdout


def test_what_is_judged_is_not_judged_again(run: Path, tmp_path: Path) -> None:
    file = tmp_path / "judge.jsonl"
    spec = verdicts(file, range(10))
    first = invoke("judge", str(run), "--judge", spec)
    assert first.exit_code == 1
    assert "16 replies could not be judged (vsod:" in first.stderr
    assert "repeat the command to try again" in first.stderr
    assert len(kept(run)) == 10
    # Only missing judgements are made; the existing ones would come out differently.
    verdicts(file, range(26), "[true, true, true, false]")
    second = invoke("judge", str(run), "--judge", spec)
    assert second.exit_code == 0, second.output
    given = [line["judgement"]["answers"][3]["met"] for line in kept(run)]
    assert (given.count(True), given.count(False)) == (10, 16)


def test_a_torn_line_is_judged_anew(run: Path) -> None:
    invoke("judge", str(run))
    (file,) = (run / "judgements").iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:-20])
    assert invoke("judge", str(run)).exit_code == 0
    assert sorted(file.read_bytes().splitlines()) == sorted(whole.splitlines())


def test_verdicts_that_cannot_be_read_are_told(run: Path, tmp_path: Path) -> None:
    spec = verdicts(tmp_path / "judge.jsonl", range(26), "I pass. \x1b[31m")
    result = invoke("judge", str(run), "--judge", spec)
    assert result.exit_code == 0, result.output
    assert "26 of 26 of the judge's replies could not be read" in result.stdout
    assert "\x1b[31m" not in result.output
    assert scores(result.stdout) == ["0.0", "0.0", "0.0"]


def test_the_official_prompt_needs_the_pack_beside_the_data(
    official_pack_folder: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    name = "OcclusionDataSet-MM20"
    shutil.copytree(SUITE / name, data / name)
    shutil.copy(SUITE / f"{name}_preprocessed.jsonl", data)
    options = ("--data", str(data), "--scenario", "vsod", "--provider", "baseline:never-ask",
               "--unfiltered")  # fmt: skip
    run = played(tmp_path / "r", *options)
    spec = verdicts(tmp_path / "judge.jsonl", range(26), "Thinking…\n0,0,0,1")
    arguments = ("judge", str(run), "--judge", spec, "--judge-prompt", "official")
    without = invoke(*arguments)
    assert without.exit_code == 2
    assert "fetch it with data protocol DIR" in without.stderr
    (data / "protocol.json").write_bytes((official_pack_folder / "protocol.json").read_bytes())
    result = invoke(*arguments)
    assert result.exit_code == 0, result.output
    assert {line["judgement"]["judge"] for line in kept(run)} == {
        f"{spec}, official proactivebench 0.1.1"
    }
    assert scores(result.stdout)[0] == "100.0"


def test_a_run_without_replies_is_told(tmp_path: Path) -> None:
    none = write_lines(tmp_path / "none.jsonl", [])
    run = played(tmp_path / "r", "--provider", f"replay:{none}", "--limit", "1", exit_code=1)
    result = invoke("judge", str(run))
    assert result.exit_code == 2
    assert "has no judged replies" in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--protocol", "mcqa"), "is a run of protocol mcqa; only runs of oeg have a judge"),
        (("--protocol", "oeg", "--multi-turn"), "each depended on a verdict of its judge"),
    ],
)
def test_other_runs_are_refused(options: tuple[str, ...], message: str, tmp_path: Path) -> None:
    run = played(tmp_path, *options, "--provider", "baseline:oracle", "--limit", "1")
    result = invoke("judge", str(run))
    assert result.exit_code == 2
    assert message in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "judge needs either a RUN or --agreement"),
        (("x", "--agreement", "y"), "judge needs either a RUN or --agreement"),
        (("nowhere",), "no run 'nowhere'"),
        (("--agreement", "none.jsonl"), "none.jsonl"),
        (("--judge", "baseline:x", "--agreement"), "cannot judge"),
        (("--judge-prompt", "official", "--agreement"), "--judge-prompt official asks a model"),
        (("--judge", "replay:x", "--judge-prompt", "official", "--agreement"), "protocol pack"),
    ],
)
def test_wrong_input_is_one_clear_line(arguments: tuple[str, ...], message: str) -> None:
    result = invoke("judge", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


# Agreement ---------------------------------------------------------------------------------------


def test_the_rules_are_measured_on_the_answers_shipped() -> None:
    result = invoke("judge", "--agreement")
    assert result.exit_code == 0, result.output
    for heading in ("rules tuned on these, proactive", "held out, category"):
        assert heading in result.stdout


def labelled(**changes: Any) -> dict[str, Any]:
    line = next(
        fields
        for text in EMBEDDED.read_text().splitlines()
        if (fields := json.loads(text))["scenario"] == "vsod"
    )
    del line["held_out"]
    return {**line, **changes}


def test_a_judge_is_measured_on_a_file(tmp_path: Path) -> None:
    answers = [
        labelled(answer="A horse.", proactive=False, category=True),
        labelled(answer="Wait.", proactive=True, category=False),
        labelled(answer="A cow.", proactive=False, category=False),
        labelled(answer="Please do something.", proactive=True, category=False),
    ]
    file = write_lines(tmp_path / "labels.jsonl", answers)
    result = invoke("judge", "--agreement", str(file))
    assert result.exit_code == 0, result.output
    lines = [line.split()[1:] for line in result.stdout.splitlines() if " all " in line]
    assert lines == [
        ["4", "75.0", "0.50", "1", "0", "1", "2"], ["4", "100.0", "1.00", "1", "0", "0", "3"],
    ]  # fmt: skip


def test_answers_that_a_judge_left_open_are_told(tmp_path: Path) -> None:
    answers = write_lines(tmp_path / "labels.jsonl", [labelled(), labelled()])
    line = {"scenario": "vsod", "sample_id": 1, "replies": [LIST]}
    spec = f"replay:{write_lines(tmp_path / 'judge.jsonl', [line])}"
    result = invoke("judge", "--agreement", str(answers), "--judge", spec)
    assert result.exit_code == 1
    assert "1 answers could not be judged (no_reply" in result.stderr


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scenario": "cubism"}, "unknown scenario 'cubism'"),
        ({"category": None}, "category must be null if no category is accepted, and only then"),
        ({"accepted": []}, "accepted: "),
        ({"answer": 3}, "answer: "),
        ({"proactive": "perhaps"}, "proactive: "),
        ({"accepted": [{"text": "Horse", "kind": "category"}], "proactive": True},
         "no proactive answer is accepted"),
    ],
)  # fmt: skip
def test_a_faulty_label_is_told_with_its_line(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    file = write_lines(tmp_path / "labels.jsonl", [labelled(), labelled(**changes)])
    result = invoke("judge", "--agreement", str(file))
    assert result.exit_code == 2
    assert f"{file}, line 2: " in result.stderr
    assert message in result.stderr


# A local model and an API as the judge -----------------------------------------------------------


@pytest.mark.local
def test_a_tiny_text_model_judges_a_run_and_a_run_again(tmp_path: Path) -> None:
    tiny = pytest.importorskip("tests.providers.tiny_models", reason="needs the extra `local`")
    terse = shutil.copytree(tiny.folder(tiny.TEXT_ONLY), tmp_path / "terse")
    config = terse / "generation_config.json"
    # Every second token ends a reply, because long random replies add nothing to the test.
    ends = json.loads(config.read_text()) | {"eos_token_id": list(range(2, 260, 2))}
    config.write_text(json.dumps(ends))
    spec = f"local:{terse}"
    options = ("--provider", "baseline:random", "--limit", "2", "--judge", spec)
    run = played(tmp_path / "r", *options)
    episodes = _episodes(run)
    assert len(episodes) == 14
    assert [episode["error"] for episode in episodes] == [None] * 14
    for episode in episodes:
        judgement = episode["turns"][0]["judgement"]
        # A model with random weights writes no verdicts, and the record says so.
        assert judgement["problem"]
        assert judgement["usage"]["input_tokens"] > 200
        assert episode["usage"]["input_tokens"] == 0
    manifest = json.loads((run / "run.json").read_text())
    assert manifest["judge"]["model"] == "terse"
    result = invoke("judge", str(run), "--judge", spec, "--device", "cpu")
    assert result.exit_code == 0, result.output
    again = {(one["scenario"], one["sample_id"]): one["judgement"]["reply"] for one in kept(run)}
    assert again == {
        (e["scenario"], e["sample_id"]): e["turns"][0]["judgement"]["reply"] for e in episodes
    }


@pytest.mark.local
def test_a_run_with_the_published_generation_is_judged_again_by_sampling(tmp_path: Path) -> None:
    """The seeds are those of the run, so the same judge writes the same replies again."""
    tiny = pytest.importorskip("tests.providers.tiny_models", reason="needs the extra `local`")
    specs = []
    for kind in ("qwen2_5_vl", tiny.TEXT_ONLY):
        folder = shutil.copytree(tiny.folder(kind), tmp_path / kind)
        config = folder / "generation_config.json"
        ends = json.loads(config.read_text()) | {"eos_token_id": list(range(2, 260, 2))}
        config.write_text(json.dumps(ends))
        specs.append(f"local:{folder}")
    model, judge = specs
    options = ("--scenario", "vsod", "--limit", "3", "--device", "cpu", "--judge", judge)
    run = played(tmp_path / "r", "--provider", model, *options, "--generation", "published")
    result = invoke("judge", str(run), "--judge", judge, "--device", "cpu")
    assert result.exit_code == 0, result.output
    own = {e["sample_id"]: e["turns"][0]["judgement"] for e in _episodes(run)}
    again = {line["sample_id"]: line["judgement"] for line in kept(run)}
    assert {n: one["reply"] for n, one in again.items()} == {n: o["reply"] for n, o in own.items()}
    assert {one["judge"] for one in (*own.values(), *again.values())} == {
        f"{judge}, own v1, sampling"
    }


@pytest.mark.api
def test_an_api_judges_in_bad_weather_within_a_budget(run: Path) -> None:
    pytest.importorskip("openai", reason="needs the extra `api`")
    from tests.providers.api_asking import spec
    from tests.providers.hostile_server import HostileServer

    with HostileServer().running() as server:
        arguments = ("judge", str(run), "--judge", spec("chat", server.url), "--price", "2,10")
        server.then(None, None, "429", None, "reset", "context overflow")
        first = invoke(*arguments, "--concurrency", "1", "--budget-usd", "0.02")
        assert first.exit_code == 1
        assert "repeat the command to continue" in first.stderr
        assert 0 < len(kept(run)) < 26
        second = invoke(*arguments)
        assert second.exit_code == 0, second.output
    usages = [line["judgement"]["usage"] for line in kept(run)]
    assert len(usages) == 26
    assert [usage["cost_usd"] for usage in usages] == pytest.approx([0.0022] * 26)


def _episodes(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "episodes.jsonl").read_text().splitlines()]


def test_the_embedded_suite_has_the_samples_that_these_tests_count() -> None:
    assert DataFolder().count("vsod") == 26
