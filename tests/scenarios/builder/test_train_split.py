"""The train split: its schema, its frames and its separation from the test split."""

import io
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("datasets", reason="needs the extra `build`")

import datasets
from PIL import Image

from proactive_agent.scenarios import OWN, SCENARIOS, DataFolder
from proactive_agent.scenarios.builder import training
from proactive_agent.scenarios.builder.worker import is_for_training
from tests.scenarios.builder.material import (
    all_sources,
    built,
    drawings,
    lines_of,
    photo_list,
    view_folder,
)

COLUMNS = ["prompt", "images", "ground_truth", "proactive_actions", "options"]
OURS = ["scenario", "clear"]


def rows(out: Path) -> list[dict[str, Any]]:
    files = sorted(map(str, (out / "data").iterdir()))
    return [row for file in files for row in datasets.Dataset.from_parquet(file)]


@pytest.fixture(scope="module")
def coco(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("coco")
    built(root / "out", {"coco": photo_list(root / "s", each=4)}, train_share=0.5)
    return root / "out"


def test_the_columns_are_those_of_the_release_and_two_of_ours(coco: Path) -> None:
    (file,) = (coco / "data").iterdir()
    assert file.name == "train-00000-of-00001.parquet"
    data = datasets.Dataset.from_parquet(str(file))
    assert data.column_names == COLUMNS + OURS
    assert isinstance(data.features["images"].feature, datasets.Image)


def test_a_prompt_is_the_multiple_choice_of_its_options(coco: Path) -> None:
    for row in rows(coco):
        (message,) = row["prompt"]
        assert message["role"] == "user"
        question = message["content"].split(OWN.options_sentence)[0]
        assert message["content"] == OWN.multiple_choice(question, row["options"])
        assert row["ground_truth"] in row["options"]


def test_an_ambiguous_frame_can_be_asked_about_and_a_clear_one_not(coco: Path) -> None:
    every = rows(coco)
    assert len(every) >= 4
    for ambiguous, clear in zip(every[::2], every[1::2], strict=True):
        assert set(ambiguous["proactive_actions"]) <= set(ambiguous["options"])
        assert ambiguous["proactive_actions"]
        assert clear["proactive_actions"] == []
        assert clear["ground_truth"] == ambiguous["ground_truth"]
        assert [ambiguous["clear"], clear["clear"]] == [False, True]


def best_accuracy(
    every: Sequence[dict[str, Any]], feature: Callable[[dict[str, Any]], Any]
) -> float:
    """Returns the accuracy of the best policy that tells clear rows by this feature alone.

    The policy knows how many clear and ambiguous rows there are for each value of the feature.
    """
    values = Counter(feature(row) for row in every)
    clear = Counter(feature(row) for row in every if row["clear"])
    return sum(max(clear[value], values[value] - clear[value]) for value in values) / len(every)


def test_texts_and_options_do_not_tell_clear_rows_from_ambiguous_ones(tmp_path: Path) -> None:
    """The bound is chance, exactly one half: every text occurs once clear and once ambiguous."""
    out = tmp_path / "out"
    built(out, all_sources(tmp_path / "s"), train_share=0.9)
    every = rows(out)
    assert {row["scenario"] for row in every} == set(SCENARIOS)
    for name in SCENARIOS:
        own = [row for row in every if row["scenario"] == name]
        assert best_accuracy(own, lambda row: row["prompt"][0]["content"]) == 0.5, name
        assert best_accuracy(own, lambda row: tuple(row["options"])) == 0.5, name
        assert best_accuracy(own, lambda row: len(row["options"])) == 0.5, name


def test_a_clear_crop_has_the_size_of_the_ambiguous_one_if_it_stays_recognisable(
    tmp_path: Path,
) -> None:
    source = {"coco": photo_list(tmp_path / "s", each=4, large=True)}
    built(tmp_path / "whole", source)
    built(tmp_path / "split", source, train_share=0.8)
    tested = {fields["id"] for fields in lines_of(tmp_path / "split", "coco2014")}
    data = DataFolder(tmp_path / "whole" / "test")
    fits = [
        data.environment("coco", sample).has_clear_frame()
        for sample in data.samples("coco")
        if sample.id not in tested
    ]
    sizes = [row["images"][0].size for row in rows(tmp_path / "split")]
    assert [a == b for a, b in zip(sizes[::2], sizes[1::2], strict=True)] == fits
    assert 0 < sum(fits) < len(fits)


def test_a_crop_is_what_the_environment_shows(coco: Path) -> None:
    every = rows(coco)
    for ambiguous, clear in zip(every[::2], every[1::2], strict=True):
        first, last = ambiguous["images"][0], clear["images"][0]
        assert first.width <= last.width
        assert first.height <= last.height
        assert first.size != last.size


def test_the_two_splits_share_no_picture_in_any_scenario(tmp_path: Path) -> None:
    file = photo_list(tmp_path / "s", each=4)
    out = tmp_path / "out"
    built(out, {"rod": file, "coco": file}, train_share=0.5)
    keys = [f"{number}-{index}.png" for number in range(5) for index in range(4)]
    expected = {n for n, key in enumerate(keys) if not is_for_training(key, 0, 0.5)}
    for stem in ("Realistic-Occlusion-Dataset", "coco2014"):
        assert {fields["id"] for fields in lines_of(out, stem)} == expected
    assert len(rows(out)) == 2 * 2 * (20 - len(expected))
    assert 0 < len(expected) < 20


def test_a_picture_listed_twice_is_on_one_side(tmp_path: Path) -> None:
    file = photo_list(tmp_path / "s", each=4)
    lines = file.read_text().splitlines()
    again = [line.replace(",60,40,", ",50,30,") for line in lines[1:]]
    file.write_text("\n".join([*lines, *again]) + "\n")
    out = tmp_path / "out"
    built(out, {"rod": file}, train_share=0.5)
    ids = {fields["id"] for fields in lines_of(out, "Realistic-Occlusion-Dataset")}
    assert {number - 20 for number in ids if number >= 20} == {n for n in ids if n < 20}


def test_the_share_is_kept_on_the_whole() -> None:
    chosen = sum(is_for_training(f"{number}.png", 0, 0.2) for number in range(5000))
    assert 900 < chosen < 1100


@pytest.mark.parametrize("scenario", ["mvp-n", "quickdraw"])
def test_the_clear_frame_accepts_no_more_suggestions(tmp_path: Path, scenario: str) -> None:
    source = {
        "mvp-n": lambda: view_folder(tmp_path / "views"),
        "quickdraw": lambda: drawings(tmp_path / "d.ndjson", each=4),
    }[scenario]()
    out = tmp_path / "out"
    built(out, {scenario: source}, train_share=0.5)
    assert [bool(row["proactive_actions"]) for row in rows(out)[:2]] == [True, False]
    assert {row["scenario"] for row in rows(out)} == {scenario}


def test_rows_are_written_in_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "SHARD_BYTES", 1)
    out = tmp_path / "out"
    built(out, {"quickdraw": drawings(tmp_path / "d.ndjson")}, train_share=0.4)
    count = json.loads((out / "build.json").read_text())["scenarios"]["quickdraw"]["train_rows"]
    names = sorted(path.name for path in (out / "data").iterdir())
    assert names == [f"train-{i:05d}-of-{count:05d}.parquet" for i in range(count)]
    assert len(rows(out)) == count


def test_the_pictures_lie_in_the_file(coco: Path) -> None:
    (file,) = (coco / "data").iterdir()
    data = datasets.Dataset.from_parquet(str(file)).cast_column(
        "images", [datasets.Image(decode=False)]
    )
    for row in data:
        (picture,) = row["images"]
        with Image.open(io.BytesIO(picture["bytes"])) as image:
            assert image.format == "WEBP"
