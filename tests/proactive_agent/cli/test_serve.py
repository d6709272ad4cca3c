"""`serve`: a client of MCP plays one episode after another, over standard input or HTTP."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp")

from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from proactive_agent import UserError, open_run
from proactive_agent.api import Result
from proactive_agent.runs.demonstration import SPEC, serve
from proactive_agent.runs.keyword_settings import settings_of

REPOSITORY = Path(__file__).parents[3]
SERVE = ["-m", "proactive_agent", "serve", "--scenario", "rod", "--scenario", "quickdraw"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(REPOSITORY)}


def words(result: Any) -> str:
    return " ".join(part.text for part in result.content if part.type == "text")


def pictures(result: Any) -> list[str]:
    return [part.data for part in result.content if part.type == "image"]


async def play(client: Client) -> list[str]:
    """Plays three episodes: answers, skips, answers wrongly. Returns some results in words."""
    said = [words(await client.call_tool("abstain", {}))]
    first = await client.call_tool("next_episode", {})
    said.append(words(first))
    asked = await client.call_tool("move_object", {"direction": "left"})
    assert len(pictures(first)) == len(pictures(asked)) == 1
    assert pictures(await client.call_tool("look", {})) == pictures(asked) != pictures(first)
    category = re.findall(r"answer\(category: ([^|]+) \|", words(first))[0]
    said.append(words(await client.call_tool("answer", {"category": category})))
    await client.call_tool("next_episode", {})
    skipped = await client.call_tool("next_episode", {})
    assert len(pictures(skipped)) == 1
    said.append(words(await client.call_tool("answer", {"category": "no category"})))
    return said


def check(said: list[str], run: Result) -> None:
    early, first, end, wrong = said
    assert early == "No episode is being played. Call next_episode."
    assert "In this episode the tools take these values: move_object(direction: " in first
    assert end == wrong == "The episode has ended. Call next_episode for the next one."
    episodes = list(run.episodes())
    assert [[turn.action.kind for turn in episode.turns] for episode in episodes] == [
        ["intervention", "answer"], ["invalid"], ["invalid"],
    ]  # fmt: skip
    assert [episode.turns[-1].reply.finish_reason for episode in episodes] == [
        "tool_calls", "left", "tool_calls",
    ]  # fmt: skip
    assert [episode.turns[-1].action.why for episode in episodes][1:] == ["empty", "bad_arguments"]
    assert run.manifest.unranked
    assert (run.manifest.provider["client"] or "").startswith("mcp ")
    assert any("is unranked" in note for note in run._notes)


def test_a_client_plays_over_standard_input_and_output(tmp_path: Path) -> None:
    async def playing() -> list[str]:
        parameters = StdioServerParameters(
            command=sys.executable, args=[*SERVE, "--limit", "2", "--out", str(tmp_path)],
            env=ENVIRONMENT,
        )  # fmt: skip
        async with Client(stdio_client(parameters)) as client:
            return await play(client)

    said = asyncio.run(playing())
    (folder,) = tmp_path.iterdir()
    run = open_run(folder)
    check(said, run)
    assert run.manifest.status == "interrupted"


def test_the_server_ends_with_its_input(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, *SERVE, "--out", str(tmp_path)], input="", capture_output=True, text=True,
        env=ENVIRONMENT, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout == ""
    (folder,) = tmp_path.iterdir()
    assert folder.name in done.stderr.replace("\n", "")
    assert open_run(folder).manifest.stopped == "the client has left"


def test_an_input_without_a_client_is_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, *SERVE, "--out", str(tmp_path)], stdin=subprocess.DEVNULL,
        capture_output=True, text=True, env=ENVIRONMENT, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("error: the standard input is not connected to an MCP client")
    assert not list(tmp_path.iterdir())


def test_a_client_plays_over_http_until_no_episode_is_left(tmp_path: Path) -> None:
    async def playing() -> tuple[list[str], str]:
        settings = settings_of(SPEC, "rod", "tools", "zero-shot", None, {"limit": 3})
        address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(
            serve(settings, tmp_path, port=0, on_address=address.set_result)
        )
        async with Client(await address) as client:
            said = await play(client)
            last = words(await client.call_tool("next_episode", {}))
        serving.cancel()
        await asyncio.wait([serving])
        return said, last

    said, last = asyncio.run(playing())
    assert last == "No episode is left."
    (folder,) = tmp_path.iterdir()
    run = open_run(folder)
    check(said, run)
    assert run.manifest.status == "finished"


def test_a_signal_ends_the_server(tmp_path: Path) -> None:
    program = subprocess.Popen(
        [sys.executable, *SERVE, "--http", "--out", str(tmp_path)], stderr=subprocess.PIPE,
        text=True, env=ENVIRONMENT,
    )  # fmt: skip
    assert program.stderr is not None
    assert program.stderr.readline().startswith("serving http://127.0.0.1:")
    program.send_signal(signal.SIGTERM)
    _, said = program.communicate(timeout=30)
    assert program.returncode == 128 + signal.SIGTERM
    assert f"episodes were recorded in {tmp_path}" in said


def test_a_demonstration_needs_tools() -> None:
    settings = settings_of(SPEC, "rod", "mcqa", "zero-shot", None, {})
    with pytest.raises(UserError, match="an agent calls tools and cannot play the protocol mcqa"):
        asyncio.run(serve(settings, Path("unused"), port=0))
