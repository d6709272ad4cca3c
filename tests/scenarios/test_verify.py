"""`verify`: the pictures that a sample needs, and the faults that are found."""

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from proactive_agent.scenarios import verify as verify_module
from proactive_agent.scenarios.dataset import DataError, DataFolder
from proactive_agent.scenarios.environment import SampleError
from proactive_agent.scenarios.images import ImageStore
from proactive_agent.scenarios.protocol_pack import FILE_NAME
from proactive_agent.scenarios.registry import SCENARIOS
from proactive_agent.scenarios.sample_pictures import pictures
from proactive_agent.scenarios.verify import Fault, VerifyProgress, VerifyReport, verify
from proactive_agent.scenarios.wording import OWN
from proactive_agent.tools import Abstain
from tests.scenarios import official_layout
from tests.scenarios.official_layout import Fields, picture_paths, random_sample, write_samples

NAMES = tuple(SCENARIOS)


def sample_of(scenario: str, fields: Fields) -> Any:
    return SCENARIOS[scenario].sample_type.model_validate(fields)


def shown(scenario: str, fields: Fields) -> set[str]:
    return {ref.path for ref in pictures(SCENARIOS[scenario], sample_of(scenario, fields))}


def faults(events: Iterable[object]) -> list[Fault]:
    """Returns the faults without those about counts, because test folders are small."""
    found = [event for event in events if isinstance(event, Fault)]
    return [fault for fault in found if "the official release has" not in fault.problem]


def report(events: Iterable[object]) -> VerifyReport:
    (found,) = (event for event in events if isinstance(event, VerifyReport))
    return found


def folder_of(path: Path, scenario: str, *samples: Fields) -> Path:
    """A folder with the samples and all their pictures."""
    write_samples(path, scenario, samples)
    for sample in samples:
        for picture in picture_paths(scenario, sample):
            official_layout.write_picture(path / picture)
    return path


def quickdraw(sample_id: int, strokes: int = 3, **changes: Any) -> Fields:
    fields = random_sample("quickdraw", random.Random(1), sample_id)
    return fields | {"num_images": strokes, "reference_image": strokes - 1} | changes


class TestPictures:
    @pytest.mark.parametrize("seed", range(30))
    @pytest.mark.parametrize("scenario", NAMES)
    def test_play_shows_no_other(self, scenario: str, seed: int) -> None:
        rng = random.Random(seed)
        fields = random_sample(scenario, rng, 0)
        known = shown(scenario, fields)
        for _ in range(20):
            state = SCENARIOS[scenario](sample_of(scenario, fields), OWN)
            while state.stop is None:
                assert state.image().path in known
                wishes = [*map(state.intervention, state.accepted_suggestions()), None]
                state.step(rng.choice(wishes) or Abstain())

    @pytest.mark.parametrize("seed", range(30))
    @pytest.mark.parametrize("scenario", NAMES)
    def test_the_release_holds_them_all(self, scenario: str, seed: int) -> None:
        fields = random_sample(scenario, random.Random(seed), 0)
        assert shown(scenario, fields) <= set(picture_paths(scenario, fields))

    @pytest.mark.parametrize("scenario", ["rod", "vsod"])
    def test_of_a_ring_are_all_frames(self, scenario: str) -> None:
        ring = {"num_images": 12, "first_image": 3, "reference_image": 5}
        fields = random_sample(scenario, random.Random(0), 0) | ring
        assert shown(scenario, fields) == set(picture_paths(scenario, fields))

    def test_do_not_include_rod_s_corrupt_frame(self) -> None:
        name = "natural_bluebl_greenr-banana"
        ring = {"num_images": 14, "first_image": 7, "reference_image": 0}
        template = {"image_template": f"{name}-s{{image}}.png"}
        fields = random_sample("rod", random.Random(0), 0) | ring | template
        assert shown("rod", fields) == {f"{name}-s{i}.png" for i in range(14) if i != 6}

    def test_of_mvp_n_are_the_views_in_turn_and_the_reference(self) -> None:
        views = {"num_images": 3, "valid_images": [8, 2, 30], "first_image": 8}
        fields = (
            random_sample("mvp-n", random.Random(0), 0)
            | views
            | {
                "reference_image": 4,
                "image_template": "{informative}_{image}",
            }
        )
        assert shown("mvp-n", fields) == {"0_0008", "0_0002", "1_0030", "1_0004"}

    def test_of_changeit_are_those_a_whole_number_of_steps_away(self) -> None:
        video = {"first_image": 5, "num_images": 12, "step_size": 3, "max_steps": 3}
        fields = (
            random_sample("changeit", random.Random(0), 0)
            | video
            | {
                "reference_image": 0,
                "image_template": "{image}",
            }
        )
        assert shown("changeit", fields) == {"2", "5", "8", "11", "0"}

    def test_a_frame_that_is_not_there_is_told_after_the_others(self) -> None:
        fields = quickdraw(1, first_image=1, image_template="{image}")
        found = pictures(SCENARIOS["quickdraw"], sample_of("quickdraw", fields))
        assert [next(found).path for _ in range(3)] == ["0001", "0002", "0002"]
        with pytest.raises(SampleError, match="there is no frame 3"):
            next(found)


class TestFaults:
    @pytest.mark.parametrize("scenario", NAMES)
    def test_a_whole_folder_has_none(self, tmp_path: Path, scenario: str) -> None:
        official_layout.write_folder(tmp_path, scenarios=[scenario], samples=4)
        assert faults(verify(tmp_path)) == []

    @pytest.mark.parametrize("scenario", NAMES)
    def test_a_missing_picture(self, tmp_path: Path, scenario: str) -> None:
        fields = random_sample(scenario, random.Random(3), "x")
        folder_of(tmp_path, scenario, fields)
        lost = sorted(shown(scenario, fields))[0]
        (tmp_path / lost).unlink()
        problem = f"{lost}: No such file or directory"
        assert faults(verify(tmp_path)) == [Fault(scenario, "x", problem)]

    def test_a_truncated_picture(self, tmp_path: Path) -> None:
        folder_of(tmp_path, "coco", coco(1))
        whole = (tmp_path / "x.png").read_bytes()
        (tmp_path / "x.png").write_bytes(whole[:-30])
        (fault,) = faults(verify(tmp_path))
        assert fault.problem.startswith("x.png: not a readable picture")

    def test_a_picture_outside_the_folder(self, tmp_path: Path) -> None:
        folder_of(tmp_path / "data", "coco", coco(1))
        (tmp_path / "data/x.png").rename(tmp_path / "x.png")
        (tmp_path / "data/x.png").symlink_to(tmp_path / "x.png")
        (fault,) = faults(verify(tmp_path / "data"))
        assert fault.problem == "path 'x.png' leads outside the data folder"

    def test_an_empty_crop_once_per_sample(self, tmp_path: Path) -> None:
        crop = {"left": 50, "top": 5, "width": 20, "height": 40}
        folder_of(tmp_path, "coco", coco(1), coco(2, crop=crop))
        (fault,) = faults(verify(tmp_path))
        assert fault.sample == 2
        assert "contains no pixel" in fault.problem

    def test_a_way_that_leads_to_no_frame(self, tmp_path: Path) -> None:
        folder_of(tmp_path, "quickdraw", quickdraw(7, first_image=1))
        assert faults(verify(tmp_path)) == [Fault("quickdraw", 7, "sample 7: there is no frame 3")]

    def test_a_shared_picture_is_told_once(self, tmp_path: Path) -> None:
        folder_of(tmp_path, "coco", coco(1), coco(2))
        (tmp_path / "x.png").unlink()
        assert [fault.sample for fault in faults(verify(tmp_path))] == [1]

    def test_come_in_the_order_of_the_samples(self, tmp_path: Path) -> None:
        folder_of(tmp_path, "coco", *(coco(i, image_template=f"{i}.png") for i in range(40)))
        for picture in tmp_path.glob("*.png"):
            picture.unlink()
        told = [fault.sample for fault in faults(verify(tmp_path, workers=3))]
        assert told == list(range(40))

    def test_a_broken_line(self, tmp_path: Path) -> None:
        file = write_samples(tmp_path, "coco", [coco(1)])
        file.write_text(file.read_text(encoding="utf-8") + "{\n", encoding="utf-8")
        events = list(verify(tmp_path))
        assert [fault.sample for fault in faults(events)] == [None]
        assert report(events) == VerifyReport("coco", None, None, 0, 1)

    def test_in_one_scenario_do_not_hide_the_next(self, tmp_path: Path) -> None:
        write_samples(tmp_path, "rod", []).write_text("{", encoding="utf-8")
        write_samples(tmp_path, "coco", [coco(1)])
        assert [fault.scenario for fault in faults(verify(tmp_path))] == ["rod", "coco"]


class TestCounts:
    def test_of_samples_are_compared_with_the_release(
        self, tmp_path: Path, official_pack_folder: Path
    ) -> None:
        folder_of(tmp_path, "coco", coco(1))
        (tmp_path / FILE_NAME).write_bytes((official_pack_folder / FILE_NAME).read_bytes())
        told = [event.problem for event in verify(tmp_path) if isinstance(event, Fault)]
        assert told[0] == "1 samples; the official release has 4384"

    def test_of_data_without_a_pack_are_nobodys_but_their_own(self, tmp_path: Path) -> None:
        folder_of(tmp_path, "coco", coco(1))
        assert report(verify(tmp_path)).faults == 0

    def test_of_kept_samples_only_with_a_pack(
        self, tmp_path: Path, official_pack_folder: Path
    ) -> None:
        folder_of(tmp_path, "coco", coco("no such id"))
        assert report(verify(tmp_path)).kept is None
        (tmp_path / FILE_NAME).write_bytes((official_pack_folder / FILE_NAME).read_bytes())
        events = list(verify(tmp_path))
        assert report(events).kept == 0
        assert "the official filter keeps 0 samples; published are 1240" in [
            fault.problem for fault in faults(events)
        ]

    def test_that_agree_are_no_fault(self, tmp_path: Path, official_pack_folder: Path) -> None:
        """Writes the 88 samples of ROD, all of which the filter keeps."""
        (tmp_path / FILE_NAME).write_bytes((official_pack_folder / FILE_NAME).read_bytes())
        ring = {"image_template": "{image}.png", "num_images": 2, "first_image": 0}
        samples = [
            random_sample("rod", random.Random(i), i) | ring | {"reference_image": 1}
            for i in range(88)
        ]
        folder_of(tmp_path, "rod", *samples)
        (only,) = (event for event in verify(tmp_path) if not isinstance(event, VerifyProgress))
        assert only == VerifyReport("rod", samples=88, kept=88, pictures=2, faults=0)
        assert only.published == (88, 88)

    def test_of_faults_and_pictures_are_those_found(self, tmp_path: Path) -> None:
        folder_of(tmp_path, "coco", *(coco(i, image_template=f"{i}.png") for i in range(5)))
        (tmp_path / "3.png").unlink()
        found = report(verify(tmp_path))
        assert (found.pictures, found.faults) == (4, 1)


class TestReading:
    def test_samples_that_the_filter_drops_are_checked_too(
        self, tmp_path: Path, official_pack_folder: Path
    ) -> None:
        folder_of(tmp_path, "coco", coco("no such id"))
        (tmp_path / FILE_NAME).write_bytes((official_pack_folder / FILE_NAME).read_bytes())
        assert report(verify(tmp_path)).pictures == 1

    def test_a_shared_picture_is_read_once(self, tmp_path: Path) -> None:
        folder_of(tmp_path, "coco", *(coco(i) for i in range(30)))
        assert report(verify(tmp_path)).pictures == 1

    def test_paths_are_forgotten_beyond_a_bound(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(verify_module, "REMEMBERED", 2)
        order = "abacab"  # two are remembered at a time, so c replaces b
        samples = [coco(i, image_template=f"{name}.png") for i, name in enumerate(order)]
        folder_of(tmp_path, "coco", *samples)
        assert report(verify(tmp_path, workers=1)).pictures == 4

    def test_only_a_few_pictures_wait_at_a_time(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stores: list[ImageStore] = []

        def make(data: DataFolder, cache_bytes: int) -> ImageStore:
            stores.append(ImageStore(data.root, cache_bytes))
            return stores[0]

        monkeypatch.setattr(DataFolder, "store", make)
        folder_of(tmp_path, "coco", *(coco(i, image_template=f"{i}.png") for i in range(50)))
        for event in verify(tmp_path, workers=1):
            if isinstance(event, VerifyProgress):
                assert stores[0].decodes >= event.done - 8

    def test_progress_counts_the_samples(self, tmp_path: Path) -> None:
        folder_of(tmp_path, "coco", coco(1), coco(2))
        steps = [event for event in verify(tmp_path) if isinstance(event, VerifyProgress)]
        assert steps == [VerifyProgress("coco", 1, 2), VerifyProgress("coco", 2, 2)]


class TestWhat:
    def test_all_scenarios_that_are_there(self, tmp_path: Path) -> None:
        official_layout.write_folder(tmp_path, scenarios=["rod", "coco"])
        found = [event.scenario for event in verify(tmp_path) if isinstance(event, VerifyReport)]
        assert found == ["rod", "coco"]

    def test_the_named_ones(self, tmp_path: Path) -> None:
        official_layout.write_folder(tmp_path, scenarios=["rod", "coco"])
        assert report(verify(tmp_path, ["coco"])).scenario == "coco"

    def test_a_named_one_that_is_not_there(self, tmp_path: Path) -> None:
        official_layout.write_folder(tmp_path, scenarios=["rod"], pictures=False)
        with pytest.raises(DataError, match=r"coco2014_preprocessed\.jsonl does not exist"):
            next(verify(tmp_path, ["rod", "coco"]))


def coco(sample_id: int | str, **changes: Any) -> Fields:
    fields = random_sample("coco", random.Random(2), sample_id)
    way = {"direction": "left", "options": ["Move the camera to the left.", "I do not know."]}
    return fields | way | {"image_template": "x.png"} | changes
