"""`episodes.index` saves reading the episodes and never contradicts them."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from proactive_agent.records import episode_index, run_folder
from proactive_agent.records.run_folder import EpisodeWriter, RunFolder
from tests.proactive_agent.written_records import FAILED, episode

Known = list[tuple[int | str, int, bool, list[str]]]


@pytest.fixture(autouse=True)
def _always_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(episode_index, "WORTH", 1)
    monkeypatch.setattr(episode_index, "BLOCK", 2)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """An indexed run of five episodes; the first was retried."""
    folder = RunFolder(tmp_path / "run")
    write(folder, 0, error=True)
    for number in range(1, 5):
        write(folder, number)
    write(folder, 0)
    folder.outlines()
    assert folder.index_file.is_file()
    return folder


def write(folder: RunFolder, number: int, *, error: bool = False) -> None:
    with EpisodeWriter(folder) as writer:
        kinds = ["ask"] * number + ["right"]
        writer.write(episode(*kinds, sample_id=number, error=FAILED if error else None))


def known(folder: RunFolder) -> Known:
    """Returns some fields of each outline."""
    return [
        (o.sample_id, o.offset, o.outcome.correct, [turn.action.kind for turn in o.turns])
        for o in folder.outlines()
    ]


def scanned(folder: RunFolder) -> Known:
    """Returns the same fields, read without an index."""
    index = folder.index_file.with_name("away")
    folder.index_file.rename(index)
    found = known(folder)
    index.replace(folder.index_file)
    return found


def lines_read(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> int:
    """Counts the lines of `episodes.jsonl` that are read to list all episodes."""
    original, read = run_folder.decode, 0

    def counting(line: bytes) -> object:
        nonlocal read
        read += 1
        return original(line)

    with monkeypatch.context() as patch:
        patch.setattr(run_folder, "decode", counting)
        folder.outlines()
    return read


# With an index ------------------------------------------------------------------------------------


def test_with_an_index_no_line_is_read(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    assert known(folder) == scanned(folder)
    assert [number for number, *_ in known(folder)] == [1, 2, 3, 4, 0]
    assert lines_read(folder, monkeypatch) == 0


def test_a_scan_writes_none_unless_it_is_told_to(folder: RunFolder) -> None:
    folder.index_file.unlink()
    assert [outline.sample_id for outline in folder.scan()] == [0, 1, 2, 3, 4, 0]
    assert not folder.index_file.exists()
    assert [outline.sample_id for outline in folder.scan(save_index=True)] == [0, 1, 2, 3, 4, 0]
    assert folder.index_file.exists()


def test_of_a_longer_file_only_what_follows_is_read(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, 2)
    write(folder, 9)
    assert lines_read(folder, monkeypatch) == 2
    assert known(folder) == scanned(folder)
    assert [number for number, *_ in known(folder)] == [1, 3, 4, 0, 2, 9]
    assert lines_read(folder, monkeypatch) == 0


def test_what_is_read_soon_enough_is_not_indexed(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(episode_index, "WORTH", 1_000_000)
    before = folder.index_file.read_bytes()
    write(folder, 5)
    folder.outlines()
    assert folder.index_file.read_bytes() == before
    folder.index_file.unlink()
    folder.outlines()
    assert not folder.index_file.exists()


def test_a_torn_last_line_is_in_no_index(folder: RunFolder) -> None:
    whole = folder.episodes_file.read_bytes()
    folder.episodes_file.write_bytes(whole + whole[:200])
    assert [number for number, *_ in known(folder)] == [1, 2, 3, 4, 0]
    write(folder, 5)
    assert known(folder) == scanned(folder)
    assert [number for number, *_ in known(folder)] == [1, 2, 3, 4, 0, 5]


def test_a_number_that_the_index_cannot_hold_is_no_harm(folder: RunFolder) -> None:
    write(folder, 1)
    large = 1 << 70
    text = folder.episodes_file.read_text().replace('"sample_id":1,', f'"sample_id":{large},')
    folder.episodes_file.write_text(text)
    assert [number for number, *_ in known(folder)] == [2, 3, 4, 0, large]


# An index that does not fit -----------------------------------------------------------------------


def first_half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flipped(content: bytes) -> bytes:
    """Changes a recorded answer."""
    assert b"Cat." in content
    return content.replace(b"Cat.", b"Dog.")


def without_a_block(content: bytes) -> bytes:
    """Removes the first block of outlines."""
    frame = episode_index._FRAME
    second = frame.size + frame.unpack(content[: frame.size])[0]
    third = second + frame.size + frame.unpack(content[second : second + frame.size])[0]
    return content[:second] + content[third:]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: b"\xff" * 500,
        lambda content: b"nonsense\n",
        lambda content: content[:-1],
        lambda content: content[:3],
        lambda content: content + b"\xff" * 20,
        first_half,
        flipped,
        without_a_block,
    ],
    ids=[
        "empty", "large numbers", "text", "torn", "torn at once", "longer", "half", "flipped",
        "a block missing",
    ],
)  # fmt: skip
def test_a_damaged_index_is_no_harm_and_is_replaced(
    folder: RunFolder, damage: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = known(folder)
    folder.index_file.write_bytes(damage(folder.index_file.read_bytes()))
    assert known(folder) == expected
    assert lines_read(folder, monkeypatch) == 0


def test_an_index_of_another_version_is_replaced(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(episode_index, "_FORMAT", "another")
    assert lines_read(folder, monkeypatch) == 6
    assert lines_read(folder, monkeypatch) == 0


def rewritten(content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    return b"".join(reversed(lines))


@pytest.mark.parametrize(
    "rewrite",
    [
        rewritten,
        lambda content: rewritten(content) + content.splitlines(keepends=True)[2],
        lambda content: b"".join(content.splitlines(keepends=True)[:3]),
        lambda content: content.replace(b'"sample_id":2,', b'"sample_id":7,'),
        lambda content: b"",
    ],
    ids=["same size", "longer", "shorter", "the end is the same", "empty"],
)
def test_an_index_of_other_episodes_is_not_used(
    folder: RunFolder, rewrite: Callable[[bytes], bytes]
) -> None:
    folder.episodes_file.write_bytes(rewrite(folder.episodes_file.read_bytes()))
    os.utime(folder.episodes_file, (1, 1))
    assert known(folder) == scanned(folder)


def test_a_run_that_was_moved_keeps_its_index(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    moved = RunFolder(folder.path.rename(tmp_path / "elsewhere"))
    assert lines_read(moved, monkeypatch) == 0


# Concurrent readers, and folders without write access ---------------------------------------------


def test_where_no_index_can_be_written_there_is_none(folder: RunFolder) -> None:
    expected = known(folder)
    folder.index_file.unlink()
    folder.index_file.mkdir()
    assert known(folder) == expected
    assert sorted(file.name for file in folder.path.iterdir()) == [
        "episodes.index", "episodes.jsonl",
    ]  # fmt: skip


def test_an_index_that_another_reader_replaces_is_read_to_its_end(folder: RunFolder) -> None:
    scan = folder.scan()
    first = next(scan)
    folder.index_file.unlink()
    write(folder, 5)
    folder.outlines()
    assert [first.sample_id, *(o.sample_id for o in scan)] == [0, 1, 2, 3, 4, 0, 5]


def test_readers_that_write_at_once_leave_a_whole_index(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.index_file.unlink()
    one, other = (folder.scan(save_index=True) for _ in range(2))
    assert next(one).offset == next(other).offset
    assert len(list(one)) == len(list(other)) == 5
    assert lines_read(folder, monkeypatch) == 0
