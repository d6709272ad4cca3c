"""Writes files so that readers find the old or the new content, never a part of it.

The content is written to a temporary file in the same folder, forced to the disk, and renamed. So
a full disk, a killed process or a power cut leaves the file as it was. A process that is killed
can leave the temporary file, `.NAME.tmp.SUFFIX`; the next writer of the same file reuses it.
"""

import errno
import json
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from proactive_agent.disk.durable import force_names_to_disk, force_to_disk
from proactive_agent.disk.locks import HeldLock, LockedError
from proactive_agent.disk.os_errors import is_full, reason
from proactive_agent.tools import NotWrittenError, UserError


def write_whole(file: Path, content: str | bytes) -> None:
    """Writes a file, text in UTF-8. Raises NotWrittenError; the file is then unchanged.

    A character that is not UTF-8 (a surrogate, from the name of a file) becomes its escape, which
    JSON reads back.
    """
    if isinstance(content, str):
        content = content.encode("utf-8", "backslashreplace")
    with written_aside(file) as partial:
        partial.write_bytes(content)


@contextmanager
def written_aside(file: Path) -> Iterator[Path]:
    """Yields the path of a temporary file, which replaces `file` when the block ends.

    The temporary file has the same suffix. If the block raises, `file` is unchanged and nothing is
    left over. Raises NotWrittenError for every OSError. A device or a pipe is written directly if
    its path begins with `/dev/`, such as `/dev/stdout`. Elsewhere it is refused, and a link is
    replaced, never followed: the folder may come from someone else, and a pipe would block.
    """
    with all_written_aside([file]) as (partial,):
        yield partial


@contextmanager
def all_written_aside(files: Sequence[Path]) -> Iterator[list[Path]]:
    """Yields the paths of temporary files, as `written_aside` does for one file.

    All are written before the first is replaced, so a full disk leaves all files as they were.
    """
    with ExitStack() as ending:
        try:
            partials = [_begun(file, ending) for file in files]
            yield partials
            aside = [(p, file) for p, file in zip(partials, files, strict=True) if p != file]
            for partial, _ in aside:
                force_to_disk(partial)
            for partial, file in aside:
                partial.replace(file)
        except OSError as error:
            named = [f for f in files if str(error.filename) in (str(f), str(_temporary(f)))]
            raise not_written([*named, *files][0], error) from error
    for folder in {file.parent for _, file in aside}:
        force_names_to_disk(folder)


def check_recordable(name: str, value: object) -> None:
    """Raises UserError for a setting that JSON in UTF-8 cannot hold, such as a path in Latin-1."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UserError(f"{name}: {text} is not UTF-8, so it cannot be recorded") from None


def not_written(file: Path, error: OSError) -> NotWrittenError:
    """Returns an error with the reason why a file could not be written, and advice."""
    cause = reason(error)
    if error.filename and Path(error.filename) not in (file, _temporary(file)):
        cause = f"{error.filename}: {cause}"
    advice = "; free some space and try again" if is_full(error) else ""
    return NotWrittenError(f"{file} cannot be written: {cause}{advice}")


def _temporary(file: Path) -> Path:
    return file.with_name(f".{file.stem}.tmp{file.suffix}")


def _is_device(file: Path) -> bool:
    """Whether an existing file is named by its place in `/dev`.

    Raises OSError for pipes, devices and sockets elsewhere.
    """
    try:
        kind = file.lstat().st_mode
    except OSError:
        return False
    if file.is_relative_to("/dev/"):
        return True
    if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind) or stat.S_ISLNK(kind)):
        raise OSError(errno.EINVAL, "not a regular file; remove it", str(file))
    return False


def _begun(file: Path, ending: ExitStack) -> Path:
    """Returns the temporary file of `file`, or a device itself.

    If an error ends the writing, `ending` removes the temporary file.
    """
    if _is_device(file):
        return file
    partial = _temporary(file)
    # The lock keeps two processes from writing the same temporary file. Windows cannot rename a
    # file that is open.
    lock = None if os.name == "nt" else _locked(partial)
    if lock is not None:
        ending.callback(lock.release)

    def remove(error: type[BaseException] | None, *_: object) -> None:
        if error is not None:
            with suppress(OSError):
                partial.unlink()

    ending.push(remove)
    if lock is not None and file.is_file() and not file.is_symlink():
        partial.chmod(stat.S_IMODE(file.stat().st_mode))
    return partial


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
