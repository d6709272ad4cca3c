"""`data filter`, from runs on own data to a run that plays what stays."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from proactive_agent.cli.app import cli
from proactive_agent.scenarios import DataFolder
from proactive_agent.scenarios.dataset import EMBEDDED


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Own data (ROD and QuickDraw of the suite) and the runs of two scripted models on them."""
    monkeypatch.chdir(tmp_path)
    for name in ("rod", "quickdraw"):
        file = DataFolder().file(name)
        pictures = file.name.removesuffix("_preprocessed.jsonl")
        shutil.copytree(EMBEDDED / pictures, tmp_path / "data" / pictures)
        shutil.copy(file, tmp_path / "data")
    models = ("--provider", "baseline:never-ask", "--provider", "baseline:oracle")
    played = invoke("run", "--data", "data", "--protocol", "mcqa", *models)
    assert played.exit_code == 0, played.output
    return tmp_path


def runs() -> list[str]:
    return sorted(str(run) for run in Path("results").iterdir())


def test_a_filtered_folder_is_played_without_the_dropped_samples(folder: Path) -> None:
    done = invoke("data", "filter", *runs(), "--share", "50")
    assert done.exit_code == 0, done.output
    assert "dropped if at least 1 of 2 models are right in the first turn:" in done.stdout
    rod = DataFolder(folder / "data", unfiltered=True).count("rod")
    assert f"rod: {rod} of {rod} samples stay" in done.stdout, "no first turn counts"
    data = DataFolder(folder / "data")
    all_drawings = DataFolder(folder / "data", unfiltered=True).count("quickdraw")
    assert data.count("quickdraw") < all_drawings

    options = ("--data", "data", "--protocol", "mcqa", "--provider", "baseline:never-ask")
    assert invoke("run", *options, "--out", "filtered").exit_code == 0
    (run,) = Path("filtered").iterdir()
    recorded = json.loads((run / "run.json").read_text())["data"]
    assert recorded["own_filter"].startswith("50 % of 2 models, sha256 ")
    assert recorded["files"]["quickdraw"]["kept"] == data.count("quickdraw")
    again = invoke("data", "filter", str(run))
    assert again.exit_code == 2
    assert "play with --condition unfiltered" in again.stderr

    everything = ("--condition", "unfiltered", "--out", "all")
    assert invoke("run", *options, *everything).exit_code == 0
    (run,) = Path("all").iterdir()
    recorded = json.loads((run / "run.json").read_text())["data"]
    assert recorded["own_filter"] is None
    assert recorded["files"]["quickdraw"]["kept"] == all_drawings


def test_a_run_is_not_continued_with_another_filter(folder: Path) -> None:
    assert invoke("data", "filter", *runs()).exit_code == 0
    continued = invoke("run", "--resume", runs()[0])
    assert continued.exit_code == 2, continued.output


def test_the_figures_of_the_filter_are_drawn(folder: Path) -> None:
    for target in ("fig10", "fig11"):
        done = invoke("reproduce", target, *runs(), "--format", "png")
        assert done.exit_code == 0, done.output
        assert (folder / f"{target}.png").read_bytes().startswith(b"\x89PNG")
