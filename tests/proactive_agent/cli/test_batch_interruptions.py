"""A run that waits for its batches can be interrupted and killed, and pays for nothing twice."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from proactive_agent.records.run_folder import RunFolder
from tests.providers.batch_server import BatchServer

REPOSITORY = Path(__file__).parents[3]
PROGRAM = """
from proactive_agent.cli.app import cli
from proactive_agent.providers.api.batch import exchange
exchange.FIRST_POLL = exchange.LONGEST_POLL = 0.02
cli()
"""
PATIENCE = 120.0


def started(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
    )  # fmt: skip


def until(true: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_nothing_is_submitted_twice_after_ctrl_c_and_kills(tmp_path: Path) -> None:
    never = 10**9
    with BatchServer(polls=never).running() as server:
        model = f"openai:m@{server.url}"
        common = ["run", "--batch-api", "--price", "1,2", "--out", str(tmp_path)]
        first = started(*common, "--provider", model, "--scenario", "rod", "--limit", "3")
        until(lambda: bool(server.batches) and server.batches[0].polls > 1, first)
        first.send_signal(signal.SIGINT)
        _, shown = first.communicate(timeout=PATIENCE)
        assert first.returncode == 130
        assert "3 requests remain submitted, and are paid for (batch_0)" in shown
        (path,) = tmp_path.iterdir()
        again = f"--resume {path} --batch-api --price 1,2"
        assert again in shown.replace("\n", " ")
        resume = ["run", *again.split()]

        second = started(*resume)  # It reads the first wave and waits for the second one.
        server.polls = 0
        until(lambda: server.calls["GET /v1/files/out.batch_0/content"] > 0, second)
        server.polls = never
        until(lambda: len(server.batches) > 1 and server.batches[1].polls > 1, second)
        second.kill()
        second.communicate(timeout=PATIENCE)

        server.polls = 0
        third = started(*resume)
        _, shown = third.communicate(timeout=PATIENCE)
        assert third.returncode == 0, shown
        assert len(server.submitted) == 6
        assert set(server.submitted.values()) == {1}
        episodes = list(RunFolder(path).episodes())
        assert len(episodes) == 3
        # The records tell the whole cost, also of replies that an earlier process has read.
        assert all(len(episode.turns) == 2 and episode.usage.cost_usd for episode in episodes)
