"""The log of a program that is kept: what its end is explained with."""

import os
import sys
import time
from pathlib import Path

from proactive_agent.providers.kept_process import KeptProcess
from proactive_agent.providers.workers.connection import NOISE

RAYLET_DIES = """\
[2026-05-04 10:00:00,000 I 4321 4321] (raylet) node_manager.cc:525: [state-dump] NodeManager:
[state-dump] Node ID: 5f
2026-05-04 10:00:01,000\tINFO node.py:1400 -- a process was started
Some Ray subprocesses exited unexpectedly:
  raylet [exit code=-9]
"""


def started(program: str) -> KeptProcess:
    process = KeptProcess("Ray", "Ray")
    process.noise = NOISE
    process.start([sys.executable, "-c", program], os.environ, grace=0.0)
    return process


def failure(process: KeptProcess) -> str:
    while not process.ended:
        time.sleep(0.05)
    try:
        return process.failure()
    finally:
        process.stop()


def test_reports_of_state_do_not_explain_the_end_of_ray() -> None:
    process = started(f"print({RAYLET_DIES!r}); exit(1)")
    assert failure(process) == (
        "Ray ended with exit code 1. The last lines of its log:\n"
        "Some Ray subprocesses exited unexpectedly:\n  raylet [exit code=-9]"
    )


def test_a_forgotten_log_does_not_explain_the_end(tmp_path: Path) -> None:
    go = tmp_path / "go"
    process = started(
        "import pathlib, time\n"
        "print('hello', flush=True)\n"
        f"while not pathlib.Path({str(go)!r}).exists(): time.sleep(0.05)\n"
        "exit(1)"
    )
    while process.last_line != "hello":
        time.sleep(0.05)
    process.forget_log()
    go.touch()
    assert failure(process) == "Ray ended with exit code 1. Its log is empty."
