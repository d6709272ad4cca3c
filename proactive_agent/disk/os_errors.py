"""Errors of the operating system that the user can correct: wrong paths and full disks."""

import errno

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""The disk, the user's quota or the largest file size is exhausted."""

_PATH = {
    errno.EACCES, errno.EEXIST, errno.EILSEQ, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG,
    errno.ENOENT, errno.ENOTDIR, errno.ENOTEMPTY, errno.ENXIO, errno.EPERM, errno.EROFS,
    errno.ETXTBSY, errno.EXDEV,
}  # fmt: skip
"""The path is wrong, or its rights are. Errors with these numbers name a file."""


def is_full(error: OSError) -> bool:
    """Whether an error means that there is no space left."""
    return error.errno in _FULL


def reason(error: OSError) -> str:
    """Returns the reason in a few words, without the file."""
    return error.strerror or str(error).partition("\n")[0] or type(error).__name__


def correctable(error: OSError) -> str | None:
    """Returns a message for an error that the user can correct; None for a fault of the program."""
    if is_full(error):
        return f"{error.filename or 'the output'}: {reason(error)}; free some space and try again"
    if error.filename is not None and error.errno in _PATH:
        return f"{error.filename}: {reason(error)}"
    return None
