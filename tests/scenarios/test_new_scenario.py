"""A scenario that is defined outside the package is verified like the others."""

import json
from pathlib import Path
from typing import ClassVar

import pytest
from PIL import Image

from proactive_agent.scenarios import OWN, SCENARIOS, DataFolder, Environment, ImageRef, Sample
from proactive_agent.scenarios.protocol_pack import write_pack
from proactive_agent.scenarios.verify import Fault, verify
from proactive_agent.tools import Intervention

WAIT = Intervention("seek_video", "wait")


class Tide(Environment[Sample]):
    """The water falls by one frame with each wait, until the last frame shows the wreck."""

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


def test_it_is_verified(data: Path) -> None:
    assert [event for event in verify(data) if isinstance(event, Fault)] == []


def test_a_protocol_pack_neither_filters_nor_refuses_it(data: Path, official_wheel: Path) -> None:
    write_pack(data, official_wheel)
    folder = DataFolder(data)
    assert folder.wording != OWN
    assert [sample.id for sample in folder.samples("tide")] == [7]
