"""Leaks: rows that show a picture of a test sample, if that picture determines the answer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from proactive_agent.scenarios import DataFolder
from proactive_agent.training.rows import QuestionRow
from proactive_agent.training.selection import Leak, comparison_data, find_leaks


def row(index: int, answer: str) -> QuestionRow:
    return QuestionRow(
        index, "quickdraw", True, "", (), ("Cup.", "Vase."), (), answer, f"row {index}"
    )


def shown(data: DataFolder, scenario: str, number: int = 0) -> tuple[Any, Any, str]:
    """Returns the first picture, the reference picture and the answer of a sample."""
    sample = [*data.samples(scenario, number + 1)][number]
    state = data.environment(scenario, sample)
    first, last = (data.images.open(ref).image for ref in (state.image(), state.reference_image()))
    return first, last, sample.answer


def leaks(pictures: list[Any], answers: list[str], tests: list[DataFolder]) -> list[Leak]:
    rows = [row(index, answer) for index, answer in enumerate(answers)]

    def pictures_of(one: QuestionRow) -> Iterator[Any]:
        yield pictures[one.index]

    return find_leaks(rows, pictures_of, tests, lambda done: None)


def test_first_and_reference_frames_of_test_samples_leak() -> None:
    data = DataFolder()
    first, last, answer = shown(data, "coco")
    other = Image.new("RGB", (30, 30))
    found = leaks([first, other, last], [answer] * 3, [data])
    assert [leak.row for leak in found] == [0, 2]
    assert {leak.sample for leak in found} == {"coco:0"}


def test_the_same_pixels_leak_whatever_their_mode_or_file() -> None:
    data = DataFolder()
    _, last, answer = shown(data, "quickdraw")
    assert leaks([last.convert("RGBA")], [answer.upper()], [data])
    assert not leaks([last.resize((20, 20))], [answer], [data])


def test_the_same_picture_with_another_answer_is_no_leak() -> None:
    data = DataFolder()
    _, last, _ = shown(data, "coco")
    assert not leaks([last], ["Something else."], [data])


def test_a_picture_of_samples_with_different_answers_is_no_leak(tmp_path: Path) -> None:
    import json

    lines = []
    for number, answer in enumerate(("Cup.", "Vase.")):
        for frame, colour in ((0, "white"), (1, f"#{number}{number}8833")):
            file = tmp_path / f"{number}/{frame:04}.png"
            file.parent.mkdir(exist_ok=True)
            Image.new("RGB", (20, 20), colour).save(file)
        lines.append(
            {"id": number, "image_template": f"{number}/{{image}}.png", "first_image": 0,
             "num_images": 2, "reference_image": 1, "prompt": "What?", "answer": answer,
             "options": ["Add details.", "I cannot tell."],
             "categories": ["Cup.", "Vase.", "Lamp.", "Kettle."]}
        )  # fmt: skip
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (tmp_path / "QuickDraw_preprocessed.jsonl").write_text(text)
    data = DataFolder(tmp_path)
    first, last, _ = shown(data, "quickdraw", 1)
    assert [leak.row for leak in leaks([first, last], ["Vase."] * 2, [data])] == [1]


def test_the_test_split_next_to_the_train_split_is_compared(tmp_path: Path) -> None:
    assert [folder.embedded for folder in comparison_data(str(tmp_path), None)] == [True]
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "QuickDraw_preprocessed.jsonl").write_text("")
    embedded, beside = comparison_data(str(tmp_path), None)
    assert (embedded.embedded, beside.root) == (True, tmp_path / "test")
    assert len(comparison_data(str(tmp_path), str(tmp_path / "test"))) == 1


def test_a_leak_names_the_row_and_the_picture() -> None:
    data = DataFolder()
    first, _, answer = shown(data, "coco")
    (leak,) = leaks([first], [answer], [data])
    sample = next(iter(data.samples("coco", 1)))
    file = data.environment("coco", sample).image().path
    assert str(leak) == f"row 0 shows coco:0 ({file})"
