from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from proactive_agent.cli.app import cli
from proactive_agent.scenarios import SCENARIOS, DataFolder
from proactive_agent.scenarios.contact_sheet import (
    CURRENT,
    MARKS,
    MOST_FRAMES,
    RIM,
    TILE,
    Tile,
    compact_sheet,
    contact_sheet,
    sample_tiles,
    scenario_tiles,
)
from proactive_agent.scenarios.environment import ImageRef
from tests.proactive_agent.scripted import sample_of
from tests.scenarios.official_layout import write_folder


def show(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["data", "show", *map(str, arguments)])


def marked(tiles: list[Tile]) -> dict[str, str]:
    return {tile.mark: tile.caption for tile in tiles if tile.mark}


def first(scenario: str) -> list[Tile]:
    data = DataFolder()
    return sample_tiles(data, scenario, next(data.samples(scenario)))


def test_a_sample_shows_its_whole_ring_in_order() -> None:
    tiles = first("rod")
    assert [tile.caption for tile in tiles] == [f"{i}.webp" for i in range(14)]
    sample = next(DataFolder().samples("rod"))
    assert marked(tiles) == {
        "first": f"{sample.first_image}.webp",
        "reference": f"{sample.reference_image}.webp",
    }


def test_a_diagonal_way_shows_where_both_axes_lead() -> None:
    data = DataFolder()
    sample = next(s for s in data.samples("coco") if len(s.options) == 3)
    steps = sample.model_dump()["granularity"]
    assert len(sample_tiles(data, "coco", sample)) == steps * steps + 1  # plus the whole picture


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_scenario_shows_first_and_reference_frame_of_each_sample(scenario: str) -> None:
    tiles = list(scenario_tiles(DataFolder(), scenario, limit=2))
    assert [tile.mark for tile in tiles] == ["first", "reference"] * 2


def test_a_picture_that_cannot_be_read_says_so_on_the_sheet() -> None:
    tiles = [Tile(ImageRef("none.webp"), "x")]
    sheet = contact_sheet(DataFolder(), tiles, 1)
    assert (255, 0, 0) in {color for _, color in sheet.getcolors(TILE**2 * 2) or []}


def test_a_compact_sheet_shows_every_frame_with_its_rim() -> None:
    data = DataFolder()
    tiles = sample_tiles(data, "rod", sample_of("rod"))
    sheet = compact_sheet(data.images, tiles, tiles[0].ref)
    assert sheet.getpixel((RIM // 2, RIM // 2)) == CURRENT
    colours = {colour for _, colour in sheet.getcolors(sheet.width * sheet.height) or []}
    assert {CURRENT, MARKS["first"], MARKS[""]} <= colours


def test_a_compact_sheet_of_many_frames_shows_some_and_all_that_are_marked(tmp_path: Path) -> None:
    Image.new("RGB", (40, 40), "red").save(tmp_path / "red.png")
    Image.new("RGB", (40, 40), "lime").save(tmp_path / "green.png")
    (tmp_path / "Realistic-Occlusion-Dataset_preprocessed.jsonl").write_text("")
    images = DataFolder(tmp_path).images
    tiles = [Tile(ImageRef("red.png"), "") for _ in range(300)]
    tiles[101] = Tile(ImageRef("green.png"), "", "reference")
    sheet = compact_sheet(images, tiles, ImageRef("none"))
    assert sheet.width * sheet.height <= (MOST_FRAMES + 20) * (40 + 2 * RIM) ** 2
    assert (0, 255, 0) in {colour for _, colour in sheet.getcolors(100_000) or []}


def test_the_command_writes_a_png_of_the_suite(tmp_path: Path) -> None:
    target = tmp_path / "sheet.png"
    result = show("--sample", "vsod:0", "-o", target)
    assert result.exit_code == 0, result.output
    with Image.open(target) as sheet:
        assert sheet.format == "PNG"
        assert sheet.width > 5 * TILE


def test_the_command_shows_official_data_too(tmp_path: Path) -> None:
    write_folder(tmp_path / "data", samples=2)
    for scenario in SCENARIOS:
        target = tmp_path / f"{scenario}.png"
        result = show(tmp_path / "data", "--scenario", scenario, "-o", target)
        assert result.exit_code == 0, result.output
        assert target.is_file()


def test_the_command_says_what_it_replaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "mine", samples=1)
    arguments = ("mine", "--scenario", "rod")
    assert show(*arguments).stdout == "written: mine-rod-all.png\n"
    assert show(*arguments).stdout == "replaced: mine-rod-all.png\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--scenario NAME or --sample"),
        (["--scenario", "rod", "--sample", "rod:0"], "--scenario NAME or --sample"),
        (["--sample", "rod"], "SCENARIO:ID"),
        (["--sample", "rod:99999"], "no sample 99999"),
        (["--scenario", "cubism"], "unknown scenario"),
    ],
)
def test_wrong_input(arguments: list[str], message: str) -> None:
    result = show(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
