"""`download`: which files are fetched, and how an interrupted download resumes."""

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from proactive_agent.scenarios import download as download_module
from proactive_agent.scenarios.dataset import DataFolder
from proactive_agent.scenarios.download import DownloadProgress, download
from proactive_agent.scenarios.hub import HubFile
from proactive_agent.scenarios.protocol_pack import FILE_NAME
from proactive_agent.scenarios.verify import Fault, verify
from proactive_agent.tools import UserError
from tests.scenarios.local_hub import LocalHub, Space, write_release

ROD_ZIP = "test/Realistic-Occlusion-Dataset.zip"
COCO_ZIP = "test/coco2014.zip"
ROD_DATA = "test/Realistic-Occlusion-Dataset_preprocessed.jsonl"
COCO_DATA = "test/coco2014_preprocessed.jsonl"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalHub:
    """A release of two scenarios, the only ones that `download` requests."""
    two = {name: download_module.SCENARIOS[name] for name in ("rod", "coco")}
    monkeypatch.setattr(download_module, "SCENARIOS", two)
    names = {"rod": "Realistic-Occlusion-Dataset.zip", "coco": "coco2014.zip"}
    return write_release(tmp_path / "hub", names)


@pytest.fixture(autouse=True)
def packs(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Replaces the package index. Returns the folders for which a pack was requested."""
    written: list[Path] = []
    monkeypatch.setattr(
        download_module, "write_pack", lambda folder, _wheel: written.append(folder)
    )
    return written


def pictures_are_whole(folder: Path) -> bool:
    """Returns the faults without those about counts, because a test's release is small."""
    told = [event.problem for event in verify(folder) if isinstance(event, Fault)]
    return all("the official release has" in problem for problem in told)


def run(folder: Path, hub: LocalHub, **options: Any) -> list[DownloadProgress]:
    return list(download(folder, hub, **options))


class TestFetching:
    def test_data_and_pictures_are_whole(self, tmp_path: Path, hub: LocalHub) -> None:
        run(tmp_path / "data", hub)
        assert DataFolder(tmp_path / "data").scenarios() == ["rod", "coco"]
        assert pictures_are_whole(tmp_path / "data")

    def test_only_what_is_needed_is_fetched(self, tmp_path: Path, hub: LocalHub) -> None:
        run(tmp_path / "data", hub)
        assert hub.fetched == [ROD_DATA, COCO_DATA, ROD_ZIP, COCO_ZIP]

    def test_of_a_named_scenario_only_its_own(self, tmp_path: Path, hub: LocalHub) -> None:
        run(tmp_path / "data", hub, scenarios=["coco"])
        assert hub.fetched == [COCO_DATA, COCO_ZIP]

    def test_archives_are_deleted_once_unpacked(self, tmp_path: Path, hub: LocalHub) -> None:
        run(tmp_path / "data", hub)
        assert list((tmp_path / "data").rglob("*.zip")) == []

    def test_archives_can_be_kept(self, tmp_path: Path, hub: LocalHub) -> None:
        run(tmp_path / "data", hub, keep_archives=True)
        assert len(list((tmp_path / "data/test").glob("*.zip"))) == 2

    def test_a_data_file_that_the_hub_lacks_is_told_before_anything_is_fetched(
        self, tmp_path: Path, hub: LocalHub
    ) -> None:
        (hub.root / COCO_DATA).unlink()
        with pytest.raises(UserError, match=f"lacks {COCO_DATA}"):
            run(tmp_path / "data", hub)
        assert hub.fetched == []

    def test_too_little_space_is_told_before_anything_is_fetched(
        self, tmp_path: Path, hub: LocalHub, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: Space(0, 0, 10))
        with pytest.raises(UserError, match=r"the files need .* GB, only 0\.0 GB are free"):
            run(tmp_path / "data", hub)
        assert hub.fetched == []

    def test_a_file_in_the_place_of_the_folder_is_told(self, tmp_path: Path, hub: LocalHub) -> None:
        (tmp_path / "data").write_text("in the way", encoding="utf-8")
        with pytest.raises(UserError, match="data"):
            run(tmp_path / "data", hub)


class TestNamesOfArchives:
    @pytest.mark.parametrize(
        "name", ["coco2014.zip", "COCO2014.zip", "coco_2014-images.zip", "coco-2014_part1.zip"]
    )
    def test_begin_with_the_stem_in_any_spelling(self, tmp_path: Path, name: str) -> None:
        hub = write_release(tmp_path / "hub", {"coco": name})
        run(tmp_path / "data", hub, scenarios=["coco"])
        assert hub.fetched == [COCO_DATA, f"test/{name}"]

    def test_several_parts_belong_together(self, tmp_path: Path) -> None:
        hub = write_release(tmp_path / "hub", {"coco": "coco2014_1.zip"})
        shutil.copy(hub.root / "test/coco2014_1.zip", hub.root / "test/coco2014_2.zip")
        run(tmp_path / "data", hub, scenarios=["coco"])
        assert hub.fetched[1:] == ["test/coco2014_1.zip", "test/coco2014_2.zip"]

    @pytest.mark.parametrize("name", ["pictures.zip", "my-coco2014.zip"])
    def test_that_match_none_are_listed(self, tmp_path: Path, name: str) -> None:
        hub = write_release(tmp_path / "hub", {"coco": name})
        with pytest.raises(UserError, match=rf"begins with coco2014; there are: {name}\."):
            run(tmp_path / "data", hub, scenarios=["coco"])

    def test_do_not_matter_where_all_are_wanted(self, tmp_path: Path, hub: LocalHub) -> None:
        (hub.root / COCO_ZIP).rename(hub.root / "test/pictures.zip")
        run(tmp_path / "data", hub)
        assert hub.fetched[2:] == [ROD_ZIP, "test/pictures.zip"]

    def test_of_other_folders_are_not_meant(self, tmp_path: Path, hub: LocalHub) -> None:
        (hub.root / "train").mkdir()
        shutil.copy(hub.root / COCO_ZIP, hub.root / "train/coco2014.zip")
        (hub.root / "old/test").mkdir(parents=True)
        shutil.copy(hub.root / COCO_ZIP, hub.root / "old/test/coco2014.zip")
        run(tmp_path / "data", hub)
        assert hub.fetched[2:] == [ROD_ZIP, COCO_ZIP]


class TestGoingOn:
    @pytest.fixture(autouse=True)
    def small_parts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(download_module, "PART_BYTES", 1000)

    def stop_at(self, steps: Iterator[DownloadProgress], kind: str, path: str, done: int) -> None:
        """Interrupts a download after a step."""
        for step in steps:
            if (step.step, step.path) == (kind, path) and step.done >= done:
                break
        else:
            pytest.fail("there was no such step")

    def test_what_is_there_is_not_fetched_again(self, tmp_path: Path, hub: LocalHub) -> None:
        run(tmp_path / "data", hub)
        hub.fetched.clear()
        steps = run(tmp_path / "data", hub)
        assert hub.fetched == []
        assert {step.step for step in steps} == {"skip"}

    def test_what_is_there_needs_no_space(
        self, tmp_path: Path, hub: LocalHub, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run(tmp_path / "data", hub)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: Space(0, 0, 0))
        assert run(tmp_path / "data", hub)

    def test_a_file_goes_on_behind_its_last_part(self, tmp_path: Path, hub: LocalHub) -> None:
        self.stop_at(download(tmp_path / "data", hub), "fetch", COCO_DATA, 0)
        before = hub.bytes_read
        assert before == (hub.root / ROD_DATA).stat().st_size
        self.stop_at(download(tmp_path / "data", hub), "fetch", ROD_ZIP, 2000)
        assert hub.bytes_read == before + (hub.root / COCO_DATA).stat().st_size + 2000
        run(tmp_path / "data", hub)
        assert hub.bytes_read == sum(
            (hub.root / path).stat().st_size for path in (ROD_DATA, COCO_DATA, ROD_ZIP, COCO_ZIP)
        )
        assert pictures_are_whole(tmp_path / "data")

    def test_parts_of_an_earlier_version_are_not_mixed_in(
        self, tmp_path: Path, hub: LocalHub
    ) -> None:
        self.stop_at(download(tmp_path / "data", hub), "fetch", ROD_ZIP, 2000)
        with zipfile.ZipFile(hub.root / ROD_ZIP, "w") as archive:
            archive.writestr("new.txt", "new")
        run(tmp_path / "data", hub)
        assert (tmp_path / "data/test/new.txt").read_text(encoding="utf-8") == "new"
        assert list((tmp_path / "data").rglob("*.part")) == []

    def test_an_archive_that_has_changed_comes_again(self, tmp_path: Path, hub: LocalHub) -> None:
        run(tmp_path / "data", hub)
        with zipfile.ZipFile(hub.root / COCO_ZIP, "a") as archive:
            archive.writestr("coco2014/new.txt", "new")
        hub.fetched.clear()
        run(tmp_path / "data", hub)
        assert hub.fetched == [COCO_ZIP]
        assert (tmp_path / "data/test/coco2014/new.txt").read_text(encoding="utf-8") == "new"

    def test_an_interruption_while_unpacking_is_made_good_without_fetching(
        self, tmp_path: Path, hub: LocalHub
    ) -> None:
        self.stop_at(download(tmp_path / "data", hub), "unpack", ROD_ZIP, 0)
        assert (tmp_path / "data" / ROD_ZIP).is_file()
        hub.fetched.clear()
        run(tmp_path / "data", hub)
        assert hub.fetched == [COCO_ZIP]
        assert pictures_are_whole(tmp_path / "data")

    def test_a_torn_note_counts_for_nothing(self, tmp_path: Path, hub: LocalHub) -> None:
        run(tmp_path / "data", hub)
        (tmp_path / "data/test/.download/coco2014.zip.json").write_text("{", encoding="utf-8")
        hub.fetched.clear()
        run(tmp_path / "data", hub)
        assert hub.fetched == [COCO_ZIP]

    def test_a_data_file_that_was_deleted_comes_again(self, tmp_path: Path, hub: LocalHub) -> None:
        run(tmp_path / "data", hub)
        (tmp_path / "data" / COCO_DATA).unlink()
        hub.fetched.clear()
        run(tmp_path / "data", hub)
        assert hub.fetched == [COCO_DATA]

    def test_a_part_of_another_length_is_refused(
        self, tmp_path: Path, hub: LocalHub, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(hub, "read", lambda *_: b"x")
        with pytest.raises(UserError, match=rf"{ROD_DATA}: received 1 bytes instead of"):
            run(tmp_path / "data", hub)

    def test_a_failure_of_the_hub_leaves_what_is_there(
        self, tmp_path: Path, hub: LocalHub, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole = hub.read

        def read(file: HubFile, start: int, size: int) -> bytes:
            if file.path == COCO_ZIP:
                raise UserError("no network")
            return whole(file, start, size)

        monkeypatch.setattr(hub, "read", read)
        with pytest.raises(UserError, match="no network"):
            run(tmp_path / "data", hub)
        monkeypatch.setattr(hub, "read", whole)
        hub.fetched.clear()
        run(tmp_path / "data", hub)
        assert hub.fetched == [COCO_ZIP]


class TestPack:
    def test_is_written_last_beside_the_test_folder(
        self, tmp_path: Path, hub: LocalHub, packs: list[Path]
    ) -> None:
        steps = download(tmp_path / "data", hub)
        next(steps)
        assert packs == []
        list(steps)
        assert packs == [tmp_path / "data"]

    def test_that_fails_leaves_the_data_and_says_how_to_go_on(
        self, tmp_path: Path, hub: LocalHub, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> None:
            raise UserError("no index; give it with --wheel FILE")

        monkeypatch.setattr(download_module, "write_pack", fail)
        folder = tmp_path / "data"
        with pytest.raises(UserError) as caught:
            run(folder, hub)
        assert "no index; give it with --wheel FILE" in str(caught.value)
        assert f"continue with: proactive-agent data protocol {folder}" in str(caught.value)
        assert DataFolder(folder).scan("coco").samples == 1

    def test_a_wrong_wheel_is_told_before_anything_is_fetched(
        self, tmp_path: Path, hub: LocalHub
    ) -> None:
        (tmp_path / "x.whl").write_bytes(b"another")
        with pytest.raises(UserError, match=r"x\.whl is not proactivebench"):
            run(tmp_path / "data", hub, wheel=tmp_path / "x.whl")
        assert hub.fetched == []

    def test_comes_from_the_wheel_that_is_given(
        self,
        tmp_path: Path,
        hub: LocalHub,
        official_wheel: Path,
        official_pack_folder: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        from proactive_agent.scenarios.protocol_pack import write_pack

        monkeypatch.setattr(download_module, "write_pack", write_pack)
        run(tmp_path / "data", hub, wheel=official_wheel)
        written = (tmp_path / "data" / FILE_NAME).read_bytes()
        assert written == (official_pack_folder / FILE_NAME).read_bytes()
