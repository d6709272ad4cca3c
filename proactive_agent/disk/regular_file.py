"""Opens files that may come from someone else. All files are opened here.

Only regular files are opened, and opening never blocks: a pipe without a writer would block
forever, and a device may send data without end. A test refuses plain `open` elsewhere.
"""

import errno
import hashlib
import io
import os
import stat
from pathlib import Path
from typing import IO

MOST_BYTES = 64 * 2**20
"""Most bytes of a file that is read as a whole, such as a plan or a manifest."""

# Without O_NONBLOCK, opening a pipe would wait. It has no effect on regular files.
_FLAGS = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def open_regular(file: Path, buffering: int = io.DEFAULT_BUFFER_SIZE) -> io.BufferedReader:
    """Opens a regular file for reading. Raises OSError for everything else, and never blocks."""
    number = _regular(os.open(file, os.O_RDONLY | _FLAGS), file)
    return io.BufferedReader(io.FileIO(number), buffering)


def open_regular_text(
    file: Path, encoding: str = "utf-8", newline: str | None = None
) -> io.TextIOWrapper:
    """Opens a regular text file for reading. Raises OSError like `open_regular`."""
    return io.TextIOWrapper(open_regular(file), encoding=encoding, newline=newline)


def append_regular(file: Path) -> IO[bytes]:
    """Opens a file to append to it and to read it, unbuffered. Creates it if it does not exist.

    Raises OSError for a link and for everything that is not a regular file, and never blocks.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | _FLAGS
    return os.fdopen(_regular(os.open(file, flags, 0o666), file), "r+b", 0)


def replace_regular(file: Path) -> IO[bytes]:
    """Removes what is at a path, a folder excepted, and opens a new file there for writing.

    So a link is not followed, and a pipe does not block. The new file is not complete until it is
    closed; `disk/whole_files.py` avoids that. Raises OSError.
    """
    file.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(file, flags, 0o666), "wb")


def read_regular(file: Path, most: int = MOST_BYTES) -> bytes:
    """Returns the content of a regular file. Raises OSError, also above `most` bytes."""
    with open_regular(file) as stream:
        size = os.fstat(stream.fileno()).st_size
        content = b"" if size > most else stream.read(most + 1)  # it may have grown
    if max(size, len(content)) > most:
        raise OSError(0, f"larger than {most:,} bytes", str(file))
    return content


def read_regular_text(file: Path, most: int = MOST_BYTES) -> str:
    """Returns the text of a regular file in UTF-8. Raises OSError and UnicodeDecodeError."""
    return read_regular(file, most).decode("utf-8")


def sha256_of(file: Path) -> str:
    """Returns the SHA-256 of a regular file of any size, in hexadecimal. Raises OSError."""
    with open_regular(file) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _regular(number: int, file: Path) -> int:
    """Returns the descriptor if it is a regular file. Otherwise closes it and raises OSError."""
    mode = os.fstat(number).st_mode
    if stat.S_ISREG(mode):
        return number
    os.close(number)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(file))
    raise OSError(0, "not a regular file", str(file))
