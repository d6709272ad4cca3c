"""Runs commands on hostile inputs, and checks what holds for all of them."""

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from click.testing import CliRunner

from proactive_agent.cli.app import cli

PATIENCE = 30
"""Seconds after which a command counts as stalled. Refusals take milliseconds."""

LONGEST_MESSAGE = 1000
"""In characters. A hostile text of megabytes must not fill the terminal."""


@contextmanager
def no_stall(seconds: int = PATIENCE) -> Iterator[None]:
    """Fails the test if the block takes longer. A thread that hangs is not interrupted."""

    def stop(number: int, frame: FrameType | None) -> None:
        # No OSError such as TimeoutError: the program would report it as a fault of a file.
        pytest.fail(f"stalled for {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def refusal(*arguments: str | Path, exit_code: int = 2) -> str:
    """Runs a command that must refuse its input, and returns its message.

    The message is standard error for exit code 2, and standard output for 1 (faults were found).
    """
    with no_stall():
        result = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise AssertionError(f"{arguments}: a traceback instead of a message") from result.exception
    assert result.exit_code == exit_code, result.output
    message = result.stderr if exit_code == 2 else result.stdout
    assert len(message) < LONGEST_MESSAGE, f"{arguments}: {len(message)} characters"
    return message


def named(cases: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Returns the values for `parametrize` of a table whose first column names the case."""
    return [pytest.param(*case[1:], id=case[0]) for case in cases]
