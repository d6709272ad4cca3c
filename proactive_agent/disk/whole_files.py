"""Writes files so that readers find the old or the new content, never a part of it.

The content is written to a temporary file in the same folder, forced to the disk, and renamed. So
a full disk, a killed process or a power cut leaves the file as it was. A process that is killed
can leave the temporary file, `.NAME.tmp.SUFFIX`; the next writer of the same file reuses it.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from proactive_agent.disk.durable import force_names_to_disk, force_to_disk
from proactive_agent.disk.locks import HeldLock, LockedError
from proactive_agent.tools import NotWrittenError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Error numbers: the disk, the user's quota or the largest file size is exhausted."""


def write_whole(file: Path, content: str | bytes) -> None:
    """Writes a file, text in UTF-8. Raises NotWrittenError; the file is then unchanged."""
    with written_aside(file) as partial:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def written_aside(file: Path) -> Iterator[Path]:
    """Yields the path of a temporary file, which replaces `file` when the block ends.

    The temporary file has the same suffix. If the block raises, `file` is unchanged and nothing is
    left over. Raises NotWrittenError for every OSError. A device or a pipe, such as
    `/dev/stdout`, is written directly. A link is replaced, never followed: the folder may come
    from someone else.
    """
    try:
        if _is_device(file):
            yield file
            return
        with _replacement(file) as partial:
            yield partial
    except OSError as error:
        raise not_written(file, error) from error


def not_written(file: Path, error: OSError) -> NotWrittenError:
    """Returns an error with the reason why a file could not be written, and advice."""
    reason = error.strerror or str(error).partition("\n")[0] or type(error).__name__
    if error.filename and Path(error.filename) not in (file, _temporary(file)):
        reason = f"{error.filename}: {reason}"
    advice = "; free some space and try again" if is_full(error) else ""
    return NotWrittenError(f"{file} cannot be written: {reason}{advice}")


def is_full(error: OSError) -> bool:
    """Whether an error means that there is no space left."""
    return error.errno in _FULL


def _temporary(file: Path) -> Path:
    return file.with_name(f".{file.stem}.tmp{file.suffix}")


def _is_device(file: Path) -> bool:
    """Whether a file is a device or a pipe, or is named by its place in `/dev`."""
    with suppress(OSError):
        kind = file.lstat().st_mode
        plain = stat.S_ISREG(kind) or stat.S_ISDIR(kind) or stat.S_ISLNK(kind)
        return not plain or file.is_relative_to("/dev/")
    return False


@contextmanager
def _replacement(file: Path) -> Iterator[Path]:
    partial = _temporary(file)
    # The lock keeps two processes from writing the same temporary file. Windows cannot rename a
    # file that is open.
    lock = None if os.name == "nt" else _locked(partial)
    try:
        if lock is not None and file.is_file() and not file.is_symlink():
            partial.chmod(stat.S_IMODE(file.stat().st_mode))
        yield partial
        force_to_disk(partial)
        partial.replace(file)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise
    finally:
        if lock is not None:
            lock.release()
    force_names_to_disk(file.parent)


def _locked(partial: Path) -> HeldLock | None:
    """Locks the temporary file, and empties it; None on file systems without locks."""
    try:
        lock = HeldLock(partial, keep_file=True)
    except LockedError:
        raise OSError(errno.EBUSY, "another process is writing it now") from None
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP):
            return None
        raise
    os.truncate(partial, 0)
    return lock
