"""Locks on files. The operating system releases a lock when its process ends in any way.

The locks are advisory: they keep two processes of this program from writing the same records, and
tell readers whether a writer is alive. The folder of a run and that of a training use them alike:
the writer of a file holds `writer_lock` on `NAME.lock` beside it, and readers use `read_status`.
"""

import errno
import os
import stat
import sys
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from proactive_agent.disk.durable import make_folder
from proactive_agent.tools import UserError

T = TypeVar("T")

PATIENCE = 0.3
"""Seconds to wait for a lock, because `is_locked` takes a lock for a moment."""

_POLL = 0.01

_CAREFUL = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""Links are not followed, and opening a pipe does not wait: the folder may be someone else's."""


class LockedError(Exception):
    """Another process, or another part of this one, holds the lock."""


class HeldLock:
    """A lock on a file, which is created if it does not exist. Released at the end of a `with`.

    Raises LockedError if the lock is held elsewhere, and OSError if the file cannot be locked.
    """

    def __init__(self, file: Path, *, keep_file: bool = False) -> None:
        """`keep_file` leaves the file when the lock is released; otherwise it is removed."""
        self.file = file
        self._keep_file = keep_file
        self._descriptor = _take(file)
        _held.add(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def release(self) -> None:
        """Releases the lock, once."""
        if self._descriptor < 0:
            return
        _held.discard(self)
        try:
            # Removed while it is locked, so that no other holder's file is removed. Windows does
            # not remove open files; there an empty lock file stays.
            if not self._keep_file:
                with suppress(OSError):
                    self.file.unlink()
        finally:
            self._close()

    def _close(self) -> None:
        os.close(self._descriptor)
        self._descriptor = -1


def lock_file_of(file: Path) -> Path:
    """Returns the file that is locked while `file` is written.

    The file itself is not locked: on Windows that would keep others from reading it.
    """
    return file.with_name(f"{file.name}.lock")


def writer_lock(file: Path, shown: Path) -> HeldLock:
    """Returns the lock of the only writer of `file`, whose folder is made if it does not exist.

    Raises UserError, naming `shown`, if another process holds it or the file cannot be locked.
    """
    try:
        make_folder(file.parent)
        return HeldLock(lock_file_of(file))
    except LockedError:
        raise UserError(f"{shown} is being written by another process") from None
    except OSError as error:
        name = error.filename or lock_file_of(file)
        raise UserError(f"{shown} cannot be locked for writing: {name}: {error.strerror}") from None


def is_being_written(file: Path) -> bool:
    """Whether a process holds the lock of the only writer of `file`."""
    return is_locked(lock_file_of(file))


def read_status(
    file: Path, read: Callable[[], T], is_running: Callable[[T], bool]
) -> tuple[T, bool]:
    """Reads a record with the status of the writer of `file`.

    Returns the record, and whether its writer died: it says `running`, but no process holds the
    lock. The writer may end between the two looks, so its last word is read again.
    """
    record = read()
    if not is_running(record) or is_being_written(file):
        return record, False
    record = read()
    return record, is_running(record)


def is_locked(file: Path) -> bool:
    """Whether a process holds the lock on a file. Does not wait and writes nothing.

    False if the file cannot be opened, or is a link, a pipe or a folder: `HeldLock` makes none of
    these. True if the file system has no locks, because another machine may hold one, and if this
    process has too many open files.
    """
    try:
        descriptor = os.open(file, os.O_RDONLY | _CAREFUL)
    except OSError as error:
        return error.errno in (errno.EMFILE, errno.ENFILE)
    try:
        return _is_regular(descriptor) and not _lock(descriptor, shared=True)
    except OSError:
        return True
    finally:
        os.close(descriptor)


_held: "weakref.WeakSet[HeldLock]" = weakref.WeakSet()


def _take(file: Path) -> int:
    deadline = time.monotonic() + PATIENCE
    while True:
        descriptor = _opened(file)
        try:
            if not _is_regular(descriptor):
                raise OSError(errno.EINVAL, "not a regular file", str(file))
            locked = _lock(descriptor)
            # The holder before removes the file. A lock on a removed file protects nothing.
            if locked and _is_at(descriptor, file):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        if not locked:
            if time.monotonic() > deadline:
                raise LockedError(str(file))
            time.sleep(_POLL)


def _opened(file: Path) -> int:
    try:
        return os.open(file, os.O_RDWR | os.O_CREAT | _CAREFUL, 0o666)
    except OSError as error:
        if error.errno == errno.ELOOP and file.is_symlink():
            raise OSError(errno.ELOOP, f"{file.name} is a link; remove it", str(file)) from None
        raise


def _is_regular(descriptor: int) -> bool:
    return stat.S_ISREG(os.fstat(descriptor).st_mode)


def _is_at(descriptor: int, file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), file.stat())
    except FileNotFoundError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int, *, shared: bool = False) -> bool:
        """Tries to lock an open file. Raises OSError where that is not possible."""
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True
else:
    import fcntl

    def _lock(descriptor: int, *, shared: bool = False) -> bool:
        """Tries to lock an open file. Raises OSError where that is not possible."""
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _forget_after_fork() -> None:
        # A child process would keep the lock of a parent that was killed.
        for lock in list(_held):
            lock._close()

    os.register_at_fork(after_in_child=_forget_after_fork)
