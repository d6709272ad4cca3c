"""Runs a server or an agent, and ends it with all its processes when the program ends.

    python keeper.py [--leave-results] GRACE FOLDER COMMAND [ARGUMENT …]

The keeper is a process between the program and the server (or the agent). The program holds the
writing end of the keeper's standard input. The kernel closes it however the program ends, also
after `kill -9`. The keeper then sends SIGTERM to the server, and SIGKILL after GRACE seconds to all
processes that are left. At its end it deletes FOLDER, unless the name is empty. With
`--leave-results`, it keeps FOLDER if the server ended by itself, because the program then reads and
deletes it. Its exit code is that of the server, or 128 plus the number of the signal that ended it.

This file is run as a script, so it imports only the standard library.
"""

import contextlib
import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
INTERVAL = 0.2
"""Seconds between two checks of the server."""
PATIENCE = 10.0
"""Seconds until the last killed process must be gone."""
LEAVE_RESULTS = "--leave-results"


def main(words: list[str]) -> int:
    """Runs the command until it ends or the program does. Returns the exit code of the keeper."""
    leave_results = words[0] == LEAVE_RESULTS
    grace, folder, *command = words[leave_results:]
    by_itself = False
    try:
        code, by_itself = _keep(float(grace), command)
    finally:
        if folder and not (leave_results and by_itself):
            shutil.rmtree(folder, ignore_errors=True)
    return code


def _keep(grace: float, command: list[str]) -> tuple[int, bool]:
    """Returns the exit code of the keeper, and whether the server ended by itself."""
    asked: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        asked.append(number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    prctl = _prctl()
    # Processes whose parent has died become children of the keeper, which finds them below.
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    program = os.getppid()

    def before_exec() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # ends the server if the keeper is killed

    try:
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=before_exec
        )
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", flush=True)
        return 127, True
    while server.poll() is None and not asked:
        # A process that the program has forked may hold the writing end, so its id is checked too.
        readable, _, _ = select.select([sys.stdin], [], [], INTERVAL)
        if (readable and not os.read(sys.stdin.fileno(), 1)) or os.getppid() != program:
            break
    by_itself = server.poll() is not None
    _end(server, grace)
    code = server.returncode
    return code if code >= 0 else 128 - code, by_itself


def _end(server: "subprocess.Popen[bytes]", grace: float) -> None:
    if server.poll() is None:
        server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(grace)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()
    deadline = time.monotonic() + PATIENCE
    while (left := _children()) and time.monotonic() < deadline:
        for process in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.02)


def _children() -> list[int]:
    """Processes whose parent is the keeper. Empty on systems without /proc."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name in parentheses may contain spaces and parentheses.
            fields = entry.read_bytes().rpartition(b")")[2].split()
            if int(fields[1]) == os.getpid():
                found.append(int(entry.parent.name))
    return found


def _prctl() -> Callable[[int, int], object]:
    """The system call `prctl` of Linux; elsewhere a function that does nothing."""
    if sys.platform != "linux":
        return lambda option, value: None
    call: Callable[[int, int], object] = ctypes.CDLL(None).prctl
    return call


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
