"""A scenario that is defined outside the package is played, verified and shown like the others."""

import asyncio
import json
from pathlib import Path
from typing import Any, ClassVar

import pytest
from PIL import Image

from proactive_agent.records.manifest import Settings
from proactive_agent.runs.runner import prepare_run, run
from proactive_agent.scenarios import OWN, SCENARIOS, DataFolder, Environment, ImageRef, Sample
from proactive_agent.scenarios.contact_sheet import scenario_tiles
from proactive_agent.scenarios.protocol_pack import write_pack
from proactive_agent.scenarios.verify import Fault, verify
from proactive_agent.tools import Intervention

WAIT = Intervention("seek_video", "wait")


class Tide(Environment[Sample]):
    """The water falls by one frame with every wait; the last frame shows the wreck."""

    name = "tide"
    stem = "Tide"
    title = "TIDE"
    sample_type = Sample
    keywords: ClassVar = {"wait for": WAIT}
    helpful_tools = frozenset({"seek_video"})

    @property
    def hint(self) -> str:
        return "(The water may fall.)"

    def image(self) -> ImageRef:
        return ImageRef(self.sample.image_template.format(image=self.frame))

    def reference_image(self) -> ImageRef:
        return ImageRef(self.sample.image_template.format(image=self.sample.reference_image))

    def move(self, intervention: Intervention) -> None:
        self.frame += 1

    def accepts(self, suggestion: str) -> bool:
        return not self.last_allowed_turn

    def accepts_category(self) -> bool:
        return self.frame == self.sample.reference_image

    def toward_reference(self) -> Intervention | None:
        return WAIT if self.frame < self.sample.reference_image else None


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one sample of three frames."""
    monkeypatch.setitem(SCENARIOS, Tide.name, Tide)
    folder = tmp_path / "data"
    (folder / "Tide").mkdir(parents=True)
    for number in range(3):
        Image.new("RGB", (40, 40), (0, 80 * number, 200)).save(folder / "Tide" / f"{number}.png")
    sample = {
        "id": 7, "image_template": "Tide/{image}.png", "first_image": 0, "num_images": 3,
        "reference_image": 2, "prompt": "What is under the water?", "answer": "Wreck.",
        "options": ["Wait for the tide.", "I do not know."],
        "categories": ["Reef.", "Wreck.", "Rock.", "Buoy."],
    }  # fmt: skip
    line = json.dumps(sample) + "\n"
    (folder / "Tide_preprocessed.jsonl").write_text(line, encoding="utf-8")
    return folder


@pytest.mark.parametrize("protocol", ["tools", "mcqa"])
def test_it_is_played(data: Path, tmp_path: Path, protocol: Any) -> None:
    settings = Settings(
        provider="baseline:oracle", data=str(data), scenarios=("tide",), protocol=protocol
    )
    prepared = prepare_run(settings, tmp_path / "results")
    asyncio.run(run(prepared))
    (episode,) = prepared.folder.episodes()
    assert (episode.outcome.correct, episode.outcome.suggestions) == (True, 2)


def test_it_is_verified(data: Path) -> None:
    assert [event for event in verify(data) if isinstance(event, Fault)] == []


def test_it_is_on_contact_sheets(data: Path) -> None:
    captions = [tile.caption for tile in scenario_tiles(DataFolder(data), "tide")]
    assert captions == ["7: first frame", "7: Wreck."]


def test_a_protocol_pack_neither_filters_nor_refuses_it(data: Path, official_wheel: Path) -> None:
    write_pack(data, official_wheel)
    folder = DataFolder(data)
    assert folder.wording != OWN
    assert [sample.id for sample in folder.samples("tide")] == [7]
