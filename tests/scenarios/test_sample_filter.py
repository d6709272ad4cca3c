"""A data folder's own filter."""

import json
from pathlib import Path
from typing import Any

import pytest

from proactive_agent.records.manifest import fingerprint
from proactive_agent.scenarios import DataFolder
from proactive_agent.scenarios.dataset import DataError
from proactive_agent.scenarios.sample_filter import FILTER_FILE, SampleFilter, load_filter
from proactive_agent.tools import UserError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Own data: the first three samples of ROD."""
    source = DataFolder().file("rod")
    lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / source.name).write_text("".join(lines[:3]), encoding="utf-8")
    return tmp_path


def write_filter(folder: Path, *, sha256: str | None = None) -> SampleFilter:
    """Keeps the second sample only."""
    data = DataFolder(folder, unfiltered=True)
    made = SampleFilter(
        share=0.25,
        models=("local:a", "local:b"),
        files={"rod": sha256 or data.scan("rod").sha256},
        filter={"rod": frozenset([[s.id for s in data.samples("rod")][1]])},
    )
    (folder / FILTER_FILE).write_text(made.as_json(), encoding="utf-8")
    return made


def test_only_the_kept_samples_are_played(folder: Path) -> None:
    made = write_filter(folder)
    data = DataFolder(folder)
    assert [sample.id for sample in data.samples("rod")] == list(made.filter["rod"])
    assert (data.scan("rod").samples, data.scan("rod").kept) == (3, 1)
    assert DataFolder(folder, unfiltered=True).count("rod") == 3


def test_the_manifest_records_the_filter(folder: Path) -> None:
    assert fingerprint(DataFolder(folder), ("rod",)).own_filter is None
    write_filter(folder)
    found = fingerprint(DataFolder(folder), ("rod",))
    assert found.own_filter is not None
    assert found.own_filter.startswith("25 % of 2 models, sha256 ")
    assert not found.filtered, "that is the official filter"
    assert fingerprint(DataFolder(folder, unfiltered=True), ("rod",)).own_filter is None


def test_scenarios_that_the_filter_does_not_name_are_kept(folder: Path) -> None:
    made = write_filter(folder)
    assert made.keeps("coco", 1)


def test_a_filter_of_another_data_file_is_refused(folder: Path) -> None:
    write_filter(folder, sha256="0" * 64)
    with pytest.raises(DataError, match=r"filter\.json is the filter of another .*jsonl: remove"):
        DataFolder(folder).scan("rod")


def test_ids_keep_their_type(tmp_path: Path) -> None:
    made = SampleFilter(share=0.5, models=("a",), files={}, filter={"rod": frozenset({1, "1"})})
    file = tmp_path / FILTER_FILE
    file.write_text(made.as_json(), encoding="utf-8")
    assert load_filter(file) == made
    assert made.keeps("rod", 1)
    assert not made.keeps("rod", "2")


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "the file: "), ({}, "share: "), ({"share": "x"}, "share: ")],
)
def test_a_faulty_file_is_named(content: Any, message: str, folder: Path) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / FILTER_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=rf"filter\.json: {message}"):
        DataFolder(folder).scan("rod")
