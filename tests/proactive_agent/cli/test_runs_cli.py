"""`runs` lists runs, and every command accepts the handles that it shows."""

import json
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from proactive_agent.cli.app import cli
from proactive_agent.disk.locks import writer_lock
from proactive_agent.records import run_folder
from proactive_agent.reports import run_overview
from tests.hostile.records import EVIL, STEERING
from tests.proactive_agent.run_folders import write_run
from tests.proactive_agent.written_records import episode


def invoke(*arguments: str | Path, columns: int = 120) -> Result:
    return CliRunner().invoke(cli, list(map(str, arguments)), env={"COLUMNS": str(columns)})


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished run of the oracle, which is the older one, and an unfinished run."""
    results = tmp_path_factory.mktemp("place") / "results"
    done = invoke("run", "--provider", "baseline:oracle", "--scenario", "rod", "--limit", "2",
                  "--out", results)  # fmt: skip
    assert done.exit_code == 0, done.output
    folder = write_run(
        results / "z-begun", [episode("right", sample_id=n) for n in range(3)], status="running"
    )
    fields = json.loads(folder.manifest_file.read_text())
    folder.manifest_file.write_text(json.dumps(fields | {"started": "2999-01-01T00:00:00Z"}))
    return results


def rows(output: str) -> list[list[str]]:
    return [line.split() for line in output.splitlines() if line.strip()]


def test_runs_are_listed_with_their_scores_and_states(results: Path) -> None:
    heads, _, begun, oracle = rows(invoke("runs", "--out", results).stdout)
    assert heads[0] == "#"
    assert begun == [
        "1", "openai:some-model", "tools", "zero-shot", "embedded", "3", "-", "-", "interrupted"
    ]  # fmt: skip
    assert oracle[:6] == ["2", "oracle", "tools", "zero-shot", "embedded", "2"]
    assert oracle[6:] == ["100.0", "7.0", "finished"]


def test_a_narrow_list_keeps_its_columns_readable(tmp_path: Path) -> None:
    for name in ("agent:python my_long_agent.py", "baseline:oracle"):
        folder = write_run(tmp_path / name[:5], provider=name, status="running")
        fields = json.loads(folder.manifest_file.read_text())
        fields["settings"]["data"] = "fresh:7:hard:unseen:n=500"
        fields["data"]["embedded"] = False
        fields["data"]["generator"] = "fresh 1"
        folder.manifest_file.write_text(json.dumps(fields))
    heads, _, *lines = rows(invoke("runs", "--out", tmp_path, columns=80).stdout)
    assert " ".join(heads) == "# model protocol condition data episodes acc psr state"
    assert sum(line[-1] == "interrupted" for line in lines) == 2


def test_a_list_reads_no_episodes(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_folder, "decode", None)
    monkeypatch.setattr(run_overview, "MOST_COUNTED_BYTES", 10)
    _, _, begun, _ = rows(invoke("runs", "--out", results).stdout)
    assert begun[5] == "3+"


def test_a_run_that_is_being_played_says_so(results: Path) -> None:
    lock = writer_lock(results / "z-begun" / "episodes.jsonl", results)
    try:
        assert rows(invoke("runs", "--out", results).stdout)[2][-1] == "running"
    finally:
        lock.release()


@pytest.mark.parametrize(
    "command",
    [
        ("why", "latest~1"),
        ("why", "2"),
        ("trace", "oracle"),
        ("trace", "latest", "--diff", "2"),
        ("compare", "latest", "oracle"),
        ("compare", "*", "--baseline", "z-"),
        ("compare", "*", "--baseline", "latest~1"),
        ("export", "oracle", "--format", "csv"),
        ("run", "--resume", "latest~1"),
    ],
)
def test_commands_accept_handles(command: tuple[str, ...], results: Path) -> None:
    done = invoke(*command, "--out", results)
    assert done.exit_code == 0, done.output


def test_a_comparison_leaves_out_what_is_no_run(results: Path) -> None:
    (results / "published").mkdir(exist_ok=True)
    done = invoke("compare", *sorted(results.iterdir()), "--format", "csv")
    assert done.exit_code == 0, done.output
    assert f"left out, because they are not runs: {results}/published" in done.stderr.replace(
        "\n", ""
    )


def test_broken_runs_are_shown_as_unreadable(tmp_path: Path) -> None:
    evil = EVIL.replace("/", "")
    folder = write_run(tmp_path / evil, provider=f"openai:{EVIL}")
    folder.summary_file.write_text("[" * 100_000)
    (tmp_path / "broken\udcff").mkdir()
    (tmp_path / "broken\udcff" / "run.json").write_text("nothing")
    for options in ((), ("--paths",)):
        done = invoke("runs", "--out", tmp_path, *options)
        assert done.exit_code == 0, done.output
        assert not any(escape in done.output for escape in STEERING)
    assert (
        "unreadable: run.json: Invalid JSON"
        in invoke("runs", "--out", tmp_path, columns=500).stdout
    )


def test_a_run_ends_with_commands_that_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    oracle = ("--provider", "baseline:oracle", "--scenario", "rod", "--limit", "1")
    first = next_commands(invoke("run", *oracle).stderr)
    assert first == [["why", "latest"], ["trace", "latest"], ["report", "latest"]]
    more = ("--condition", "zero-shot,hint", "--out", "my runs")
    second = next_commands(invoke("run", *oracle, *more).stderr)
    assert second == [
        ["why", "latest", "--out", "my runs"],
        ["trace", "latest", "--out", "my runs"],
        ["report", "2", "latest", "--out", "my runs"],
    ]
    for command in (*first[:2], *second[:2]):
        assert invoke(*command).exit_code == 0


def next_commands(messages: str) -> list[list[str]]:
    """Returns the commands at the end of a run, without `python -m proactive_agent`."""
    lines = messages.partition("next:\n")[2].splitlines()
    commands = [shlex.split(line) for line in lines]
    assert all(command[:3] == ["python", "-m", "proactive_agent"] for command in commands)
    return [command[3:] for command in commands]


@pytest.mark.parametrize(
    ("command", "written"),
    [
        (("report",), "name.html"),
        (("export", "--format", "otel"), "name.jsonl"),
        (("export", "--format", "csv"), "name"),
    ],
)
def test_a_name_without_a_suffix_gets_that_of_its_format(
    command: tuple[str, ...], written: str, results: Path, tmp_path: Path
) -> None:
    done = invoke(*command, "oracle", "--out", results, "-o", tmp_path / "name")
    assert done.exit_code == 0, done.output
    assert [path.name for path in tmp_path.iterdir()] == [written]


@pytest.mark.parametrize(
    ("line", "completions"),
    [
        ("why la", ["latest"]),
        ("why z-", ["z-begun"]),
        ("trace latest --diff z", ["z-begun"]),
        ("run --resume z", ["z-begun"]),
        ("compare latest z", ["z-begun"]),
        ("run --scenario ro", ["rod"]),
        ("why latest --scenario rod,vs", ["rod,vsod"]),
        ("run --condition zero-shot,hint+stat", ["zero-shot,hint+stateless"]),
        ("run --provider baseline:or", ["baseline:oracle"]),
        ("run --provider local:smol", ["local:smolvlm2-2.2b"]),
        ("run --judge opena", ["openai:"]),
        ("repr", ["reproduce"]),
    ],
)
def test_a_shell_completes(
    line: str, completions: list[str], results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(results.parent)
    words = f"proactive-agent {line}"
    done = CliRunner().invoke(
        cli, prog_name="proactive-agent",
        env={
            "_PROACTIVE_AGENT_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(words.count(" ")),
        },
    )  # fmt: skip
    assert [line.partition(",")[2] for line in done.output.splitlines()] == completions


@pytest.mark.parametrize("command", ["why", "trace", "compare", "report"])
def test_without_a_run_and_a_terminal_the_answer_says_what_to_give(command: str) -> None:
    done = invoke(command)
    assert done.exit_code == 2
    assert done.stderr == "error: RUN is missing: give `latest`, or a run that `runs` lists\n"


def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    done = invoke("runs", "--out", tmp_path / "none")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "holds no runs" in done.stderr
