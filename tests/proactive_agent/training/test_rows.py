"""Reading the train split: rows that are accepted, and errors that name file, row and field."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("datasets", reason="needs the extra `train`")

from proactive_agent.tools import UserError
from proactive_agent.training.rows import QuestionRow, find_files, read_split
from tests.proactive_agent.training.material import (
    ABSTAIN,
    CLOSER,
    DETAILS,
    SHAPES,
    fields,
    picture,
    small_split,
    write_split,
)
from tests.scenarios.builder.material import built, drawings, photo_list


def refused(folder: Path, **more: Any) -> str:
    """Returns the error for a split whose second row has these fields."""
    write_split(folder, [fields(0), fields(1, **more)])
    with pytest.raises(UserError) as caught:
        read_split(str(folder))
    return str(caught.value)


def test_the_fields_of_a_row_are_read(tmp_path: Path) -> None:
    split = read_split(str(write_split(tmp_path, [fields(2), fields(3, scenario="coco")])))
    ambiguous, clear = split.rows
    assert ambiguous == QuestionRow(
        index=0,
        scenario="quickdraw",
        clear=False,
        text=fields(2)["prompt"][0]["content"],
        suggestions=(DETAILS, ABSTAIN),
        categories=SHAPES,
        accepted=(DETAILS,),
        answer=SHAPES[2],
        place="train-00000-of-00001.parquet, row 0",
    )
    assert (clear.scenario, clear.clear, clear.accepted) == ("coco", True, ())
    (picture,) = split.pictures_of(split.rows[1])
    assert (picture.size, picture.mode) == ((28, 28), "RGB")


def test_rows_of_several_files_are_numbered_through(tmp_path: Path) -> None:
    write_split(tmp_path / "data", [fields(0), fields(1)], "train-00000")
    write_split(tmp_path / "data", [fields(3)], "train-00001")
    split = read_split(str(tmp_path))
    assert [row.index for row in split.rows] == [0, 1, 2]
    assert [row.clear for row in split.rows] == [False, True, True]
    assert len(split.files) == 2


def test_own_columns_override_the_derived_values(tmp_path: Path) -> None:
    options = ["Rewind the video.", "Wait for the bus to pass.", ABSTAIN, *SHAPES]
    text = "".join(f"{'ABCDEFG'[i]}. {option}\n" for i, option in enumerate(options))
    row = {
        **fields(0),
        "options": options,
        "prompt": [{"role": "user", "content": f"What? {text}"}],
        "proactive_actions": options[:2],
        "scenario": "vsod",
        "clear": True,
    }
    (read,) = read_split(str(write_split(tmp_path, [row]))).rows
    assert (read.scenario, read.clear, len(read.accepted)) == ("vsod", True, 2)


def test_a_picture_mark_in_the_text_is_removed(tmp_path: Path) -> None:
    text = fields(0)["prompt"][0]["content"]
    marked = fields(0, prompt=[{"role": "user", "content": f"<image>\n{text}"}])
    (row,) = read_split(str(write_split(tmp_path, [marked]))).rows
    assert row.text == text


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"ground_truth": "Teapot."}, "ground_truth: 'Teapot.' is not among the last 4 options"),
        ({"ground_truth": DETAILS}, "ground_truth: "),
        ({"ground_truth": ""}, "ground_truth: expected a text that is not empty"),
        ({"proactive_actions": ["Wave."]}, "proactive_actions: 'Wave.' is not among"),
        ({"proactive_actions": [ABSTAIN]}, "proactive_actions: 'I cannot tell.' is an abstention"),
        ({"options": []}, "options: the list is empty"),
        ({"options": [DETAILS, " ", *SHAPES]}, "options: expected texts that are not empty"),
        (
            {"options": [CLOSER, ABSTAIN, *SHAPES], "proactive_actions": []},
            "prompt: expected the option",
        ),
        ({"prompt": []}, "prompt: expected one message with the role user"),
        (
            {"prompt": [{"role": "system", "content": "Hi"}]},
            "prompt: expected a message with the role user",
        ),
        ({"images": []}, "images: expected one picture, got 0"),
        ({"images": [{"bytes": None, "path": None}]}, "images: the picture is empty"),
        ({"images": [{"bytes": None, "path": "/etc/hostname"}]}, "images: the picture is empty"),
        ({"images": [{"bytes": b"%!PS", "path": None}]}, "images: not a picture in one of the"),
    ],
)
def test_a_wrong_field_is_named_with_file_and_row(
    tmp_path: Path, more: dict[str, Any], said: str
) -> None:
    message = refused(tmp_path, **more)
    assert message.startswith("train-00000-of-00001.parquet, row 1: ")
    assert said in message


def test_wording_that_fits_no_released_scenario_needs_the_column(tmp_path: Path) -> None:
    options = ["Move the blocks aside.", ABSTAIN, *SHAPES]
    text = "".join(f"{'ABCDEFG'[i]}. {option}\n" for i, option in enumerate(options))
    prompt = [{"role": "user", "content": text}]
    message = refused(tmp_path, options=options, prompt=prompt, proactive_actions=[])
    assert "do not determine the scenario (quickdraw or coco); add a column `scenario`" in message


def test_an_unknown_scenario_is_refused(tmp_path: Path) -> None:
    write_split(tmp_path, [{**fields(0), "scenario": "maze"}])
    with pytest.raises(UserError, match="row 0: scenario: 'maze' is not one of rod, vsod"):
        read_split(str(tmp_path))


def test_suggestions_of_another_scenario_are_refused(tmp_path: Path) -> None:
    write_split(tmp_path, [{**fields(0), "scenario": "rod"}])
    with pytest.raises(
        UserError,
        match=r"row 0: options: 'Draw some of the missing details\.' is not a suggestion of rod",
    ):
        read_split(str(tmp_path))


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    row = fields(0)
    del row["options"]
    write_split(tmp_path, [row])
    with pytest.raises(UserError, match=r"train-00000-of-00001\.parquet has no column options; "):
        read_split(str(tmp_path))


def test_an_unreadable_parquet_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "train-00000-of-00001.parquet"
    file.write_text("no parquet")
    with pytest.raises(UserError, match="not a readable parquet file"):
        read_split(str(tmp_path))


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (".", "holds no train split"),
        ("missing/", "expected a file, a folder"),
        ("./a/b", "expected a file, a folder"),
    ],
)
def test_a_source_without_a_split_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=said):
        find_files(source)


def test_the_builders_own_split_is_read(tmp_path: Path) -> None:
    sources = {
        "quickdraw": drawings(tmp_path / "d.ndjson", each=4),
        "rod": photo_list(tmp_path / "s", each=4),
    }
    built(tmp_path / "out", sources, train_share=0.5)
    rows = read_split(str(tmp_path / "out")).rows
    assert {row.scenario for row in rows} == {"quickdraw", "rod"}
    assert [row.clear for row in rows] == [False, True] * (len(rows) // 2)


def test_a_broken_picture_is_named(tmp_path: Path) -> None:
    whole = picture(1, clear=True)
    broken = fields(1, images=[{"bytes": whole[: len(whole) // 2], "path": None}])
    split = read_split(str(write_split(tmp_path, [fields(0), broken])))
    with pytest.raises(UserError, match="row 1: images: the picture is not readable"):
        list(split.pictures_of(split.rows[1]))


def test_reading_reports_each_row(tmp_path: Path) -> None:
    told: list[int] = []
    read_split(str(small_split(tmp_path, 6)), told.append)
    assert told == [1] * 6
