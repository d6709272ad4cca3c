"""A helper program that ends with this process: its start, log, and end."""

import contextlib
import logging
import os
import re
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from proactive_agent.providers import keeper
from proactive_agent.providers.api.keys import NAMES
from proactive_agent.providers.api.server import OWN_SERVER_KEY
from proactive_agent.tools.reading import clean
from proactive_agent.tools.secrets import redacted

LINES = 40
"""Lines of the log that are kept, and shown if the program fails."""
LONGEST_LINE = 500
"""Characters of a line that are kept."""

_log = logging.getLogger(__name__)


class KeptProcess:
    """One program with all its processes.

    A process between this one and the program ends the program when this process ends, see
    `keeper`. The log of the program is read from a pipe.
    """

    def __init__(self, name: str, kind: str) -> None:
        """`name` begins the lines of the log; `kind` stands for the program in messages."""
        self.name = name
        self.kind = kind
        self.level = logging.INFO
        """The level at which lines of its log are reported."""
        self._telling: re.Pattern[str] | None = None
        """Found in the lines of its log that are kept; None keeps all lines."""
        self._grace = 0.0
        self._lines: deque[str] = deque(maxlen=LINES)
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._stopping = threading.Lock()

    @property
    def ended(self) -> bool:
        """Whether the program has been started and runs no longer."""
        return self._process is not None and self._process.poll() is not None

    @property
    def last_line(self) -> str:
        """The last line of the log; empty if there is none."""
        return redacted(self._lines[-1]) if self._lines else ""

    def start(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        grace: float,
        folder: Path | None = None,
    ) -> None:
        """Starts the program without waiting for it.

        It gets `grace` seconds to end by itself. `folder` is deleted after its end.
        """
        self._grace = grace
        # Without the site packages, the keeper starts in some 20 milliseconds.
        keeping = [sys.executable, "-I", "-S", keeper.__file__, str(grace), str(folder or "")]
        self._process = subprocess.Popen(
            [*keeping, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            start_new_session=True,  # Ctrl-C in the terminal reaches only this process.
        )
        self._reader = threading.Thread(target=self._read, name=f"{self.kind} log", daemon=True)
        self._reader.start()

    def failure(self) -> str:
        """Describes the end of the program, with the last lines of its log."""
        if self._reader is not None:
            self._reader.join(1.0)
        code = self._process.poll() if self._process else None
        cause = f"by signal {code - 128}" if code and code > 128 else f"with exit code {code}"
        return f"{self.kind} ended {cause}.{self.shown_log()}"

    def shown_log(self) -> str:
        """A sentence with the last lines of the log that are kept."""
        lines = "\n".join(list(self._lines))
        if not lines:
            return "" if self._telling else " Its log is empty."
        return f" The last lines of its log:\n{redacted(lines)}"

    def keep_only(self, telling: re.Pattern[str]) -> None:
        """Forgets the log, for example of a start that went well, and keeps only such lines."""
        self._telling = telling
        self._lines.clear()

    def stop(self) -> None:
        """Ends the program and all its processes, and waits for their end."""
        with self._stopping:
            process, reader = self._process, self._reader
            if process is None or process.stdin is None or process.stdout is None:
                return
            with contextlib.suppress(OSError):
                process.stdin.close()  # The keeper ends the program now.
            try:
                process.wait(self._grace + keeper.PATIENCE + 5)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            if reader is not None:
                reader.join(1.0)
                if not reader.is_alive():
                    process.stdout.close()

    def _read(self) -> None:
        """Reads the log until its end, so that a full pipe never blocks the program."""
        if self._process is None or self._process.stdout is None:
            return
        for line in self._process.stdout:
            text = clean(line.decode("utf-8", "replace").rstrip())
            if text:
                shown = text[:LONGEST_LINE]
                if self._telling is None or self._telling.search(shown):
                    self._lines.append(shown)
                _log.log(self.level, "%s: %s", self.name, shown)


def environment_without_keys(inherited: Mapping[str, str]) -> dict[str, str]:
    """The variables that a kept program inherits: all but the keys of APIs."""
    left_out = {*NAMES.values(), OWN_SERVER_KEY}
    return {name: value for name, value in inherited.items() if name not in left_out}
