"""Data folders: reading samples, filtering them, and reporting faults."""

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import pytest

from proactive_agent.scenarios.dataset import DataError, DataFolder
from proactive_agent.scenarios.protocol_pack import FILE_NAME
from proactive_agent.scenarios.registry import SCENARIOS
from proactive_agent.scenarios.sample import check_template
from proactive_agent.scenarios.wording import OWN
from tests.scenarios import official_layout
from tests.scenarios.official_layout import STEMS, Fields, random_sample, write_samples

DROP = object()


def ordinary(scenario: str, sample_id: int | str, **changes: Any) -> Fields:
    """Returns a valid sample with some fields changed or dropped."""
    fields = random_sample(scenario, random.Random(7), sample_id) | changes
    return {name: value for name, value in fields.items() if value is not DROP}


def folder_of(path: Path, scenario: str, *samples: Fields) -> DataFolder:
    write_samples(path, scenario, samples)
    return DataFolder(path)


def write_own_pack(folder: Path, **kept: list[int]) -> None:
    """Returns a pack with our own wording whose filter keeps only the named ids."""
    content = {
        "source": "test",
        "wheel_sha256": "0",
        "wording": OWN.model_dump(mode="json") | {"name": "pack"},
        "filter": {name: kept.get(name.replace("-", "_"), []) for name in SCENARIOS},
    }
    (folder / FILE_NAME).write_text(json.dumps(content), encoding="utf-8")


def fault(folder: DataFolder, scenario: str) -> str:
    with pytest.raises(DataError) as caught:
        folder.scan(scenario)
    return str(caught.value)


class TestFinding:
    def test_the_folder_of_the_data_files(self, tmp_path: Path) -> None:
        official_layout.write_folder(tmp_path, scenarios=["rod", "coco"], pictures=False)
        assert DataFolder(tmp_path).scenarios() == ["rod", "coco"]

    def test_the_folder_above(self, tmp_path: Path) -> None:
        official_layout.write_folder(tmp_path / "test", scenarios=["rod"], pictures=False)
        assert DataFolder(tmp_path).root == tmp_path / "test"

    def test_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="is not a folder"):
            DataFolder(tmp_path / "nowhere")

    def test_a_folder_without_data(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="contains no data file"):
            DataFolder(tmp_path)

    def test_a_scenario_that_is_not_there(self, tmp_path: Path) -> None:
        folder = folder_of(tmp_path, "rod", ordinary("rod", 1))
        assert "coco2014_preprocessed.jsonl: No such file" in fault(folder, "coco")

    @pytest.mark.parametrize("given", ["", "test"])
    @pytest.mark.parametrize("place", ["", "test"])
    def test_a_pack_beside_the_data_or_above_is_found(
        self, tmp_path: Path, given: str, place: str
    ) -> None:
        official_layout.write_folder(tmp_path / "test", scenarios=["rod"], pictures=False)
        write_own_pack(tmp_path / place)
        assert DataFolder(tmp_path / given).pack_file == tmp_path / place / FILE_NAME

    def test_a_pack_above_any_other_folder_is_not_meant(self, tmp_path: Path) -> None:
        official_layout.write_folder(tmp_path / "mine", scenarios=["rod"], pictures=False)
        write_own_pack(tmp_path)
        assert DataFolder(tmp_path / "mine").pack is None


@pytest.mark.parametrize("scenario", STEMS)
@pytest.mark.parametrize("seed", range(5))
def test_random_samples_of_the_official_layout_load(
    tmp_path: Path, scenario: str, seed: int
) -> None:
    official_layout.write_folder(tmp_path, seed, scenarios=[scenario], samples=20, pictures=False)
    assert DataFolder(tmp_path).scan(scenario).samples == 20


class TestFaults:
    """Each message names the file and, if known, the line, sample and field."""

    @pytest.mark.parametrize(
        ("scenario", "changes", "told"),
        [
            ("rod", {"prompt": DROP}, "prompt: Field required"),
            ("rod", {"num_images": "14"}, "num_images: Input should be a valid integer"),
            ("rod", {"num_images": 0}, "num_images: Input should be greater than or equal to 1"),
            ("rod", {"options": []}, "options: "),
            ("rod", {"options": ["Jump."]}, "options: 'Jump.' contains none of 'to the left'"),
            ("rod", {"options": ["to the left, to the right"]}, "asks for several things"),
            ("rod", {"answer": "Nowhere."}, "answer 'Nowhere.' is not among the categories"),
            ("vsod", {"strong_occlusions": DROP}, "strong_occlusions: Field required"),
            ("mvp-n", {"valid_images": [1], "num_images": 2}, "valid_images has 1 views"),
            ("imagenet-c", {"quality_answer": "Pray."}, "quality_answer 'Pray.' is not among"),
            ("changeit", {"step_size": 0}, "step_size: "),
            ("changeit", {"options": ["Rewind the video."]}, "options lack one with 'Wait for the"),
            ("coco", {"direction": "north"}, "direction 'north' is unknown"),
            ("coco", {"direction": "left_left"}, "direction 'left_left' is unknown"),
            ("coco", {"crop": {"left": 1, "top": 1, "width": 2}}, "crop.height: Field required"),
            ("coco", {"horizontal_step": float("nan")}, "horizontal_step: "),
            ("coco", {"direction": "zoom", "options": ["Up."]}, "options lack 'Move farther"),
        ],
    )
    def test_in_a_field(self, tmp_path: Path, scenario: str, changes: Fields, told: str) -> None:
        samples = [ordinary(scenario, "first"), ordinary(scenario, "bad", **changes)]
        message = fault(folder_of(tmp_path, scenario, *samples), scenario)
        place = f"{tmp_path / STEMS[scenario]}_preprocessed.jsonl, line 2, sample 'bad': "
        assert message.startswith(place)
        assert told in message.removeprefix(place)

    @pytest.mark.parametrize("line", ["{", "", "not json", "[" * 100_000, "\udcff"])
    def test_in_a_line(self, tmp_path: Path, line: str) -> None:
        folder = folder_of(tmp_path, "rod", ordinary("rod", 1))
        with folder.file("rod").open("ab") as stream:
            stream.write((line or '{"id": 1').encode("utf-8", "surrogateescape") + b"\n")
        assert f"{folder.file('rod')}, line 2: not valid JSON" in fault(folder, "rod")

    @pytest.mark.parametrize("value", ["[]", "7", '"x"', "null"])
    def test_a_line_that_is_no_object(self, tmp_path: Path, value: str) -> None:
        folder = folder_of(tmp_path, "rod", ordinary("rod", 1))
        folder.file("rod").write_text(value + "\n", encoding="utf-8")
        assert fault(folder, "rod").startswith(f"{folder.file('rod')}, line 1: ")

    def test_an_id_that_stands_twice(self, tmp_path: Path) -> None:
        folder = folder_of(tmp_path, "rod", *(ordinary("rod", i) for i in (1, 2, 1)))
        assert fault(folder, "rod") == f"{folder.file('rod')}, line 3: id 1 occurs twice"

    def test_a_number_and_its_digits_are_two_ids(self, tmp_path: Path) -> None:
        folder = folder_of(tmp_path, "rod", ordinary("rod", 1), ordinary("rod", "1"))
        assert folder.scan("rod").samples == 2


class TestTemplates:
    @pytest.mark.parametrize(
        "template",
        [
            "../{image}.png",
            "a/../../{image}.png",
            "/etc/{image}",
            "..\\{image}.png",
            "\\\\server\\{image}.png",
            "C:\\{image}.png",
            "c:{image}.png",
        ],
    )
    def test_that_lead_outside_are_refused(self, tmp_path: Path, template: str) -> None:
        folder = folder_of(tmp_path, "rod", ordinary("rod", 1, image_template=template))
        assert "leads outside the data folder" in fault(folder, "rod")

    @pytest.mark.parametrize(
        "place",
        [
            "{image.__class__}",
            "{image[0]}",
            "{0}",
            "{}",
            "{other}",
            "{image!r}",
            "{image:>9999999999}",
            "{image:{image.__class__}}",
        ],
    )
    def test_with_anything_but_the_plain_place_are_refused(
        self, tmp_path: Path, place: str
    ) -> None:
        template = f"rod/{place}.png"
        folder = folder_of(tmp_path, "rod", ordinary("rod", 1, image_template=template))
        assert f"has the place {place}; allowed: {{image}}" in fault(folder, "rod")

    def test_that_cannot_be_parsed_are_refused(self, tmp_path: Path) -> None:
        folder = folder_of(tmp_path, "rod", ordinary("rod", 1, image_template="rod/{image.png"))
        assert "image_template 'rod/{image.png': " in fault(folder, "rod")

    def test_a_plain_one_is_fine(self) -> None:
        assert check_template("a/b-s{image}.jpg", frozenset({"image"})) is None

    def test_of_coco_is_a_path_as_it_stands(self, tmp_path: Path) -> None:
        folder = folder_of(tmp_path, "coco", ordinary("coco", 1, image_template="{odd}.png"))
        (sample,) = folder.samples("coco")
        assert folder.environment("coco", sample).observe().image.path == "{odd}.png"


class TestStreaming:
    @pytest.mark.parametrize("limit", [0, 1, 2])
    def test_reads_no_line_that_is_not_asked_for(self, tmp_path: Path, limit: int) -> None:
        folder = folder_of(tmp_path, "rod", ordinary("rod", 1), ordinary("rod", 2))
        with folder.file("rod").open("a", encoding="utf-8") as stream:
            stream.write("broken\n")
        assert [sample.id for sample in folder.samples("rod", limit)] == [1, 2][:limit]

    def test_an_unfinished_reader_stops_where_it_is(self, tmp_path: Path) -> None:
        folder = folder_of(tmp_path, "rod", ordinary("rod", 1))
        with folder.file("rod").open("a", encoding="utf-8") as stream:
            stream.write("broken\n")
        assert next(folder.samples("rod")).id == 1

    def test_blank_lines_are_passed_over_but_counted(self, tmp_path: Path) -> None:
        folder = folder_of(tmp_path, "rod", ordinary("rod", 1))
        with folder.file("rod").open("a", encoding="utf-8") as stream:
            stream.write("\n  \nbroken\n")
        assert "line 4: not valid JSON" in fault(folder, "rod")


class TestFilter:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        strong = [ordinary("vsod", i, strong_occlusions=i != 2) for i in (1, 2, 3)]
        write_samples(tmp_path, "vsod", strong)
        write_samples(tmp_path, "rod", [ordinary("rod", i) for i in (1, 2, "3")])
        return tmp_path

    def ids(self, folder: DataFolder, scenario: str, limit: int | None = None) -> list[int | str]:
        return [sample.id for sample in folder.samples(scenario, limit)]

    def test_without_a_pack_everything_is_kept(self, path: Path) -> None:
        folder = DataFolder(path)
        assert self.ids(folder, "vsod") == [1, 2, 3]
        assert not folder.filtered

    def test_with_a_pack_only_its_ids(self, path: Path) -> None:
        write_own_pack(path, rod=[2])
        assert self.ids(DataFolder(path), "rod") == [2]

    def test_an_id_in_letters_is_no_number(self, path: Path) -> None:
        write_own_pack(path, rod=[3])
        assert self.ids(DataFolder(path), "rod") == []

    def test_weak_occlusions_are_dropped_though_listed(self, path: Path) -> None:
        write_own_pack(path, vsod=[1, 2])
        assert self.ids(DataFolder(path), "vsod") == [1]

    def test_unfiltered_keeps_everything(self, path: Path) -> None:
        write_own_pack(path, vsod=[1])
        assert self.ids(DataFolder(path, unfiltered=True), "vsod") == [1, 2, 3]

    def test_unfiltered_keeps_the_pack_s_wording(self, path: Path) -> None:
        write_own_pack(path)
        assert DataFolder(path, unfiltered=True).wording.name == "pack"

    def test_the_limit_counts_kept_samples(self, path: Path) -> None:
        write_own_pack(path, rod=[2])
        assert self.ids(DataFolder(path), "rod", limit=1) == [2]

    def test_a_scan_counts_both(self, path: Path) -> None:
        write_own_pack(path, vsod=[1, 2])
        scan = DataFolder(path).scan("vsod")
        assert (scan.samples, scan.kept) == (3, 1)


class TestOthers:
    """Random samples other than a given one."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> DataFolder:
        write_samples(tmp_path, "rod", [ordinary("rod", i) for i in range(9)])
        write_own_pack(tmp_path, rod=[0, 2, 4, 6, 8])
        return DataFolder(tmp_path)

    def drawn(self, folder: DataFolder, beside: int, count: int, seed: int = 0) -> list[int | str]:
        rng, sample = random.Random(seed), folder.find("rod", str(beside))
        return [other.id for other in folder.others("rod", sample, count, rng)]

    def test_never_that_one_nor_a_dropped_one(self, folder: DataFolder) -> None:
        drawn = [self.drawn(folder, 4, 3, seed) for seed in range(30)]
        assert {i for ids in drawn for i in ids} == {0, 2, 6, 8}
        assert {len(set(ids)) for ids in drawn} == {3}

    def test_the_same_for_the_same_seed(self, folder: DataFolder) -> None:
        assert self.drawn(folder, 4, 3) == self.drawn(DataFolder(folder.root), 4, 3)

    def test_fewer_where_there_are_no_more(self, folder: DataFolder) -> None:
        assert sorted(map(int, self.drawn(folder, 4, 9))) == [0, 2, 6, 8]

    def test_all_are_counted(self, folder: DataFolder) -> None:
        assert folder.count("rod") == 5

    def test_the_file_is_read_whole_only_once(self, folder: DataFolder) -> None:
        folder.count("rod")
        sample = folder.find("rod", "4")
        with folder.file("rod").open("a") as stream:
            stream.write("a whole read would stumble here")
        assert len(folder.others("rod", sample, 2, random.Random(0))) == 2

    @pytest.mark.parametrize("scenario", ["rod", "mvp-n"])
    def test_none_is_of_the_same_group_of_the_suite(self, scenario: str) -> None:
        suite = DataFolder()
        for seed, sample in enumerate(suite.samples(scenario)):
            others = suite.others(scenario, sample, 3, random.Random(seed))
            assert len(others) == 3
            assert {*sample.categories} not in [{*other.categories} for other in others]


def test_the_fingerprint_is_that_of_the_file(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "rod", ordinary("rod", 1))
    assert folder.scan("rod").sha256 == hashlib.sha256(folder.file("rod").read_bytes()).hexdigest()


def test_the_fingerprint_changes_with_the_content(tmp_path: Path) -> None:
    first = folder_of(tmp_path, "rod", ordinary("rod", 1)).scan("rod")
    second = folder_of(tmp_path, "rod", ordinary("rod", 1, prompt="Another?")).scan("rod")
    assert first.sha256 != second.sha256


def test_the_embedded_suite_holds_all_seven() -> None:
    folder = DataFolder()
    assert folder.embedded
    assert folder.scenarios() == list(STEMS)
    assert all(folder.scan(name).samples for name in STEMS)
