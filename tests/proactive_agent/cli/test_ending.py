"""SIGTERM and SIGHUP end a command like Ctrl-C."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from proactive_agent.cli.ending import EndedBySignal, exit_code, run_async, signals_as_interrupts
from tests.providers.hostile_server import HostileServer


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_cancels_the_work_which_can_close_its_records(number: signal.Signals) -> None:
    closed = []

    async def work() -> None:
        os.kill(os.getpid(), number)
        try:
            await asyncio.sleep(60)
        finally:
            closed.append(True)

    with pytest.raises(EndedBySignal) as ended:
        run_async(work())
    assert closed
    assert exit_code(ended.value) == 128 + number


def test_a_second_signal_does_not_wait() -> None:
    async def work() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        try:
            await asyncio.sleep(60)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(60)

    with pytest.raises(EndedBySignal):
        run_async(work())


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals_as_interrupts():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_command_without_an_end_of_its_own_has_the_exit_code_of_the_signal() -> None:
    code = (
        "import os, signal, click\n"
        "from proactive_agent.cli.app import cli\n"
        "@cli.command()\n"
        "def die(): os.kill(os.getpid(), signal.SIGTERM)\n"
        "cli(['die'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (143, "")


@pytest.mark.api
def test_few_open_files_lower_the_concurrency_and_lose_nothing(tmp_path: Path) -> None:
    pytest.importorskip("openai", reason="needs the extra `api`")
    with HostileServer(delay=0.2).running() as server:
        run = f"{sys.executable} -m proactive_agent run --provider openai:m@{server.url}"
        command = f"ulimit -n 64; {run} --concurrency 256 --scenario rod,coco --out {tmp_path}"
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        assert "episodes in flight instead of 256" in done.stderr
        assert "64 open files" in done.stderr
        assert server.most_at_once < 64
    (run_folder,) = tmp_path.iterdir()
    assert '"error":{' not in (run_folder / "episodes.jsonl").read_text()
