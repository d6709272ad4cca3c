"""A server repeats the key that it was sent. No part of it is written, shown or logged.

A new case is a line in `TROUBLES` of `tests/providers/hostile_server.py` and its name in `ECHOES`.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from proactive_agent.providers.registry import check_spec
from proactive_agent.tools import UserError
from proactive_agent.tools.secrets import (
    PART,
    redacted,
    redacted_json,
    register_environment,
    register_secret,
)
from tests.hostile.attacking import refusal
from tests.proactive_agent.run_folders import write_run

KEY = "sk-planted-0A1b2C3d4E5f6G7h8I9j"
NAME = "[PROACTIVE_AGENT_API_KEY]"

RUN = """
import sys
from proactive_agent.cli.app import cli
cli(["run", "--scenario", "rod", "--concurrency", "1", "--cache", "cache",
     "--out", "results", *sys.argv[1:]])
"""
REPOSITORY = Path(__file__).parents[2]


def parts(text: str) -> set[str]:
    """Returns the parts of the key, of `PART` characters, that a text contains."""
    every = {KEY[i : i + PART] for i in range(len(KEY) - PART + 1)}
    return {part for part in every if part in text}


@pytest.mark.parametrize("size", range(PART, len(KEY) + 1))
def test_every_part_of_a_key_is_replaced(size: int) -> None:
    register_secret(KEY, "A_KEY")
    for start in range(len(KEY) - size + 1):
        text = f"({KEY[start : start + size]})"
        assert redacted(text) == "([A_KEY])"


def test_a_key_that_is_cut_after_eight_characters_is_replaced() -> None:
    register_secret(KEY, "A_KEY")
    assert redacted(f"Incorrect key: {KEY[:8]}") == "Incorrect key: [A_KEY]"
    assert redacted(f"Incorrect key: {KEY[:7]}") == f"Incorrect key: {KEY[:7]}"


def test_words_and_paths_in_variables_are_replaced_as_a_whole_only() -> None:
    register_environment({"SSH_KEYS": "/home/user/keys2", "PASSWORD_HINT": "the name of my dog"})
    assert redacted("/home/user/data") == "/home/user/data"
    assert redacted("in /home/user/keys2: the name of my dog") == "in [SSH_KEYS]: [PASSWORD_HINT]"


def test_an_address_or_a_folder_in_a_variable_is_no_secret(tmp_path: Path) -> None:
    places = {"KEY_SERVER": "http://localhost:8000", "PASSWORD_STORE_DIR": str(tmp_path)}
    register_environment(places)
    for place in places.values():
        assert redacted(f"{place}/v1") == f"{place}/v1"


def test_json_stays_json() -> None:
    register_secret('nplanted-"0123456789', "A_KEY")
    line = r'{"text":"\nplanted-\"0123","n":1}'
    assert redacted_json(line) == line.replace(r"\nplanted-\"0123", r"\n[A_KEY]")


@pytest.mark.parametrize(
    "address",
    [
        "http://host/v1?api_key=abc", "http://host/v1?API-KEY=abc", "http://host/v1?a=1;token=abc",
        "http://host/v1#access_token=abc", "http://host/v1?code=abc", "https://me:abc@host/v1",
        "https://abc@host/v1", "http://host/v1?k=a1B2c3D4e5F6g7H8", "http://host/v1?api%5Fkey=abc",
        "http://host/sk-abcdefghijklmnop/v1", "HTTP://host/v1?api_key=abc",
    ],
)  # fmt: skip
def test_an_address_with_a_secret_is_refused_without_repeating_it(
    address: str, tmp_path: Path
) -> None:
    for options in ((), ("--dry-run",)):
        message = refusal("run", "--provider", f"openai:m@{address}", "--out", tmp_path, *options)
        assert "PROACTIVE_AGENT_API_KEY" in message
        assert "abc" not in message
        assert "a1B2c3" not in message
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "address", ["http://host:8000/v1", "https://host/openai?api-version=2024-02-01"]
)
def test_other_addresses_are_accepted(address: str) -> None:
    assert check_spec(f"openai:m@{address}")[1] == f"m@{address}"


def test_a_known_secret_in_the_path_of_an_address_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("A_TOKEN", KEY)
    with pytest.raises(UserError, match="must not contain a key"):
        check_spec(f"openai:m@http://host/{KEY}/v1")


def test_an_otlp_address_with_a_secret_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("opentelemetry.sdk", reason="needs the extra `otel`")
    run = write_run(tmp_path / "run").path
    message = refusal("export", run, "--format", "otel", "--otlp", "http://host?api_key=abc")
    assert "OTEL_EXPORTER_OTLP_HEADERS" in message


ECHOES = (
    "key in an error", "key where the message is cut", "key without its last character",
    "key without its second half", "key in text", "key in arguments", "key in a tool's name",
    "key in the finish reason",
)  # fmt: skip
PROTOCOLS = ("chat", "responses", "messages", "litellm")


@pytest.mark.api
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_part_of_a_repeated_key_is_kept(protocol: str, tmp_path: Path) -> None:
    pytest.importorskip("litellm", reason="needs the extra `api`")
    from tests.providers.api_asking import spec
    from tests.providers.hostile_server import HostileServer

    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONWARNINGS": "ignore"}
    environment |= {"OPENAI_LOG": "debug", "ANTHROPIC_LOG": "debug", "LITELLM_LOG": "DEBUG"}
    environment["PROACTIVE_AGENT_API_KEY"] = KEY
    api = ["--api", "responses"] if protocol == "responses" else []
    with HostileServer().running() as server:
        server.then(None, *ECHOES)
        done = subprocess.run(
            [sys.executable, "-c", RUN, "--provider", spec(protocol, server.url), *api],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
    output = done.stdout + done.stderr
    assert done.returncode in (0, 1), output
    assert server.received[1].key == KEY
    assert parts(output) == set()
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert {file.name for file in files} >= {"run.json", "episodes.jsonl", "replies.sqlite"}
    for file in files:
        assert parts(file.read_bytes().decode("latin-1")) == set(), file
    (episodes,) = tmp_path.rglob("episodes.jsonl")
    assert episodes.read_text(encoding="utf-8").count(NAME) >= len(ECHOES)
