"""The commands `data protocol`, `data verify` and `data download`."""

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from proactive_agent.cli.data import SHOWN_FAULTS, data
from proactive_agent.scenarios import hub as hub_module
from proactive_agent.scenarios.dataset import BUILD_FILE
from proactive_agent.scenarios.protocol_pack import FILE_NAME, read_wheel
from proactive_agent.tools import UserError
from tests.scenarios import official_layout
from tests.scenarios.local_hub import write_release
from tests.scenarios.official_layout import random_sample, write_samples

ESCAPE = "\x1b"


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(data, [str(argument) for argument in arguments])


def refusal(*arguments: str | Path) -> str:
    """Returns the message of the UserError that a command raises."""
    result = invoke(*arguments)
    assert isinstance(result.exception, UserError)
    return str(result.exception)


def write_rods(folder: Path, count: int = 88, template: str = "{image}.png", **more: Any) -> Path:
    """Writes ROD samples with two frames. The release has 88."""
    ring = {"num_images": 2, "first_image": 0, "reference_image": 1, "image_template": template}
    samples = [random_sample("rod", random.Random(i), i) | ring | more for i in range(count)]
    write_samples(folder, "rod", samples)
    for frame in range(2):
        official_layout.write_picture(folder / f"{frame}.png")
    return folder


def rows(result: Result) -> dict[str, list[str]]:
    """Returns the cells of the table by scenario."""
    lines = [line.split() for line in result.output.splitlines()]
    return {line[0]: line[1:] for line in lines if len(line) == 7}


class TestHelp:
    @pytest.mark.parametrize("command", [(), ("protocol",), ("verify",), ("download",)])
    def test_is_there(self, command: tuple[str, ...]) -> None:
        result = invoke(*command, "--help")
        assert result.exit_code == 0
        assert result.output.startswith("Usage: ")

    def test_imports_nothing_heavy(self) -> None:
        script = (
            "import sys, proactive_agent.cli.data; "
            "print({'rich', 'pydantic', 'PIL', 'scenarios', 'huggingface_hub'} & set(sys.modules))"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        )
        assert done.stdout == "set()\n"


class TestVerify:
    def test_a_whole_scenario_ends_with_0(self, tmp_path: Path) -> None:
        result = invoke("verify", write_rods(tmp_path))
        assert result.exit_code == 0
        assert rows(result)["rod"] == ["88", "88", "-", "88", "2", "0"]

    def test_faults_end_with_1(self, tmp_path: Path) -> None:
        (write_rods(tmp_path) / "1.png").unlink()
        result = invoke("verify", tmp_path)
        assert result.exit_code == 1
        assert "rod, sample 0: 1.png: No such file or directory" in result.output
        assert rows(result)["rod"] == ["88", "88", "-", "88", "1", "1"]

    def test_a_build_is_not_compared_with_the_release(self, tmp_path: Path) -> None:
        write_rods(tmp_path, count=3)
        (tmp_path / BUILD_FILE).write_text("{}")
        result = invoke("verify", tmp_path)
        heading, _, rod = filter(str.strip, result.output.splitlines())
        assert heading.split() == ["scenario", "samples", "pictures", "faults"]
        assert rod.split() == ["rod", "3", "2", "0"]

    def test_official_counts_that_differ_end_with_1(
        self, tmp_path: Path, official_pack_folder: Path
    ) -> None:
        write_rods(tmp_path, count=3)
        (tmp_path / FILE_NAME).write_bytes((official_pack_folder / FILE_NAME).read_bytes())
        result = invoke("verify", tmp_path)
        assert result.exit_code == 1
        assert "rod: 3 samples; the official release has 88" in result.output

    def test_kept_samples_are_shown_with_a_pack(
        self, tmp_path: Path, official_pack_folder: Path
    ) -> None:
        write_rods(tmp_path)
        (tmp_path / FILE_NAME).write_bytes((official_pack_folder / FILE_NAME).read_bytes())
        assert rows(invoke("verify", tmp_path))["rod"][2:4] == ["88", "88"]

    def test_only_the_first_faults_are_spelt_out(self, tmp_path: Path) -> None:
        folder = write_rods(tmp_path, count=1)
        samples = [
            random_sample("coco", random.Random(i), i) | {"image_template": f"none/{i}.png"}
            for i in range(SHOWN_FAULTS + 9)
        ]
        write_samples(folder, "coco", samples)
        result = invoke("verify", folder, "--scenario", "coco")
        assert result.output.count("none/") == SHOWN_FAULTS
        assert "coco: 9 more faults" in result.output

    def test_the_table_fits_80_columns(self, tmp_path: Path) -> None:
        official_layout.write_folder(tmp_path, samples=1)
        result = invoke("verify", tmp_path)
        assert set(rows(result)) > {"rod", "imagenet-c", "coco"}
        assert max(len(line) for line in result.output.splitlines()) <= 80

    def test_texts_of_the_data_cannot_steer_the_terminal(self, tmp_path: Path) -> None:
        template = f"[bold]{ESCAPE}[31m{{image}}.png"
        write_rods(tmp_path, count=1, template=template)
        result = invoke("verify", tmp_path)
        assert ESCAPE not in result.output
        assert "[bold]\N{REPLACEMENT CHARACTER}[31m0.png" in result.output

    @pytest.mark.parametrize("names", [["rod,coco"], ["ROD", "coco2014"]])
    def test_scenarios_can_be_named(self, tmp_path: Path, names: list[str]) -> None:
        official_layout.write_folder(tmp_path, scenarios=["rod", "vsod", "coco"], samples=1)
        options = [text for name in names for text in ("--scenario", name)]
        found = rows(invoke("verify", tmp_path, *options))
        assert set(found) - {"scenario"} == {"rod", "coco"}

    def test_an_unknown_scenario(self, tmp_path: Path) -> None:
        assert "unknown scenario 'x'" in refusal("verify", write_rods(tmp_path), "--scenario", "x")

    def test_no_folder(self, tmp_path: Path) -> None:
        assert refusal("verify", tmp_path / "none") == f"{tmp_path / 'none'} is not a folder"

    def test_no_worker(self, tmp_path: Path) -> None:
        assert invoke("verify", tmp_path, "--workers", "0").exit_code == 2


class TestProtocol:
    def test_writes_the_pack(self, tmp_path: Path, official_wheel: Path) -> None:
        result = invoke("protocol", tmp_path, "--wheel", official_wheel)
        assert result.exit_code == 0
        assert (tmp_path / FILE_NAME).is_file()
        assert result.output.startswith("written: ")
        assert read_wheel(official_wheel).source == "proactivebench==0.1.1"

    def test_another_wheel_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "x.whl").write_bytes(b"another")
        message = refusal("protocol", tmp_path, "--wheel", tmp_path / "x.whl")
        assert "x.whl is not proactivebench==0.1.1" in message
        assert not (tmp_path / FILE_NAME).exists()


class TestDownload:
    @pytest.fixture(autouse=True)
    def release(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A Hub that is a folder."""
        hub = write_release(tmp_path / "hub", {"coco": "coco2014.zip"})
        monkeypatch.setattr(hub_module, "HuggingFace", lambda: hub)

    def test_fetches_unpacks_and_writes_the_pack(
        self, tmp_path: Path, official_wheel: Path
    ) -> None:
        folder = tmp_path / "data"
        result = invoke("download", folder, "--scenario", "coco", "--wheel", official_wheel)
        assert result.exit_code == 0
        assert "test/coco2014.zip: unpacked" in result.stderr
        assert result.stdout.replace("\n", "") == f"the data are in {folder}"
        assert (folder / FILE_NAME).is_file()
        assert (folder / "test/coco2014/0.png").is_file()

    def test_says_what_is_there_already(self, tmp_path: Path, official_wheel: Path) -> None:
        arguments = ("download", tmp_path / "data", "--scenario", "coco", "--wheel", official_wheel)
        invoke(*arguments)
        assert "test/coco2014.zip: is there already" in invoke(*arguments).stderr

    @pytest.mark.parametrize(("option", "left"), [([], 0), (["--keep-archives"], 1)])
    def test_deletes_archives_unless_told(
        self, tmp_path: Path, official_wheel: Path, option: list[str], left: int
    ) -> None:
        folder = tmp_path / "data"
        invoke("download", folder, "--scenario", "coco", "--wheel", official_wheel, *option)
        assert len(list(folder.rglob("*.zip"))) == left

    def test_a_scenario_that_the_hub_lacks(self, tmp_path: Path) -> None:
        message = refusal("download", tmp_path / "data", "--scenario", "rod")
        assert "lacks test/Realistic-Occlusion-Dataset_preprocessed.jsonl" in message
