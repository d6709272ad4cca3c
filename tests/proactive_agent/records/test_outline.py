"""Outlines agree with their records and locate them."""

from pathlib import Path

import msgspec
import pytest

from proactive_agent.records.episode import EpisodeRecord, Record
from proactive_agent.records.outline import IndexedOutline, Slim, outline_of
from proactive_agent.records.run_folder import EpisodeWriter, RunFolder
from proactive_agent.tools import UserError
from tests.proactive_agent.written_records import FAILED, episode, turn


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "run")


def write(folder: RunFolder, *episodes: EpisodeRecord) -> None:
    with EpisodeWriter(folder) as writer:
        for one in episodes:
            writer.write(one)


JUDGEMENT = {
    "judge": "rules v1",
    "answers": [{"text": "wait", "kind": "proactive", "met": True}],
    "usage": {"cost_usd": 0.5},
}
FULL = episode(
    "ask", "unreadable", scenario="coco", sample_id="a/b", repeat=2, fewest=3, answer="Dog.",
    error=FAILED,
    turns=[
        turn("ask", judgement=JUDGEMENT),
        turn("unreadable", 1, lenient_verdict={"suggestion": "correct", "category": "mismatch"}),
    ],
)  # fmt: skip


def same(slim: object, full: object) -> None:
    """Checks that every field of an outline equals the record's."""
    if isinstance(slim, Slim):
        assert isinstance(full, Record)
        for name in set(slim.__struct_fields__) - {"offset", "length"}:
            same(getattr(slim, name), getattr(full, name))
    elif isinstance(slim, list):
        assert isinstance(full, list)
        for part, whole in zip(slim, full, strict=True):
            same(part, whole)
    else:
        assert slim == full


@pytest.mark.parametrize("record", [FULL, episode("right"), episode(error=FAILED)])
def test_an_outline_says_what_its_record_says(record: EpisodeRecord) -> None:
    outline = outline_of(record)
    same(outline, record)
    assert outline.key == record.key


@pytest.mark.parametrize("record", [FULL, episode("right"), episode(error=FAILED)])
def test_an_outline_says_the_same_after_it_was_in_an_index(record: EpisodeRecord) -> None:
    line = outline_of(record)
    packed = msgspec.msgpack.encode(line)
    indexed = msgspec.msgpack.decode(packed, type=IndexedOutline)
    for name in line.__struct_fields__:
        assert getattr(indexed, name) == getattr(line, name)


def test_a_record_is_read_where_its_outline_says(folder: RunFolder) -> None:
    write(folder, FULL, episode("right", sample_id=7))
    for outline in folder.outlines():
        record = folder.read_episode(outline)
        assert record.key == outline.key
    assert record == episode("right", sample_id=7)


def test_the_last_outline_of_an_episode_counts(folder: RunFolder) -> None:
    write(folder, episode(error=FAILED), episode("wrong", sample_id=1), episode("right"))
    assert [(o.sample_id, o.error) for o in folder.outlines()] == [(1, None), (0, None)]
    assert [o.key for o in folder.outlines()] == [e.key for e in folder.episodes()]


def test_a_scan_goes_on_where_the_last_one_ended(folder: RunFolder) -> None:
    write(folder, episode("right", sample_id=0))
    (first,) = folder.scan()
    end = first.offset + first.length
    assert list(folder.scan(end)) == []
    write(folder, episode("right", sample_id=1))
    assert [outline.sample_id for outline in folder.scan(end)] == [1]


def test_a_torn_last_line_is_left_out(folder: RunFolder) -> None:
    write(folder, episode("right"), episode("wrong", sample_id=1))
    folder.episodes_file.write_bytes(folder.episodes_file.read_bytes()[:-9])
    assert [outline.sample_id for outline in folder.scan()] == [0]


def test_without_a_file_there_are_no_outlines(folder: RunFolder) -> None:
    assert folder.outlines() == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"scenario": "rod", "sample_id": 1}', "protocol: Field required"),
        (b'{"scenario": "rod"', "Invalid JSON"),
        (b"[1]", "Input should be an object"),
        (b"\xff\xfe", "Invalid JSON"),
        (b"[" * 100_000, "Invalid JSON: recursion limit"),
    ],
    ids=["fields missing", "no JSON", "no object", "no text", "too deep"],
)
def test_a_foreign_line_is_named(folder: RunFolder, line: bytes, message: str) -> None:
    write(folder, episode("right"))
    with folder.episodes_file.open("ab") as stream:
        stream.write(line + b"\n")
    with pytest.raises(UserError, match=rf"episodes\.jsonl, line 2: {message}"):
        folder.outlines()


def test_a_line_that_only_records_understand_is_read_as_they_do(folder: RunFolder) -> None:
    """Records accept numbers written as text, so outlines must not refuse them."""
    write(folder, episode("ask", "right"))
    text = folder.episodes_file.read_text().replace('"turns":2', '"turns":"2"')
    folder.episodes_file.write_text(text)
    assert [outline.outcome.turns for outline in folder.outlines()] == [2]
