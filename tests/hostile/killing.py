"""Kills commands with SIGKILL at random moments, as often as `randomness.py` says.

A `Victim` is a command, the command that resumes it after a kill, and a measure of its progress.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.hostile.randomness import KILLS, rng

REPOSITORY = Path(__file__).parents[2]
PATIENCE = 300
"""Seconds after which a process counts as stalled."""


class Victim(NamedTuple):
    """A command that is killed, and started again until it ends."""

    name: str
    begin: list[str]
    resume: Callable[[], list[str]]
    """Returns the command that resumes; called when there is something to resume."""
    has_begun: Callable[[], bool]
    progress: Callable[[], int]
    """Returns a number that grows while the command works, such as the number of finished items."""
    longest_step: int
    """Most progress between two kills."""
    seconds: float = 4.0
    """Every second kill comes at a random moment within these seconds after the start."""
    again: bool = False
    """Whether a command that ended before its kill is started again."""


def started(arguments: list[str]) -> subprocess.Popen[str]:
    """Starts a command of the program."""
    command = [sys.executable, "-m", "proactive_agent", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def finished(process: subprocess.Popen[str], *shown: object) -> None:
    """Waits for the end of a command, which must succeed. A failure prints `shown`, too."""
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, (*shown, errors)


def kill_often(victim: Victim, between: Callable[[], None]) -> None:
    """Kills the command up to KILLS times, then lets it end. `between` checks what a kill left.

    Every second kill comes soon after some progress. Raises AssertionError with all moments.
    """
    drawn = rng(victim.name)
    moments: list[str] = []

    def resumed() -> subprocess.Popen[str]:
        return started(victim.resume() if victim.has_begun() else victim.begin)

    for number in range(KILLS):
        before, after_progress = victim.progress(), number % 2 == 0
        goal = before + (drawn.randint(0, victim.longest_step) if after_progress else 0)
        delay = drawn.uniform(0, 0.2 if after_progress else victim.seconds)
        process = resumed()
        deadline = time.monotonic() + PATIENCE
        while victim.progress() < goal and process.poll() is None:
            assert time.monotonic() < deadline, moments
            time.sleep(0.002)
        time.sleep(delay)
        process.kill()
        _, errors = process.communicate(timeout=PATIENCE)
        moments.append(f"from {before} to {goal} + {delay:.3f} s: {process.returncode}")
        assert process.returncode in (-signal.SIGKILL, 0), (moments, errors)
        try:
            between()
        except AssertionError as error:
            error.add_note(f"kills: {moments}")
            raise
        if process.returncode == 0 and not victim.again:
            assert number > 0, "it ended before the first kill"
            return
    finished(resumed(), moments)
    between()
    assert any(moment.endswith(str(-signal.SIGKILL)) for moment in moments), moments
