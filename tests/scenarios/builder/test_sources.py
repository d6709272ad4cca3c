"""Reading folders, lists and strokes, and naming their faults."""

import json
from pathlib import Path

import pytest

from proactive_agent.scenarios.builder import BuildError
from proactive_agent.scenarios.builder.items import Region
from proactive_agent.scenarios.builder.sources import Accepts, read_labelled
from proactive_agent.scenarios.builder.strokes import read_drawings
from tests.scenarios.builder.material import (
    json_lines,
    photo,
    photo_folder,
    text_file,
    video_list,
    view_folder,
)

PICTURES = Accepts(pictures=True)
FOLDERS = Accepts(folders=True)


def test_a_folder_of_classes(tmp_path: Path) -> None:
    root = photo_folder(tmp_path / "s", each=1, labels=("b", "a"))
    (root / "a" / "notes.txt").write_text("no picture")
    (root / "a" / ".hidden.png").write_bytes(b"")
    (root / "LICENSE").write_text("no class")
    items = list(read_labelled(root, PICTURES))
    assert [(item.key, item.label, item.frames) for item in items] == [
        ("a/0.png", "a", ("a/0.png",)),
        ("b/0.png", "b", ("b/0.png",)),
    ]


def test_frames_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    root = view_folder(tmp_path / "s", views=12, labels=("cup",))
    (item,) = read_labelled(root, FOLDERS)
    assert item.frames == tuple(f"cup/one/view{i}.png" for i in range(12))


def test_a_csv_with_and_without_boxes(tmp_path: Path) -> None:
    rows = ["path,label,x,y,width,height", "a.png,cup,1,2.5,3,4", "b.png,cup,,,,"]
    items = list(read_labelled(text_file(tmp_path / "l.csv", rows), PICTURES))
    assert [item.box for item in items] == [Region(1, 2.5, 3, 4), None]


def test_a_jsonl_with_a_box(tmp_path: Path) -> None:
    file = json_lines(
        tmp_path / "l.jsonl", [{"path": "a.png", "label": "cup", "box": [1, 2, 3, 4]}]
    )
    (item,) = read_labelled(file, PICTURES)
    assert item.box == Region(1, 2, 3, 4)


def test_the_informative_frame_by_name_or_number(tmp_path: Path) -> None:
    items = list(read_labelled(video_list(tmp_path, frames=5), FOLDERS))
    assert [item.informative for item in items] == [4, 0, 4, 0, 4]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a.png,", "line 3: label: "),
        (",cup", "line 3: path: "),
        ("../a.png,cup", "line 3: path '../a.png' leads outside the source's folder"),
        ("/etc/a.png,cup", "leads outside the source's folder"),
        ("C:\\a.png,cup", "leads outside the source's folder"),
        ("a.png,cup,1,2,3", "line 3: height: missing; a box needs x, y, width, height"),
        ("a.png,cup,1,2,0,4", "line 3: width: "),
        ("a.png,cup,1,2,wide,4", "line 3: width: "),
        ("a.png,cup,nan,2,3,4", "line 3: x: "),
        ("a.png,cup,1,2,3,4,5", "line 3: more cells than columns"),
        ('"a.png,cup', "not valid CSV"),
        ("classes,cup", "line 3: path: 'classes' is a folder; a picture is needed"),
    ],
)
def test_a_bad_csv_line_is_named(tmp_path: Path, row: str, message: str) -> None:
    (tmp_path / "classes").mkdir()
    rows = ["path,label,x,y,width,height", "a.png,cup,1,2,3,4", row]
    file = text_file(tmp_path / "l.csv", rows)
    with pytest.raises(BuildError) as error:
        list(read_labelled(file, PICTURES))
    assert str(file) in str(error.value)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 1: not valid JSON"),
        ("[" * 100_000, "line 1: not valid JSON"),
        ("3", "line 1: "),
        (json.dumps({"path": "a.png"}), "line 1: label: "),
        (json.dumps({"path": "a", "label": "c", "box": [1, 2]}), "line 1: box: [1, 2] is not"),
    ],
)
def test_a_bad_jsonl_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    file = text_file(tmp_path / "l.jsonl", [line])
    with pytest.raises(BuildError) as error:
        list(read_labelled(file, PICTURES))
    assert f"{file}, {message}" in str(error.value)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("informative", 9, "informative: there is no frame 9; 4 count from 0"),
        ("informative", "x.png", "informative: there is no frame 'x.png'"),
        ("first", -1, "first: there is no frame -1"),
        ("path", "nowhere", "path: 'nowhere' is not a folder of frames"),
    ],
)
def test_a_frame_that_is_not_there_is_named(
    tmp_path: Path, field: str, value: object, message: str
) -> None:
    view_folder(tmp_path, views=4, labels=("cup",))
    row = {"path": "cup/one", "label": "cup"} | {field: value}
    with pytest.raises(BuildError, match="line 1: ") as error:
        list(read_labelled(json_lines(tmp_path / "l.jsonl", [row]), FOLDERS))
    assert message in str(error.value)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    file = text_file(tmp_path / "l.csv", ["file,label", "a.png,cup"])
    with pytest.raises(BuildError, match="line 1: the column 'path' is missing"):
        list(read_labelled(file, PICTURES))


def test_another_encoding_is_said(tmp_path: Path) -> None:
    file = tmp_path / "l.csv"
    file.write_bytes("path,label\na.png,café\n".encode("latin-1"))
    with pytest.raises(BuildError, match="not UTF-8"):
        list(read_labelled(file, PICTURES))


def test_a_file_of_another_kind_is_no_source(tmp_path: Path) -> None:
    photo(0).save(tmp_path / "a.png")
    with pytest.raises(BuildError, match="neither a folder nor a list"):
        read_labelled(tmp_path / "a.png", PICTURES)


def test_quick_draw_lines(tmp_path: Path) -> None:
    file = json_lines(
        tmp_path / "cup.ndjson",
        [
            {"word": "cup", "recognized": True, "drawing": [[[0, 1], [2, 3]]], "key_id": "5"},
            {"word": "cup", "recognized": False, "drawing": [[[0, 1], [2, 3]]]},
        ],
    )
    (item,) = read_drawings(file)
    assert (item.label, item.strokes) == ("cup", (((0, 2), (1, 3)),))


def test_our_stroke_lines_from_a_folder(tmp_path: Path) -> None:
    for name in ("b", "a"):
        line = {"label": name, "strokes": [[[0, 2], [1, 3]]]}
        json_lines(tmp_path / f"{name}.jsonl", [line])
    items = list(read_drawings(tmp_path))
    assert [(item.label, item.strokes) for item in items] == [
        ("a", (((0, 2), (1, 3)),)),
        ("b", (((0, 2), (1, 3)),)),
    ]


@pytest.mark.parametrize(
    ("drawing", "message"),
    [
        ([[[0, 1], [2]]], "drawing.0: 2 x for 1 y"),
        ([[[0, 1], [2, 3], [0, 9]]], "drawing.0"),
        ([[[0, 1e300], [2, 3]]], "drawing.0.0.1"),
        ([[[], []]], "drawing.0.0"),
        ("x", "drawing: "),
    ],
)
def test_bad_strokes_are_named(tmp_path: Path, drawing: object, message: str) -> None:
    file = json_lines(tmp_path / "cup.ndjson", [{"word": "cup", "drawing": drawing}])
    with pytest.raises(BuildError) as error:
        list(read_drawings(file))
    assert f"{file}, line 1: {message}" in str(error.value)
