"""The options `-v` and `--log-level` of `run`."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from proactive_agent.runs.run_log import LineFormatter
from proactive_agent.terminal.console import messages, safe


class _Printed(logging.Handler):
    """Prints records above the progress bars."""

    def emit(self, record: logging.LogRecord) -> None:
        messages.print(safe(self.format(record), "dim"), soft_wrap=True)


@contextmanager
def logged(level: str, *, verbose: bool) -> Iterator[None]:
    """Sets what is logged until the block ends.

    Records of the program from `level` on are logged, and warnings of other libraries. The level
    `debug` includes the debug records of other libraries, and `error` leaves out their warnings.
    Warnings are printed, with `verbose` everything.
    """
    printed = _Printed(logging.NOTSET if verbose else logging.WARNING)
    printed.setFormatter(LineFormatter() if verbose else logging.Formatter("%(message)s"))
    ours, root = logging.getLogger("proactive_agent"), logging.getLogger()
    before = ours.level, root.level
    ours.setLevel(level.upper())
    root.setLevel({"debug": "INFO", "error": "ERROR"}.get(level, "WARNING"))
    root.addHandler(printed)
    try:
        yield
    finally:
        root.removeHandler(printed)
        ours.setLevel(before[0])
        root.setLevel(before[1])
