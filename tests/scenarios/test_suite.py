"""The quality of the embedded suite, checked on the files that ship.

The visible share of an object was computed from the masks of the renders. `manifest.json` records
it together with hashes of the frames.
"""

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from proactive_agent.scenarios import SCENARIOS, DataFolder, ImageRef, Sample
from proactive_agent.scenarios.dataset import EMBEDDED
from proactive_agent.scenarios.environment import Environment
from proactive_agent.scenarios.verify import Fault, verify

DATA = DataFolder()
MANIFEST: dict[str, dict[str, Any]] = json.loads((EMBEDDED / "manifest.json").read_text("utf-8"))
HIDDEN = ("rod", "vsod", "changeit")
MOST_BYTES = 8_000_000


@cache
def samples(scenario: str) -> list[Sample]:
    return list(DATA.samples(scenario))


def everything() -> Iterator[tuple[str, Sample]]:
    for scenario in SCENARIOS:
        for sample in samples(scenario):
            yield scenario, sample


def play(scenario: str, sample: Sample) -> Environment[Any]:
    return DATA.environment(scenario, sample)


def open_picture(ref: ImageRef) -> Image.Image:
    return DATA.images.open(ref).image


def known(scenario: str, sample: Sample) -> dict[str, Any]:
    """Returns the manifest's entry of a sample."""
    found: dict[str, Any] = MANIFEST[scenario][str(sample.id)]
    return found


def visible(scenario: str, sample: Sample, ref: ImageRef) -> float:
    share: float = known(scenario, sample)["frames"][Path(ref.path).name]["visible"]
    return share


def where(scenario: str, sample: Sample) -> str:
    return f"{scenario}:{sample.id} {sample.answer}"


def test_it_is_small_enough_for_the_package() -> None:
    files = (file for file in EMBEDDED.rglob("*") if file.is_file())
    assert sum(file.stat().st_size for file in files) <= MOST_BYTES


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_scenario_has_20_to_30_episodes(scenario: str) -> None:
    assert 20 <= len(samples(scenario)) <= 30


def test_answers_are_many_and_categories_four() -> None:
    assert len({sample.answer for _, sample in everything()}) >= 60
    for scenario, sample in everything():
        assert len(set(sample.categories)) == 4, where(scenario, sample)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_wording_varies(scenario: str) -> None:
    assert len({sample.prompt for sample in samples(scenario)}) >= 6
    abstentions = {o for s in samples(scenario) for o in s.options} - {
        o for s in samples(scenario) for o in s.suggestions
    }
    assert len(abstentions) >= 4


def test_the_place_of_the_right_category_tells_nothing() -> None:
    places = [sample.categories.index(sample.answer) for _, sample in everything()]
    assert min(places.count(place) for place in range(4)) >= len(places) / 8


def test_every_picture_is_there_and_readable() -> None:
    assert [event for event in verify(EMBEDDED) if isinstance(event, Fault)] == []


def test_no_frame_is_larger_than_640_pixels() -> None:
    for file in EMBEDDED.rglob("*.webp"):
        with Image.open(file) as image:
            assert max(image.size) <= 640, file


def test_the_manifest_belongs_to_the_frames() -> None:
    for scenario, sample in everything():
        folder = EMBEDDED / SCENARIOS[scenario].stem / f"{sample.id:06d}"
        shipped = {
            file.name: hashlib.sha256(file.read_bytes()).hexdigest()[:16]
            for file in folder.iterdir()
        }
        stated = {
            name: frame["sha256"] for name, frame in known(scenario, sample)["frames"].items()
        }
        assert shipped == stated, where(scenario, sample)


def test_no_two_episodes_share_a_first_frame() -> None:
    seen: dict[bytes, str] = {}
    for scenario, sample in everything():
        pixels = open_picture(play(scenario, sample).image()).tobytes()
        other = seen.setdefault(pixels, where(scenario, sample))
        assert other == where(scenario, sample)


@pytest.mark.parametrize("scenario", HIDDEN)
def test_nothing_of_the_object_shows_in_the_first_frame(scenario: str) -> None:
    for sample in samples(scenario):
        first = play(scenario, sample).image()
        assert visible(scenario, sample, first) == 0, where(scenario, sample)


@pytest.mark.parametrize("scenario", HIDDEN)
def test_the_reference_frame_shows_the_object_large_enough(scenario: str) -> None:
    for sample in samples(scenario):
        reference = play(scenario, sample).reference_image()
        assert visible(scenario, sample, reference) >= 0.95, where(scenario, sample)
        assert known(scenario, sample)["share_of_picture"] >= 0.04, where(scenario, sample)


def covered(box: list[int], crop: tuple[float, float, float, float] | None) -> float:
    """Returns the share of a box that a crop contains."""
    assert crop is not None
    left, top, right, bottom = box
    width = min(right, crop[2]) - max(left, crop[0])
    height = min(bottom, crop[3]) - max(top, crop[1])
    return max(width, 0) * max(height, 0) / ((right - left) * (bottom - top))


def test_coco_starts_beside_the_object_and_ends_with_all_of_it() -> None:
    for sample in samples("coco"):
        state = play("coco", sample)
        box = known("coco", sample)["box"]
        assert covered(box, state.image().crop) <= 0.1, where("coco", sample)
        while interventions := state.possible_interventions():
            if state.turn + 1 >= state.max_steps:
                break
            state.step(interventions[0])
        assert covered(box, state.image().crop) == 1, where("coco", sample)


def test_coco_goes_every_way() -> None:
    directions = {sample.model_dump()["direction"] for sample in samples("coco")}
    parts = {part for direction in directions for part in direction.split("_")}
    assert parts == {"left", "right", "up", "down", "zoom"}
    assert any("_" in direction for direction in directions)


def test_imagenet_c_begins_far_from_the_clean_picture() -> None:
    for sample in samples("imagenet-c"):
        ssim = known("imagenet-c", sample)["ssim"]
        assert ssim["5"] <= 0.75, where("imagenet-c", sample)
        assert ssim["1"] - ssim["5"] >= 0.15, where("imagenet-c", sample)


def test_imagenet_c_comes_nearer_with_every_step() -> None:
    for sample in samples("imagenet-c"):
        frames = [
            open_picture(ImageRef(sample.image_template.format(level=level)))
            for level in (5, 4, 3, 2, 1)
        ]
        distances = [
            sum(ImageStat.Stat(ImageChops.difference(frame, frames[-1])).sum2) for frame in frames
        ]
        assert all(far > near for far, near in pairwise(distances)), where("imagenet-c", sample)


def test_imagenet_c_has_at_least_six_families_of_corruption() -> None:
    keywords = SCENARIOS["imagenet-c"].keywords
    valid = {
        word
        for sample in samples("imagenet-c")
        for word in keywords
        if word in sample.model_dump()["quality_answer"].lower()
    }
    assert len(valid) >= 6


def test_quickdraw_only_adds_ink() -> None:
    for sample in samples("quickdraw"):
        frames = [
            open_picture(ImageRef(sample.image_template.format(image=f"{number:04d}"))).convert("L")
            for number in range(sample.num_images)
        ]
        for before, after in pairwise(frames):
            gone = ImageChops.subtract(after, before)
            added = ImageChops.subtract(before, after)
            assert ImageStat.Stat(gone).sum[0] == 0, where("quickdraw", sample)
            assert ImageStat.Stat(added).sum[0] > 0, where("quickdraw", sample)


def test_changeit_is_rewound_as_well_as_played_on() -> None:
    ways = {sample.reference_image > sample.first_image for sample in samples("changeit")}
    assert ways == {True, False}


def test_every_creator_is_credited() -> None:
    credits_page = (EMBEDDED / "CREDITS.md").read_text("utf-8")
    for scenario, sample in everything():
        assert known(scenario, sample)["creator"] in credits_page, where(scenario, sample)
