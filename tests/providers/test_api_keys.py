"""Keys come from the environment or a `.env` file, and are sent only to the API."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("openai", reason="needs the extra `api`")
pytest.importorskip("anthropic", reason="needs the extra `api`")
pytest.importorskip("litellm", reason="needs the extra `api`")

from click.testing import CliRunner

from proactive_agent.cli.app import cli
from proactive_agent.providers import create_provider
from proactive_agent.providers.api.keys import find_key, protect_secrets, read_env_file
from proactive_agent.providers.api.server import ApiTarget, parse_target
from proactive_agent.tools import UserError
from proactive_agent.tools.secrets import redacted
from tests.providers.api_asking import PROTOCOLS, ask, failed, first_turn, provider, server, spec
from tests.providers.hostile_server import HostileServer

__all__ = ["server"]

pytestmark = pytest.mark.api

REPOSITORY = Path(__file__).parents[2]
PLANTED = "sk-planted-0123456789abcdef"
OF_OPENAI = "sk-not-for-other-servers-0123"


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "PROACTIVE_AGENT_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_a_env_file_is_read_as_shells_do(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(
        "# A=comment\nA=1\nexport B='two words'\nC=\"3\" # why\nD = four # why\n"
        "E=\nnonsense\nF=a#b\n"
    )
    assert read_env_file(file) == {
        "A": "1", "B": "two words", "C": "3", "D": "four", "E": "", "F": "a#b",
    }  # fmt: skip


def test_the_environment_comes_before_the_env_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("OPENAI_API_KEY=from-file\n")
    assert find_key("OPENAI_API_KEY") == "from-file"
    monkeypatch.setenv("OPENAI_API_KEY", "from-environment")
    assert find_key("OPENAI_API_KEY") == "from-environment"


@pytest.mark.parametrize(
    ("model", "key"), [("openai:gpt-4.1", "OPENAI"), ("anthropic:claude-x", "ANTHROPIC")]
)
def test_a_missing_key_is_named(model: str, key: str) -> None:
    with pytest.raises(UserError, match=f"needs a key: set {key}_API_KEY"):
        create_provider(model)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_companys_key_is_not_sent_to_another_server(
    protocol: str, server: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", OF_OPENAI)
    monkeypatch.setenv("ANTHROPIC_API_KEY", OF_OPENAI)
    monkeypatch.setenv("HOSTED_VLLM_API_KEY", OF_OPENAI)
    ask(provider(protocol, server.url), first_turn())
    monkeypatch.setenv("PROACTIVE_AGENT_API_KEY", PLANTED)
    ask(provider(protocol, server.url), first_turn())
    sent = [" ".join(received.headers.values()) for received in server.received]
    assert OF_OPENAI not in "".join(sent)
    assert [PLANTED in headers for headers in sent] == [False, True]


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("gpt-4.1", ApiTarget("gpt-4.1")),
        ("claude@20250514", ApiTarget("claude@20250514")),
        ("m@http://localhost:8000/v1/", ApiTarget("m", "http://localhost:8000/v1")),
        ("a@b@https://host/v1", ApiTarget("a@b", "https://host/v1")),
    ],
)
def test_an_address_stands_behind_the_at_sign(text: str, target: ApiTarget) -> None:
    assert parse_target(text) == target


@pytest.mark.parametrize("text", ["m@http://", "m@http://host:99999/v1", "m@http://me:pw@host/v1"])
def test_a_faulty_address_is_wrong_input(text: str) -> None:
    with pytest.raises(UserError, match="address of a server"):
        parse_target(text)


def test_what_a_server_says_of_a_key_is_not_passed_on(
    server: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_TOKEN", "no such field")
    server.then("400")
    (error,) = ask(provider("chat", server.url), first_turn())
    assert str(failed(error)) == "HTTP 400: messages: [SOME_TOKEN]"


def test_short_values_and_other_variables_are_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "short")
    monkeypatch.setenv("SOMETHING", "a long enough value")
    protect_secrets()
    assert redacted("short, a long enough value") == "short, a long enough value"


EVERY_COMMAND = """
import sys
from proactive_agent.cli.app import cli
for options in (["--limit", "1"], ["--dry-run"], ["--limit", "4", "--cache", "cache"], []):
    try:
        cli(["run", "--scenario", "rod", *options, "--provider", sys.argv[1]])
    except SystemExit as end:
        print("ended with", end.code)
"""


@pytest.mark.parametrize(
    ("protocol", "where"),
    [("chat", "environment"), ("messages", "file"), ("litellm", "environment")],
)
def test_a_planted_key_is_found_nowhere(
    protocol: str, where: str, tmp_path: Path, server: HostileServer
) -> None:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONWARNINGS": "ignore"}
    environment |= {"OPENAI_LOG": "debug", "ANTHROPIC_LOG": "debug", "LITELLM_LOG": "INFO"}
    if where == "environment":
        environment["PROACTIVE_AGENT_API_KEY"] = PLANTED
    else:
        (tmp_path / ".env").write_text(f"PROACTIVE_AGENT_API_KEY={PLANTED}\n")
    quiet = [None, None, None]  # a probe, and an episode of two turns
    server.then(*quiet, None, "400", "413", "filtered request", "reset")
    done = subprocess.run(
        [sys.executable, "-c", EVERY_COMMAND, spec(protocol, server.url)],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    output = done.stdout + done.stderr
    # The run with --cache meets errors, so it ends with 1.
    assert [output.count(f"ended with {code}") for code in (0, 1)] == [3, 1], output
    assert PLANTED in " ".join(server.received[0].headers.values())
    assert PLANTED not in output
    files = [file for file in tmp_path.rglob("*") if file.is_file() and file.name != ".env"]
    assert len(files) >= 10
    for file in files:
        assert PLANTED.encode() not in file.read_bytes(), file


@pytest.mark.parametrize("protocol", ["chat", "messages"])
def test_a_wrong_key_is_not_shown(
    protocol: str, server: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROACTIVE_AGENT_API_KEY", PLANTED)
    server.then("401")
    result = CliRunner().invoke(cli, ["run", "--provider", spec(protocol, server.url)])
    assert result.exit_code == 2
    assert PLANTED not in result.output + repr(result.exception)


def test_a_provider_does_not_show_its_key(
    server: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROACTIVE_AGENT_API_KEY", PLANTED)
    for protocol in PROTOCOLS:
        made = provider(protocol, server.url)
        assert PLANTED not in f"{made!r} {made.manifest()}"
