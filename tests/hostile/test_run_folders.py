"""Run folders from someone else: every command reads them or names the fault."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from proactive_agent.cli.app import cli
from proactive_agent.records import run_folder
from tests.hostile.attacking import named, no_stall, refusal
from tests.proactive_agent.run_folders import write_run
from tests.proactive_agent.written_records import episode

Fields = dict[str, Any]

COMMANDS = (
    ("trace", "--turns"),
    ("why",),
    ("compare",),
    ("report",),
    ("export", "--format", "csv"),
    ("export", "--format", "inspect"),
)
"""Commands that read the run whose folder follows."""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A sound run folder."""
    played = [episode("ask", "right", sample_id=0), episode("wrong", sample_id=1)]
    return write_run(tmp_path / "run", played, provider="baseline:oracle").path


def each_command_ends(run: Path) -> list[str]:
    """Runs every command on a folder and returns the messages of those that refused it."""
    messages = []
    for command in COMMANDS:
        output = ("-o", str(run.parent / command[0])) if command[0] in ("report", "export") else ()
        with no_stall():
            done = CliRunner().invoke(cli, [*command, str(run), *output])
        unexpected = done.exception and not isinstance(done.exception, SystemExit)
        assert not unexpected, f"{command}: {done.exception!r}"
        assert "\x1b[2J" not in done.output
        if done.exit_code:
            messages.append(done.stderr)
    return messages


def set_to(*path: str | int, value: Any) -> Callable[[Any], None]:
    """Sets one field of a record."""

    def change(fields: Any) -> None:
        for part in path[:-1]:
            fields = fields[part]
        fields[path[-1]] = value

    return change


def change_manifest(run: Path, change: Callable[[Any], None]) -> None:
    file = run / "run.json"
    fields = json.loads(file.read_text(encoding="utf-8"))
    change(fields)
    file.write_text(json.dumps(fields), encoding="utf-8")


def change_episode(run: Path, change: Callable[[Any], None]) -> None:
    """Changes the first line of `episodes.jsonl`."""
    file = run / "episodes.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines()
    fields = json.loads(lines[0])
    change(fields)
    file.write_text("".join(f"{line}\n" for line in (json.dumps(fields), *lines[1:])))


ESCAPE = "\x1b[2J\x1b]0;title\x07"

MANIFESTS: list[tuple[str, Callable[[Any], None]]] = [
    ("unknown scenario", set_to("settings", "scenarios", value=["maze"])),
    ("scenario of a path", set_to("settings", "scenarios", value=["../../x"])),
    ("scenario of escapes", set_to("settings", "scenarios", value=[ESCAPE])),
    ("data of an unknown scenario", set_to(
        "data", "files", value={"maze": {"sha256": "", "samples": 1, "kept": 1}})),
    ("no scenarios", set_to("settings", "scenarios", value=[])),
    ("unknown protocol", set_to("settings", "protocol", value="telepathy")),
    ("unknown condition", set_to("settings", "condition", value="drunk")),
    ("unknown provider", set_to("settings", "provider", value="nobody:x")),
    ("provider without a model", set_to("settings", "provider", value="")),
    ("provider of escapes", set_to("settings", "provider", value=f"openai:{ESCAPE}")),
    ("long provider", set_to("settings", "provider", value="openai:" + "x" * 10**5)),
    ("long run id", set_to("run_id", value="x" * 10**6)),
    ("data of a path", set_to("settings", "data", value="/etc")),
    ("limit", set_to("settings", "limit", value=10**30)),
    ("repeats", set_to("settings", "repeats", value=-1)),
    ("unknown status", set_to("status", value="haunted")),
    ("settings of a list", set_to("settings", value=[])),
    ("year 9999", set_to("started", value="9999-12-31T23:59:59Z")),
]  # fmt: skip


@pytest.mark.parametrize("change", named(MANIFESTS))
def test_a_hostile_manifest_is_read_or_named(run: Path, change: Callable[[Any], None]) -> None:
    change_manifest(run, change)
    for message in each_command_ends(run):
        assert message.startswith("error: ")


EPISODES: list[tuple[str, Callable[[Any], None]]] = [
    ("unknown scenario", set_to("scenario", value="maze")),
    ("scenario of escapes", set_to("scenario", value=ESCAPE)),
    ("id of escapes", set_to("sample_id", value=ESCAPE)),
    ("long id", set_to("sample_id", value="x" * 70_000)),
    ("large id", set_to("sample_id", value=10**30)),
    ("half a character", set_to("target", value="\ud800")),
    ("repeat", set_to("repeat", value=10**30)),
    ("negative repeat", set_to("repeat", value=-1)),
    ("fewest", set_to("fewest", value=10**30)),
    ("suggestions", set_to("outcome", "suggestions", value=-(10**30))),
    ("turns", set_to("outcome", "turns", value=10**30)),
    ("unknown end", set_to("outcome", "stop", value="asleep")),
    ("no turns", set_to("turns", value=[])),
    ("unknown tool", set_to("turns", 0, "action", "tool", value="teleport")),
    ("no tool", set_to("turns", 0, "action", "tool", value=None)),
    ("unknown reason", set_to("turns", 0, "action", value={"kind": "invalid", "why": ESCAPE})),
    ("picture of a path", set_to("turns", 0, "image", "path", value="../../../etc/passwd")),
    ("picture of a NUL", set_to("turns", 0, "image", "path", value="\0")),
    ("crop", set_to("turns", 0, "image", "crop", value=[0, 0, 1e308, 1e308])),
    ("size", set_to("turns", 0, "image", "size", value=[10**30, -1])),
    ("cost", set_to("usage", "cost_usd", value=1e308)),
    ("seconds", set_to("usage", "seconds", value=-1e308)),
    ("tokens", set_to("usage", "input_tokens", value=10**30)),
    ("long text", set_to("turns", 0, "reply", "text", value="x" * 10**6)),
    ("markup", set_to("turns", 0, "reply", "text", value="[/x] [link=file:///etc/passwd]")),
    ("error", set_to("error", value={"source": "provider", "kind": ESCAPE, "message": ESCAPE})),
    ("error of another source", set_to("error", value={"source": "x", "kind": "", "message": ""})),
]  # fmt: skip


@pytest.mark.parametrize("change", named(EPISODES))
def test_a_hostile_episode_is_read_or_named(run: Path, change: Callable[[Any], None]) -> None:
    change_episode(run, change)
    for message in each_command_ends(run):
        assert message.startswith("error: ")


@pytest.mark.parametrize("command", [*COMMANDS, ("run", "--resume")], ids=" ".join)
def test_an_unknown_scenario_of_the_manifest_is_named(run: Path, command: tuple[str, ...]) -> None:
    change_manifest(run, set_to("settings", "scenarios", value=["maze"]))
    message = refusal(*command, run)
    assert f"{run / 'run.json'}: settings.scenarios: unknown scenario 'maze'; known: rod" in message


STALLING: list[tuple[str, str, Any, str]] = [
    ("repeats", "repeats", 10**9, "settings.repeats: Input should be less than or equal to 1000"),
    ("scenarios", "scenarios", ["rod"] * 10**5, "settings.scenarios: a scenario is named twice"),
]


@pytest.mark.parametrize(("field", "value", "told"), named(STALLING))
def test_a_run_is_not_resumed_for_a_billion_episodes(
    run: Path, field: str, value: Any, told: str
) -> None:
    change_manifest(run, set_to("settings", field, value=value))
    assert f"{run / 'run.json'}: {told}" in refusal("run", "--resume", run, "--dry-run")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_an_unknown_scenario_of_an_episode_is_named(run: Path, command: tuple[str, ...]) -> None:
    change_episode(run, set_to("scenario", value="maze"))
    message = refusal(*command, run)
    assert f"{run / 'episodes.jsonl'}: the episode of sample 0: unknown scenario 'maze'" in message
    assert message.count("episodes.jsonl") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="no such files")
@pytest.mark.parametrize("name", ["run.json", "episodes.jsonl", "episodes.index", "summary.json"])
@pytest.mark.parametrize("kind", ["pipe", "folder", "device"])
def test_a_file_that_is_none_does_not_stall(run: Path, name: str, kind: str) -> None:
    file = run / name
    file.unlink(missing_ok=True)
    make: dict[str, Callable[[], object]] = {
        "pipe": lambda: os.mkfifo(file),
        "folder": file.mkdir,
        "device": lambda: file.symlink_to("/dev/zero"),
    }
    make[kind]()
    for message in each_command_ends(run):
        assert message.startswith("error: ")


def test_a_line_without_an_end_is_named(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_folder, "MAX_LINE", 10**6)
    with (run / "episodes.jsonl").open("ab") as stream:
        stream.write(b"x" * 10**6)
    assert "episodes.jsonl, line 3: longer than 1,000,000 bytes" in refusal("why", run)
