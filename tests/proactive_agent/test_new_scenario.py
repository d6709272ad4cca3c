"""A scenario that is registered at run time needs no change elsewhere."""

import csv
import json
from pathlib import Path
from typing import ClassVar

import pytest
from click.testing import CliRunner
from PIL import Image

from proactive_agent.cli.app import cli
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.scenarios import SCENARIOS, DataFolder, Environment, ImageRef, Sample
from proactive_agent.tools import Intervention

DOORS = 4
ASIDE = Intervention("move_object", "left")


class Doors(Environment[Sample]):
    """An object behind one of some doors, which are arranged in a circle."""

    name = "doors"
    stem = "Doors"
    title = "Doors"
    published_counts = (0, 0)
    sample_type = Sample
    frames_form_ring = True
    keywords: ClassVar = {"next door": ASIDE}
    helpful_tools = frozenset({"move_object"})

    @property
    def hint(self) -> str:
        return "(Another door can be opened.)"

    def image(self) -> ImageRef:
        return ImageRef(self.sample.image_template.format(image=self.frame))

    def reference_image(self) -> ImageRef:
        return ImageRef(self.sample.image_template.format(image=self.sample.reference_image))

    def move(self, intervention: Intervention) -> None:
        self.frame = (self.frame + 1) % self.sample.num_images

    def toward_reference(self) -> Intervention | None:
        return ASIDE if self.frame != self.sample.reference_image else None


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with three samples of the new scenario, which is registered."""
    monkeypatch.setitem(SCENARIOS, Doors.name, Doors)
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(DOORS):
        Image.new("RGB", (40, 30), (60 * number, 0, 0)).save(folder / f"{number}.png")
    sample = {
        "image_template": "{image}.png", "first_image": 0, "num_images": DOORS,
        "reference_image": 2, "prompt": "What is behind the doors?",
        "options": ["Open the next door.", "I cannot tell."],
        "categories": ["Cat.", "Dog.", "Owl.", "Seal."], "answer": "Dog.",
    }  # fmt: skip
    lines = "".join(json.dumps({"id": number} | sample) + "\n" for number in range(3))
    (folder / "Doors_preprocessed.jsonl").write_text(lines)
    return folder


def invoke(*arguments: object) -> str:
    done = CliRunner().invoke(cli, [*map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture(params=["tools", "mcqa"])
def run(data: Path, tmp_path: Path, request: pytest.FixtureRequest) -> RunFolder:
    """A run of a player that knows the answers."""
    results = tmp_path / "results"
    invoke(
        "run", "--provider", "baseline:oracle", "--data", data, "--scenario", "doors",
        "--protocol", request.param, "--condition", "hint", "--out", results,
    )  # fmt: skip
    (folder,) = results.iterdir()
    return RunFolder(folder)


def test_it_is_played_to_the_end(run: RunFolder) -> None:
    episodes = list(run.episodes())
    assert [(e.outcome.correct, e.outcome.suggestions) for e in episodes] == [(True, 2)] * 3


def test_it_is_summarised(run: RunFolder) -> None:
    summary = json.loads(run.summary_file.read_text())
    assert list(summary["scenarios"]) == ["doors"]
    assert summary["scenarios"]["doors"]["acc"]["value"] == 1.0


def test_it_is_traced_and_searched(run: RunFolder) -> None:
    text = invoke("trace", run.path, "--plain", "--scenario", "doors", "--search", "correct")
    assert text.count("doors:") == 3


def test_it_is_compared_and_reported(run: RunFolder, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert "Doors" in invoke("compare", run.path, run.path)
    invoke("report", run.path, "-o", tmp_path / "report.html")
    assert "Doors" in (tmp_path / "report.html").read_text()


def test_its_failures_are_grouped(run: RunFolder) -> None:
    assert "doors" in invoke("why", run.path).casefold()


@pytest.mark.parametrize("form", ["csv", "hf", "otel"])
def test_it_is_exported(run: RunFolder, tmp_path: Path, form: str) -> None:
    if form == "hf":
        pytest.importorskip("pyarrow")
    invoke("export", run.path, "--format", form, "-o", tmp_path / "exported")
    if form == "csv":
        (file,) = (tmp_path / "exported").glob("episodes*.csv")
        with file.open(newline="") as stream:
            assert {row["scenario"] for row in csv.DictReader(stream)} == {"doors"}


def test_its_frames_are_drawn(run: RunFolder) -> None:
    pytest.importorskip("textual", reason="needs the extra `view`")
    from proactive_agent.views.tui.frames import FrameSource

    frames = FrameSource(run.read_manifest()).frames_of(next(run.episodes()))
    assert frames.is_ring
    assert len(frames.frames) == DOORS


def test_its_samples_are_shown_on_a_contact_sheet(data: Path, tmp_path: Path) -> None:
    invoke("data", "show", data, "--scenario", "doors", "-o", tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").is_file()
    assert DataFolder(data).scenarios() == ["doors"]
