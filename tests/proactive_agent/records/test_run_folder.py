"""Writing and reading the records of a run."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from proactive_agent.records.run_folder import EpisodeWriter, RunFolder
from proactive_agent.tools import NotWrittenError, UserError
from tests.proactive_agent.written_records import FAILED, episode


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "run")


def test_episodes_come_back_as_they_were_written(folder: RunFolder) -> None:
    written = [episode("ask", "right", sample_id=i) for i in range(3)]
    with EpisodeWriter(folder) as writer:
        for one in written:
            writer.write(one)
    assert list(folder.episodes()) == written


def test_an_episode_is_on_disk_before_the_writer_is_closed(folder: RunFolder) -> None:
    with EpisodeWriter(folder) as writer:
        writer.write(episode("right"))
        assert len(list(folder.episodes())) == 1


def test_a_torn_last_line_is_left_out_and_cut_off(folder: RunFolder) -> None:
    with EpisodeWriter(folder) as writer:
        writer.write(episode("right", sample_id=0))
    whole = folder.episodes_file.read_bytes()
    folder.episodes_file.write_bytes(whole + whole[: len(whole) // 2])
    assert [e.sample_id for e in folder.episodes()] == [0]
    with EpisodeWriter(folder) as writer:
        writer.write(episode("right", sample_id=1))
    assert [e.sample_id for e in folder.episodes()] == [0, 1]


def test_a_file_that_is_one_torn_line_starts_anew(folder: RunFolder) -> None:
    folder.path.mkdir()
    folder.episodes_file.write_bytes(b'{"scenario": "rod"' * 10_000)
    with EpisodeWriter(folder) as writer:
        writer.write(episode("right"))
    assert len(list(folder.episodes())) == 1


def test_the_last_record_of_an_episode_counts(folder: RunFolder) -> None:
    with EpisodeWriter(folder) as writer:
        writer.write(episode(error=FAILED))
        writer.write(episode("wrong", sample_id=1))
        writer.write(episode("right"))
    assert [(e.sample_id, e.error) for e in folder.episodes()] == [(1, None), (0, None)]


def test_an_episode_that_met_an_error_is_not_done(folder: RunFolder) -> None:
    with EpisodeWriter(folder) as writer:
        writer.write(episode(error=FAILED))
        writer.write(episode("wrong", sample_id=1))
    assert folder.keys_done() == {("rod", 1, 0)}


def test_a_second_writer_is_refused(folder: RunFolder) -> None:
    with EpisodeWriter(folder), pytest.raises(UserError, match="another process"):
        EpisodeWriter(folder)


HOLD = """
import sys, time
from pathlib import Path
from proactive_agent.records.run_folder import EpisodeWriter, RunFolder
with EpisodeWriter(RunFolder(Path(sys.argv[1]))):
    print("locked", flush=True)
    time.sleep(600)
"""


@contextmanager
def other_writer(folder: RunFolder) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock of a run until it is killed."""
    command = [sys.executable, "-c", HOLD, str(folder.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        try:
            yield process
        finally:
            process.kill()


def test_two_processes_never_write_one_run(folder: RunFolder) -> None:
    with other_writer(folder), pytest.raises(UserError, match=r"run is being written by another"):
        EpisodeWriter(folder)


def test_a_run_can_be_read_while_it_is_written(folder: RunFolder) -> None:
    with EpisodeWriter(folder) as writer:
        writer.write(episode("right"))
    with other_writer(folder):
        assert len(folder.outlines()) == 1


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_process_holds_no_lock(folder: RunFolder, how: signal.Signals) -> None:
    with other_writer(folder) as process:
        process.send_signal(how)
        process.wait(timeout=60)
        with EpisodeWriter(folder) as writer:
            writer.write(episode("right"))
    assert len(list(folder.episodes())) == 1


def test_a_writer_leaves_no_lock_file(folder: RunFolder) -> None:
    with EpisodeWriter(folder) as writer:
        writer.write(episode("right"))
    assert [file.name for file in folder.path.iterdir()] == ["episodes.jsonl"]


def test_a_writer_that_cannot_open_its_file_holds_no_lock(folder: RunFolder) -> None:
    folder.episodes_file.mkdir(parents=True)
    with pytest.raises(NotWrittenError, match=r"episodes\.jsonl cannot be written: Is a directory"):
        EpisodeWriter(folder)
    folder.episodes_file.rmdir()
    with EpisodeWriter(folder):
        pass


def test_a_foreign_line_is_named(folder: RunFolder) -> None:
    folder.path.mkdir()
    folder.episodes_file.write_text('{"scenario": "rod", "sample_id": 1}\n')
    with pytest.raises(UserError, match=r"episodes\.jsonl, line 1: protocol: Field required"):
        list(folder.episodes())


def test_a_file_that_cannot_be_read_is_named(folder: RunFolder) -> None:
    folder.episodes_file.mkdir(parents=True)
    with pytest.raises(UserError, match=r"episodes\.jsonl: Is a directory"):
        folder.outlines()


@pytest.mark.parametrize("content", ["{", "[]", "{}"])
def test_a_foreign_manifest_is_named(folder: RunFolder, content: str) -> None:
    folder.path.mkdir()
    folder.manifest_file.write_text(content)
    with pytest.raises(UserError, match=r"run\.json"):
        folder.read_manifest()
