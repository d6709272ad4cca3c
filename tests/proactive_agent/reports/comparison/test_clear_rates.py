"""Open-ended rates are shown beside those on clear frames, and the rules' scores are marked."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from proactive_agent.cli.app import cli
from proactive_agent.reports.judge_agreement.agreement import Agreement

MISSING = "ps on clear frames is missing"
SMOKE = "For smoke tests: word rules judged the open-ended answers"


def run(condition: str) -> str:
    options = ("--provider", "baseline:always-ask", "--protocol", "oeg", "--scenario", "rod,vsod")
    done = CliRunner().invoke(
        cli, ["run", *options, "--condition", condition, "--limit", "3"], env={"COLUMNS": "300"}
    )
    assert done.exit_code == 0, done.output
    return done.output


def test_ps_stands_beside_the_rate_on_clear_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    output = run("zero-shot,clear")
    table = output[output.index("open-ended requests") :]
    (line,) = [line for line in table.splitlines() if "always-ask oeg, zero-shot" in line][:1]
    assert line.split()[-2:] == ["100.0", "100.0"]
    assert MISSING not in output
    folders = sorted(map(str, (tmp_path / "results").iterdir()))
    form = CliRunner().invoke(cli, ["compare", *folders, "--format", "json"])
    report = json.loads(form.stdout)
    (rate,) = report["clear_rates"]
    assert (rate["ps"]["value"], rate["ps_clear"]["value"]) == (1.0, 1.0)
    assert all(one["summary"]["for_smoke_tests"] for one in report["runs"])
    assert any(note.startswith(SMOKE) for note in report["notes"])


def test_a_note_says_that_the_rate_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    output = run("zero-shot")
    assert MISSING in output
    assert SMOKE in output
    (summary,) = (tmp_path / "results").glob("*/summary.json")
    assert json.loads(summary.read_text())["judges"] == ["rules v2"]


def test_kappa_has_an_interval() -> None:
    low, high = Agreement(22, 1, 10, 46).kappa_interval() or (0, 0)
    assert 0.5 < low < 0.7 < high < 0.9
    assert Agreement(0, 0, 0, 5).kappa_interval() is None


def play(folder: Path, condition: str, *options: str) -> None:
    done = CliRunner().invoke(
        cli,
        ["run", "--provider", "baseline:random", "--protocol", "oeg", "--scenario", "coco",
         "--condition", condition, "--out", str(folder), *options],
    )  # fmt: skip
    assert done.exit_code == 0, done.output


def test_both_rates_are_those_of_common_samples_and_a_note_counts_the_others(
    tmp_path: Path,
) -> None:
    """The suite's zoom sample of coco has no clear frame."""
    play(tmp_path, "zero-shot,clear", "--seed", "3")
    folders = sorted(map(str, tmp_path.iterdir()))
    report = json.loads(CliRunner().invoke(cli, ["compare", *folders, "--format", "json"]).stdout)
    clear, needed = (
        {e["sample_id"]: e["turns"][0]["judgement"]["answers"] for e in episodes(folder)}
        for folder in folders
    )
    assert len(needed) == len(clear) + 1
    for rate, sides in (("ps", needed), ("ps_clear", clear)):
        met = [
            any(answer["met"] for answer in sides[sample] if answer["kind"] == "proactive")
            for sample in clear
        ]
        assert report["clear_rates"][0][rate]["value"] == pytest.approx(sum(met) / len(met))
    note = "clear leaves out samples that have no clear frame: 1 of 24 in coco."
    assert note in report["notes"]


def episodes(folder: str) -> list[dict[str, Any]]:
    lines = Path(folder, "episodes.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]
