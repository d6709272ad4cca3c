"""Opens files of a folder that may come from someone else."""

import errno
import os
import stat
from pathlib import Path
from typing import IO


def open_regular(file: Path, buffering: int = -1) -> IO[bytes]:
    """Opens a regular file for reading. Raises OSError for everything else, and never blocks.

    A pipe without a writer would block forever, and a device may send data without end.
    """
    # Without O_NONBLOCK, opening a pipe would wait. It has no effect on regular files.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    number = os.open(file, flags)
    try:
        mode = os.fstat(number).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(file))
        if not stat.S_ISREG(mode):
            raise OSError(0, "not a regular file", str(file))
        return os.fdopen(number, "rb", buffering)
    except BaseException:
        os.close(number)
        raise


def read_regular(file: Path, most: int) -> bytes:
    """Returns the content of a regular file. Raises OSError, also above `most` bytes."""
    with open_regular(file) as stream:
        size = os.fstat(stream.fileno()).st_size
        content = b"" if size > most else stream.read(most + 1)  # it may have grown
    if max(size, len(content)) > most:
        raise OSError(0, f"larger than {most:,} bytes", str(file))
    return content
