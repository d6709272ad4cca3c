"""Files are whole or unchanged, also when the disk is full or the writer dies."""

import multiprocessing
import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from proactive_agent.disk.locks import HeldLock, LockedError, is_locked
from proactive_agent.disk.whole_files import write_whole, written_aside
from proactive_agent.tools import NotWrittenError


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Lets this process write no file beyond a size, in bytes, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_a_file_is_replaced_and_keeps_its_permissions(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    write_whole(file, "old")
    file.chmod(0o600)
    write_whole(file, "new ä")
    assert file.read_text(encoding="utf-8") == "new ä"
    assert file.stat().st_mode & 0o777 == 0o600
    assert names(tmp_path) == ["run.json"]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    write_whole(file, "old")
    with largest_file(1000), pytest.raises(NotWrittenError, match=r"run\.json cannot be written"):
        write_whole(file, "new" * 1000)
    assert file.read_text() == "old"
    assert names(tmp_path) == ["run.json"]


def test_an_error_in_between_leaves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    with pytest.raises(ZeroDivisionError), written_aside(file) as partial:
        partial.write_text("half" * (1 // 0))
    assert names(tmp_path) == []


def test_an_error_of_another_file_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(NotWrittenError, match=r"table\.csv cannot be written: .*other: No such"),
        written_aside(tmp_path / "table.csv"),
    ):
        (tmp_path / "other").read_bytes()


def test_a_full_device_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(NotWrittenError, match="/dev/full cannot be written: No space left"):
        write_whole(Path("/dev/full"), "text")


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    for name in ("run.json", ".other.tmp.json"):
        (tmp_path / name).symlink_to(victim)
    write_whole(tmp_path / "run.json", "new")
    with pytest.raises(NotWrittenError):
        write_whole(tmp_path / "other.json", "new")
    assert victim.read_text() == "precious"
    assert (tmp_path / "run.json").read_text() == "new"


def _die_while_writing(file: Path) -> None:
    with written_aside(file) as partial:
        partial.write_text("half of a very long text")
        os.kill(os.getpid(), signal.SIGKILL)


def _hold(file: Path) -> None:
    lock = HeldLock(file)
    os.kill(os.getpid(), signal.SIGSTOP)
    lock.release()


def started(function: Callable[[Path], None], file: Path) -> multiprocessing.process.BaseProcess:
    process = multiprocessing.get_context("fork").Process(target=function, args=(file,))
    process.start()
    return process


def test_the_next_writer_reuses_what_a_killed_one_left(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    write_whole(file, "old")
    started(_die_while_writing, file).join(60)
    assert file.read_text() == "old"
    assert names(tmp_path) == [".run.tmp.json", "run.json"]
    write_whole(file, "new")
    assert file.read_text() == "new"
    assert names(tmp_path) == ["run.json"]


def test_two_writers_of_one_file_do_not_mix(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    with written_aside(file) as partial:
        partial.write_text("first")
        with pytest.raises(NotWrittenError, match="another process"):
            write_whole(file, "second")
    assert file.read_text() == "first"


def test_a_lock_is_seen_and_ends_with_its_process(tmp_path: Path) -> None:
    file = tmp_path / "x.lock"
    assert not is_locked(file)
    process = started(_hold, file)
    os.waitid(os.P_PID, process.pid or 0, os.WSTOPPED | os.WNOWAIT)
    assert is_locked(file)
    with pytest.raises(LockedError):
        HeldLock(file)
    process.kill()
    process.join(60)
    assert not is_locked(file)
    with HeldLock(file):
        assert is_locked(file)
    assert names(tmp_path) == []


def test_a_child_process_does_not_inherit_a_lock(tmp_path: Path) -> None:
    lock = HeldLock(tmp_path / "x.lock")
    child = os.fork()
    if not child:
        signal.pause()
    lock.release()
    try:
        assert not is_locked(tmp_path / "x.lock")
        HeldLock(tmp_path / "x.lock").release()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
