"""Forces files, folders and their names to the disk, so that they survive a power cut.

The name of a file is part of its folder: a new file survives when its content and the names of its
folder are on the disk.
"""

import os
import tempfile
from contextlib import suppress
from pathlib import Path


def force_to_disk(file: Path) -> None:
    """Waits until the content of a file has reached the disk. Raises OSError."""
    _force(file, os.O_RDWR)


def force_names_to_disk(folder: Path) -> None:
    """Waits until the names of a folder's files have reached the disk, where that is possible."""
    with suppress(OSError):  # Windows and some network file systems cannot.
        _force(folder, os.O_RDONLY)


def force_folder_to_disk(folder: Path) -> None:
    """Waits until all files below a folder, and their names, have reached the disk.

    Raises OSError.
    """
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            force_folder_to_disk(entry)
        elif entry.is_file():
            force_to_disk(entry)
    force_names_to_disk(folder)


def try_to_write_below(folder: Path) -> None:
    """Raises OSError if no file can be written in a folder, which may not exist yet.

    The error names the lowest folder that exists. Leaves nothing behind.
    """
    while not os.path.lexists(folder):
        folder = folder.parent
    try:
        with tempfile.TemporaryDirectory(prefix=".proactive-agent-", dir=folder):
            pass
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(folder)) from None


def make_folder(folder: Path) -> None:
    """Makes a folder and those above it, and forces their names to the disk. Raises OSError.

    A folder that exists is left as it is.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    force_names_to_disk(folder.parent)


def _force(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
