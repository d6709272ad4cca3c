"""Generated scenes that are written as a folder."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from proactive_agent.cli.app import cli
from proactive_agent.scenarios import SCENARIOS, DataFolder
from proactive_agent.scenarios.builder.items import BuildError
from proactive_agent.scenarios.fresh.data import FreshData
from proactive_agent.scenarios.fresh.pack import load_pack
from proactive_agent.scenarios.fresh.source import FreshSource
from proactive_agent.scenarios.fresh.written import WriteReport, WriteSettings, write
from proactive_agent.scenarios.verify import Fault, verify

SAMPLES = 24
SOURCE = FreshSource(6, samples=SAMPLES, size=96)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("fresh") / "scenes"
    events = write(WriteSettings(SOURCE, out, train_share=0.5))
    reports = [event for event in events if isinstance(event, WriteReport)]
    assert [report.scenario for report in reports] == list(SCENARIOS)
    assert all(report.samples + report.rows // 2 == SAMPLES for report in reports)
    return out


def held_out(scenario: str) -> set[str]:
    pack = load_pack()
    if scenario == "quickdraw":
        return {s.name for g in pack.sketches if g.held_out for s in g.sketches}
    return {t.name for g in pack.groups if g.held_out for t in g.things}


def test_the_folder_is_valid(folder: Path) -> None:
    assert not [one for one in verify(folder, workers=1) if isinstance(one, Fault)]


def test_its_samples_and_frames_are_those_of_the_seed(folder: Path) -> None:
    written, generated = DataFolder(folder), FreshData(SOURCE)
    for scenario in SCENARIOS:
        for sample in written.samples(scenario):
            assert sample == generated.sample(scenario, int(sample.id))
            state = written.environment(scenario, sample)
            frames = [data.images.open(state.image()).image for data in (written, generated)]
            assert frames[0].size == frames[1].size


def test_half_of_the_samples_are_for_training_and_none_is_held_out(folder: Path) -> None:
    from datasets import Dataset

    rows = Dataset.from_parquet(str(next((folder / "data").iterdir())))
    for scenario, answer in zip(rows["scenario"], rows["ground_truth"], strict=True):
        assert answer.removesuffix(".") not in held_out(scenario)
    assert len(rows) == SAMPLES * len(SCENARIOS)
    for scenario in SCENARIOS:
        assert sum(name == scenario for name in rows["scenario"]) == SAMPLES


def test_the_manifest_says_what_was_generated_and_what_each_frame_shows(folder: Path) -> None:
    known = json.loads((folder / "fresh.json").read_text(encoding="utf-8"))
    assert (known["seed"], known["source"]) == (6, "fresh:6:n=24:px=96")
    assert known["pack"]["sha256"] == load_pack().sha256
    for scenario in SCENARIOS:
        for sample in DataFolder(folder).samples(scenario):
            shares = known["samples"][scenario][str(sample.id)]["visible"]
            shares = shares if isinstance(shares, list) else list(shares.values())
            assert min(shares) <= 0.25
            assert max(shares) >= 0.9


def test_a_folder_that_is_not_empty_is_refused(folder: Path) -> None:
    with pytest.raises(BuildError, match="not an empty folder"):
        next(write(WriteSettings(SOURCE, folder)))


def test_cancelled_work_leaves_nothing(tmp_path: Path) -> None:
    events = write(WriteSettings(SOURCE, tmp_path / "scenes"))
    next(events)
    events.close()
    assert list(tmp_path.iterdir()) == []


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def invoke(*words: str) -> str:
        result = CliRunner().invoke(cli, ["data", *words])
        assert result.exit_code == 0, result.output
        return result.output

    options = ("--seed", "3", "--per-scenario", "4", "--size", "96", "--difficulty", "hard")
    assert "rod: 4 samples" in invoke("fresh", "scenes", *options, "--scenario", "rod")
    assert DataFolder(Path("scenes")).scenarios() == ["rod"]
    shown = "fresh-3-n-4-px-96-rod-all.png"
    assert invoke("show", "fresh:3:n=4:px=96", "--scenario", "rod") == f"written: {shown}\n"
    assert Path(shown).is_file()
    assert "mvp-n" in invoke("verify", "fresh:3:n=4:px=96", "--scenario", "mvp-n")


def test_a_seed_cannot_hold_a_filter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from proactive_agent import evaluate

    monkeypatch.chdir(tmp_path)
    evaluate("baseline:oracle", data="fresh:3:n=4:px=96", scenarios="mvp-n", out="run")
    result = CliRunner().invoke(cli, ["data", "filter", "run"])
    assert result.exit_code != 0
    assert "data fresh" in str(result.exception) + result.output
