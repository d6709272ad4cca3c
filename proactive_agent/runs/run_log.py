"""The log of a run, `log.txt` in its folder.

It keeps what the program reports while the run is played, such as retries and failed episodes, and
warnings of other libraries. A file is made when there is something to report. A log that cannot
be written never stops a run.
"""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import IO

from proactive_agent.disk.regular_file import append_regular
from proactive_agent.terminal.console import plain

NAME = "log.txt"

_run: ContextVar[Path | None] = ContextVar("run", default=None)
"""Folder of the run that the current task plays."""


@contextmanager
def run_log(folder: Path) -> Iterator[None]:
    """Appends to the log of a run what is reported until the block ends.

    Several runs may be played at the same time: each log has the records of its own tasks, and
    those of threads that serve all runs. `folder` exists.
    """
    handler = _RunLog(folder)
    token = _run.set(folder)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        _run.reset(token)
        handler.close()


class LineFormatter(logging.Formatter):
    """Formats a record with its time in UTC. Control characters are replaced."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%SZ")

    def converter(self, timestamp: float | None) -> time.struct_time:
        return time.gmtime(timestamp)

    def format(self, record: logging.LogRecord) -> str:
        return plain(super().format(record))


class _RunLog(logging.Handler):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.setFormatter(LineFormatter())
        self._folder = folder
        self._stream: IO[bytes] | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if _run.get() not in (None, self._folder):
            return
        with suppress(OSError):
            if self._stream is None:
                # A link in the folder is not followed.
                self._stream = append_regular(self._folder / NAME)
            self._stream.write(f"{self.format(record)}\n".encode("utf-8", "replace"))

    def close(self) -> None:
        if self._stream is not None:
            with suppress(OSError):
                os.fsync(self._stream.fileno())
            self._stream.close()
            self._stream = None
        super().close()
