"""Defaults of `run` in proactive-agent.toml or pyproject.toml, and the two lengths of its help."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from proactive_agent.cli.app import cli
from proactive_agent.records.run_folder import RunFolder

PLAY = ("run", "--provider", "baseline:oracle")


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments), prog_name="proactive-agent")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def own(text: str, file: str = "proactive-agent.toml") -> None:
    Path(file).write_text(text)


def the_run(out: str = "results") -> RunFolder:
    (folder,) = Path(out).iterdir()
    return RunFolder(folder)


@pytest.mark.parametrize(
    ("file", "table"),
    [("proactive-agent.toml", "run"), ("pyproject.toml", "tool.proactive_agent.run")],
)
def test_the_file_replaces_defaults_and_is_named(file: str, table: str) -> None:
    own(f'[{table}]\nlimit = 2\nscenario = "rod"\nout = "mine"\n', file)
    result = invoke(*PLAY)
    assert result.exit_code == 0
    assert f"{file} sets --scenario, --limit, --out" in result.stderr
    settings = the_run("mine").read_manifest().settings
    assert (settings.limit, settings.scenarios) == (2, ("rod",))


def test_the_command_line_takes_precedence() -> None:
    own('[run]\nlimit = 2\nscenario = ["rod", "coco"]\n')
    assert invoke(*PLAY, "--limit", "1", "--scenario", "vsod").exit_code == 0
    settings = the_run().read_manifest().settings
    assert (settings.limit, settings.scenarios) == (1, ("vsod",))


def test_a_default_without_effect_is_left_out() -> None:
    """On the command line, the same setting is an error."""
    own("[run]\nhistory-size = 99\nlimit = 1\ntemperature = 0.5\n")
    result = invoke(*PLAY)
    assert result.exit_code == 0
    assert the_run().read_manifest().settings.history_size == 224
    assert "--history-size" not in result.stderr
    assert invoke(*PLAY, "--history-size", "99").exit_code == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[run]\nlimi = 3", "unknown option 'limi'; did you mean 'limit'?"),
        ('[run]\nlimit = "many"', "proactive-agent.toml, limit: "),
        ("[run]\nlimit = 0", "proactive-agent.toml, limit: "),
        ("[run]\nlimit = [1, 2]", "proactive-agent.toml, limit: expected one value, not a list"),
        ("[run]\nforgiving = 1", "proactive-agent.toml, forgiving: expected true or false"),
        ("[run]\nlimit = true", "proactive-agent.toml, limit: expected a value"),
        ("[run]\ncache = {a = 1}", "proactive-agent.toml, cache: expected a text, a number"),
        ("[rum]\nlimit = 1", "the only table is [run]"),
        ("run = 3", "the only table is [run]"),
        ("[run", "proactive-agent.toml cannot be read as TOML"),
        ("[run]\ntrust-remote-code = true", "only on the command line"),
        ('[run]\nheader = "X=$KEY"', "only on the command line"),
        ('[run]\nprovider = "openai:x@http://elsewhere/v1"', "only on the command line"),
    ],
)
def test_a_wrong_file_is_an_error_that_names_it(text: str, message: str) -> None:
    own(text)
    result = invoke(*PLAY)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not Path("results").exists()


@pytest.mark.parametrize("text", ["[project", "[project]\nname = 'x'", "tool = 3"])
def test_the_pyproject_of_another_program_is_ignored(text: str) -> None:
    own(text, "pyproject.toml")
    assert invoke(*PLAY, "--limit", "1").exit_code == 0


@pytest.mark.parametrize("command", ["run", "train"])
def test_help_lists_the_common_options_and_names_the_command_for_all(command: str) -> None:
    short, long = invoke(command, "--help").stdout, invoke(command, "--help-all").stdout
    options = [set(re.findall(r"^  (?:-\w, )?(--[a-z-]+)", text, re.M)) for text in (short, long)]
    assert len(options[0]) <= 16
    assert options[0] < options[1]
    assert len(options[1]) == len(cli.commands[command].params) + 2
    missing = len(options[1]) - len(options[0])
    assert f"{missing} more options: proactive-agent {command} --help-all" in short
