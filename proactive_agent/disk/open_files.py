"""How many more files and connections this process may open."""

import os
from pathlib import Path

_THREADS = min(32, (os.cpu_count() or 1) + 4)
"""Threads of asyncio's default pool, which reads pictures and looks up addresses."""

RESERVE = 16 + 2 * _THREADS
"""Files that are kept free for records, libraries and the threads."""


def open_files_limit() -> int | None:
    """Returns the number of files that may be open at once (`ulimit -n`); None without a limit."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return None if limit == resource.RLIM_INFINITY else limit


def spare_files() -> int | None:
    """Returns the number of connections that may still be opened; None without a limit.

    `RESERVE` files are left for other uses, so the number can be 0.
    """
    limit = open_files_limit()
    if limit is None:
        return None
    try:
        used = sum(1 for _ in Path("/dev/fd").iterdir())
    except OSError:
        used = RESERVE
    return max(0, limit - used - RESERVE)
