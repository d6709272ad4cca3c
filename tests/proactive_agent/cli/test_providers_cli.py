import pytest

pytest.importorskip("openai", reason="needs the extra `api`")
pytest.importorskip("anthropic", reason="needs the extra `api`")
pytest.importorskip("litellm", reason="needs the extra `api`")

from click.testing import CliRunner, Result

from proactive_agent.cli.app import cli
from proactive_agent.tools.install import install_command
from tests.providers.api_asking import server, spec
from tests.providers.hostile_server import HostileServer

__all__ = ["server"]

pytestmark = pytest.mark.api

PLANTED = "sk-planted-0123456789abcdef"


def invoke(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(cli, ["providers", *arguments])


def rows(output: str) -> dict[str, str]:
    return {line.split()[0]: line for line in output.splitlines() if line.split()}


def test_keys_are_named_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", PLANTED)
    monkeypatch.setenv("GEMINI_API_KEY", PLANTED)
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    output = invoke().stdout
    assert "OPENAI_API_KEY is set" in rows(output)["openai"]
    assert "ANTHROPIC_API_KEY is missing" in rows(output)["anthropic"]
    assert "GEMINI_API_KEY is set" in rows(output)["litellm"]
    assert PLANTED not in output


def test_what_is_not_installed_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import metadata

    version = metadata.version

    def without_openai(name: str) -> str:
        if name == "openai":
            raise metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(metadata, "version", without_openai)
    assert install_command("api") in rows(invoke().stdout)["openai"]
    assert "yes" in rows(invoke().stdout)["baseline"]


def found(result: Result) -> dict[str, str]:
    return {what: line[9:14].strip() for what, line in rows(result.stdout).items()}


@pytest.mark.parametrize("protocol", ["chat", "messages", "litellm"])
def test_a_check_sends_one_request_with_a_picture_and_a_tool(
    protocol: str, server: HostileServer
) -> None:
    result = invoke("check", spec(protocol, server.url), "--price", "1,1")
    assert len(server.received) == 1
    # The server names the first colour, which is not the colour of the square.
    assert found(result) == {
        "request": "works", "tool": "works", "picture": "FAILS", "tokens": "", "cost": "",
    }  # fmt: skip
    assert "$0.001020" in result.stdout
    assert result.exit_code == 1


def test_a_check_says_what_a_model_does_not_take(server: HostileServer) -> None:
    server.then("temperature refused")
    result = invoke("check", spec("chat", server.url))
    assert "temperature" in rows(result.stdout)["left"]


def test_a_check_shows_what_was_replied_instead_of_a_call(server: HostileServer) -> None:
    server.then("text")
    result = invoke("check", spec("chat", server.url))
    assert "Please move the block" in rows(result.stdout)["tool"]
    assert (found(result)["tool"], found(result)["picture"]) == ("FAILS", "FAILS")


def test_a_request_that_fails_is_named(server: HostileServer) -> None:
    server.share, server.troubles = 1.0, ("context overflow",)
    result = invoke("check", spec("chat", server.url))
    assert rows(result.stdout)["request"].startswith("request  FAILS context_overflow: HTTP 400")
    assert result.exit_code == 1
