"""Data files from someone else: `data verify` and `run` refuse them in the same words."""

import json
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proactive_agent.scenarios.contact_sheet import MOST_REACHED, sample_tiles
from proactive_agent.scenarios.dataset import MAX_LINE, DataFolder
from proactive_agent.scenarios.sample import MAX_CHOICES, MAX_FRAMES, MAX_TEXT, MAX_TURNS
from tests.hostile.attacking import no_stall, refusal
from tests.scenarios.official_layout import (
    Fields,
    random_sample,
    write_picture,
    write_samples,
)

LONG = "x" * 200_000
HALF = "\ud800"
"""Half of a surrogate pair: JSON can spell it, no file can hold it."""

FIELDS: list[tuple[str, str, Any, str]] = [
    # scenario, field, hostile value, message
    ("rod", "num_images", 10**12, "num_images: Input should be less than or equal to 10000"),
    ("rod", "num_images", 1e300, "num_images: Input should be less than or equal to 10000"),
    ("rod", "num_images", 14.5, "num_images: Input should be a valid integer"),
    ("rod", "num_images", True, "num_images: Input should be a valid integer"),
    ("rod", "num_images", float("inf"), "num_images: "),
    ("rod", "first_image", 10**12, "first_image: Input should be less than 10000"),
    ("rod", "first_image", -1, "first_image: Input should be greater than or equal to 0"),
    ("rod", "reference_image", -(10**12), "reference_image: "),
    ("vsod", "num_images", 10**12, "num_images: "),
    ("quickdraw", "num_images", 10**12, "num_images: "),
    ("mvp-n", "num_images", 10**12, "num_images: "),
    ("mvp-n", "valid_images", [0] * 1_000_000, "valid_images: List should have at most 10000"),
    ("mvp-n", "valid_images", [10**12] * 6, "valid_images.0: "),
    ("changeit", "max_steps", 10**9, "max_steps: Input should be less than or equal to 1000"),
    ("changeit", "step_size", 10**9, "step_size: "),
    ("coco", "granularity", 10**9, "granularity: Input should be less than or equal to 1000"),
    ("coco", "horizontal_step", 1e308, "horizontal_step: "),
    ("coco", "crop", {"top": 0, "left": 0, "width": 1e308, "height": 1}, "crop.width: "),
    ("coco", "direction", "left_" * 100_000, "direction: String should have at most"),
    ("rod", "image_template", LONG, "image_template: String should have at most 500"),
    ("rod", "image_template", "{image}" * 50 + "{other}", "has the place {other}"),
    ("rod", "image_template", "{" + "y" * 400 + "}", "has the place {yyy"),
    ("rod", "prompt", LONG, f"prompt: String should have at most {MAX_TEXT}"),
    ("rod", "prompt", HALF, "prompt: "),
    ("rod", "options", ["to the left"] * 1000, f"options: List should have at most {MAX_CHOICES}"),
    ("rod", "options", [LONG], "options.0: String should have at most"),
    ("rod", "options", ["z" * MAX_TEXT], "options: 'zzz"),
    ("rod", "categories", ["Cat."] * 1000, "categories: List should have at most"),
    ("rod", "answer", "z" * MAX_TEXT, "answer 'zzz"),
    ("imagenet-c", "quality_answer", "z" * MAX_TEXT, "quality_answer 'zzz"),
    ("rod", "id", HALF, r"id: '\ud800' is not a character"),
    ("rod", "id", LONG, "id: an id of more than 1000 characters"),
    ("rod", "id", 10**40, "id: an id of more than 64 bits"),
    ("rod", "id", 1.5, "id: expected a text or a whole number"),
    ("rod", "id", True, "id: expected a text or a whole number"),
    ("rod", "id", None, "id: expected a text or a whole number"),
]
"""A field that cannot be used."""

CATEGORIES: list[tuple[list[str], str]] = [
    ([], "categories: List should have at least 2 items"),
    (["Cat."], "categories: List should have at least 2 items"),
    (["Cat.", "Dog.", "Cat."], "categories: 'Cat.' occurs twice"),
]

LINES: list[tuple[bytes, str]] = [
    (b"[" * 100_000, "not valid JSON"),
    (b'{"id": ' + b"1" * 5000 + b"}", "not valid JSON"),
    (b'"' + b"x" * MAX_LINE + b'"', "longer than 8,388,608 bytes"),
    (b'{"id": "\xff"}', "not valid JSON"),
    (b"\x00\x00\x00", "not valid JSON"),
    (b"null", "Input should be"),
]
"""A line that is no sample."""


def ordinary(scenario: str, **changes: Any) -> Fields:
    return random_sample(scenario, random.Random(3), "good") | changes


def refused_alike(folder: Path, scenario: str) -> str:
    """Returns the message of `data verify`, which must be that of `run`."""
    ran = refusal("run", "--provider", "baseline:oracle", "--data", folder, "--dry-run")
    found = refusal("data", "verify", folder, exit_code=1)
    fault = found.splitlines()[0].removeprefix(f"{scenario}: ")
    assert ran == f"error: {fault}\n"
    return fault


@pytest.mark.parametrize(("scenario", "field", "value", "told"), FIELDS)
def test_a_field_that_cannot_be_used_is_named(
    tmp_path: Path, scenario: str, field: str, value: Any, told: str
) -> None:
    file = write_samples(
        tmp_path, scenario, [ordinary(scenario), ordinary(scenario) | {field: value}]
    )
    message = refused_alike(tmp_path, scenario)
    assert message.startswith(f"{file}, line 2, sample ")
    assert told in message


@pytest.mark.parametrize(("categories", "told"), CATEGORIES)
def test_categories_are_at_least_two_and_differ(
    tmp_path: Path, categories: list[str], told: str
) -> None:
    write_samples(tmp_path, "rod", [ordinary("rod", categories=categories, answer="Cat.")])
    assert told in refused_alike(tmp_path, "rod")


@pytest.mark.parametrize(("line", "told"), LINES)
def test_a_line_that_is_no_sample_is_named(tmp_path: Path, line: bytes, told: str) -> None:
    file = write_samples(tmp_path, "rod", [ordinary("rod")])
    with file.open("ab") as stream:
        stream.write(line + b"\n")
    message = refused_alike(tmp_path, "rod")
    assert message.startswith(f"{file}, line 2: ")
    assert told in message


@pytest.mark.parametrize("content", [b"", b"\n\n  \n"])
def test_a_file_without_samples(tmp_path: Path, content: bytes) -> None:
    file = write_samples(tmp_path, "rod", [])
    file.write_bytes(content)
    assert refused_alike(tmp_path, "rod") == f"{file} contains no sample"


LARGEST: list[tuple[str, Fields]] = [
    ("rod", {}),
    ("vsod", {}),
    ("quickdraw", {}),
    ("mvp-n", {"valid_images": list(range(MAX_FRAMES))}),
    ("changeit", {"max_steps": MAX_TURNS, "step_size": 1}),
    ("coco", {"granularity": MAX_TURNS}),
    (
        "coco",
        {"granularity": MAX_TURNS, "direction": "left_up", "options": ["to the left", "up"]},
    ),
]
"""Samples at every bound."""


@pytest.mark.parametrize(("scenario", "changes"), LARGEST)
def test_a_sample_at_every_bound_is_played_without_a_stall(
    tmp_path: Path, scenario: str, changes: Fields
) -> None:
    fields = {"first_image": 0, "num_images": MAX_FRAMES, "reference_image": MAX_FRAMES - 1}
    write_samples(tmp_path, scenario, [ordinary(scenario, **fields) | changes])
    folder = DataFolder(tmp_path)
    (sample,) = folder.samples(scenario)
    with no_stall():
        assert folder.environment(scenario, sample).fewest_suggestions() is not None
        assert len(sample_tiles(folder, scenario, sample)) <= MOST_REACHED + 1


REAL: list[tuple[str, Callable[[Fields], Fields]]] = [
    ("rod", lambda fields: {"num_images": float(fields["num_images"]), "id": 7.0}),
    ("rod", lambda fields: {"extra": {"deep": [1]}, "other": None}),
    ("mvp-n", lambda fields: {"valid_images": [float(i) for i in fields["valid_images"]]}),
    ("mvp-n", lambda fields: {"valid_images": None}),
    ("vsod", lambda fields: {"strong_occlusions": None}),
    ("changeit", lambda fields: {"max_steps": float(fields["max_steps"]), "step_size": 1.0}),
    ("coco", lambda fields: {"first_image": None, "num_images": None, "reference_image": None}),
    ("coco", lambda fields: {"direction": "up", "horizontal_step": None}),
]
"""What a real file may hold: whole numbers as floats, extra fields, nulls where nothing is used."""


@pytest.mark.parametrize(("scenario", "changes"), REAL)
def test_spellings_of_real_files_are_read(
    tmp_path: Path, scenario: str, changes: Callable[[Fields], Fields]
) -> None:
    fields = ordinary(scenario)
    write_samples(tmp_path, scenario, [fields | changes(fields)])
    folder = DataFolder(tmp_path)
    assert folder.scan(scenario).samples == 1
    (sample,) = folder.samples(scenario)
    assert folder.environment(scenario, sample).observe().question


def test_numbers_of_real_files_become_whole(tmp_path: Path) -> None:
    write_samples(tmp_path, "rod", [ordinary("rod", id=7.0, num_images=14.0, first_image=3.0)])
    (sample,) = DataFolder(tmp_path).samples("rod")
    assert json.loads(sample.model_dump_json(include={"id", "num_images", "first_image"})) == {
        "id": 7,
        "num_images": 14,
        "first_image": 3,
    }
    assert "3" in DataFolder(tmp_path).environment("rod", sample).image().path
    assert "3.0" not in DataFolder(tmp_path).environment("rod", sample).image().path


@pytest.mark.parametrize("content", ["[" * 100_000, "\0", "[]", '{"turns": 3}'])
def test_a_replay_that_is_none_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "replay.jsonl"
    file.write_text(content + "\n", encoding="utf-8")
    run = ("run", "--provider", f"replay:{file}", "--scenario", "rod", "--out", tmp_path / "out")
    assert f"{file}, line 1: " in refusal(*run)


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes")
def test_a_replay_that_is_a_pipe_does_not_stall(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "replay.jsonl")
    provider = f"replay:{tmp_path / 'replay.jsonl'}"
    run = ("run", "--provider", provider, "--scenario", "rod", "--out", tmp_path / "out")
    assert "not a regular file" in refusal(*run)


@pytest.mark.skipif(sys.platform != "linux", reason="file names of any bytes")
def test_build_names_a_picture_whose_name_is_not_utf_8(tmp_path: Path) -> None:
    write_picture(tmp_path / "photos/cat/\udcff.png")
    message = refusal("build", tmp_path / "photos", "--scenario", "rod", "--out", tmp_path / "out")
    assert "not UTF-8" in message
