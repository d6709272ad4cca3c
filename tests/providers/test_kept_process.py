"""The log of a program that is kept: what its end is explained with."""

import os
import sys
import time
from pathlib import Path

import pytest

from proactive_agent.providers.kept_process import KeptProcess
from proactive_agent.providers.workers.connection import TELLING

RAYLET_DIES = """\
ERR scripts.py:1307 -- Some Ray subprocesses exited unexpectedly:
ERR scripts.py:87 -- raylet [exit code=-9]
ERR scripts.py:115 -- ----- BEGIN raylet.out tail (exit code(s)=-9 (signal 9)) -----
ERR scripts.py:122 -- - bytes created by worker: 0
[2026-12-02 01:54:12,000 I 29537 29537] (raylet) node_manager.cc:525: [state-dump] NodeManager:
[state-dump] Node ID: 5f
[2026-12-02 01:54:14,000 C 29537 29537] (raylet) main.cc:9:  Check failed: is_alive
[2026-12-02 01:54:15,616 W 29537 29550] (raylet) store.cc:366: Disconnecting client
ERR scripts.py:128 -- ----- END raylet.out tail (exit code(s)=-9 (signal 9)) -----
ERR scripts.py:1315 -- Remaining processes will be killed.
"""


def failure(process: KeptProcess) -> str:
    while not process.ended:
        time.sleep(0.05)
    try:
        return process.failure()
    finally:
        process.stop()


@pytest.mark.parametrize(
    ("log", "explained"),
    [
        (
            RAYLET_DIES,
            " The last lines of its log:\nERR scripts.py:87 -- raylet [exit code=-9]\n"
            "[2026-12-02 01:54:14,000 C 29537 29537] (raylet) main.cc:9:  Check failed: is_alive",
        ),
        ("[state-dump] Node ID: 5f", ""),
    ],
)
def test_only_telling_lines_explain_the_end_of_ray(
    log: str, explained: str, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    program = (
        "import pathlib, time\n"
        "print('Ray runtime started', flush=True)\n"
        f"while not pathlib.Path({str(go)!r}).exists(): time.sleep(0.05)\n"
        f"print({log!r})\n"
        "exit(1)"
    )
    process = KeptProcess("Ray", "Ray")
    process.start([sys.executable, "-c", program], os.environ, grace=0.0)
    while process.last_line != "Ray runtime started":
        time.sleep(0.05)
    process.keep_only(TELLING)
    go.touch()
    assert failure(process) == f"Ray ended with exit code 1.{explained}"
