"""`agent:COMMAND`: agents that play, that fail, and that attack. Each is a real process."""

import asyncio
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

pytest.importorskip("mcp")

from proactive_agent import Result, UserError, evaluate
from proactive_agent.cli.app import cli
from proactive_agent.exports.hub_folder import write_hub_folder
from proactive_agent.play.conditions import parse_condition
from proactive_agent.play.episode import Play, play_episode
from proactive_agent.play.protocols import ToolUse
from proactive_agent.providers import ProviderOptions, create_provider
from proactive_agent.providers.agent import process as agent_process
from proactive_agent.providers.agent import provider as agent_provider
from proactive_agent.providers.agent.usage import read_usage
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.runs.provider_check import check_now
from proactive_agent.scenarios import DataFolder
from proactive_agent.settings import ApiAccess
from proactive_agent.settings.agent_names import short_name
from tests.proactive_agent.scripted import sample_of
from tests.providers.fake_responses import fake_responses
from tests.providers.scripted_agent import MARK

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples" / "agents"


def scripted(*words: object) -> str:
    script = shlex.join([sys.executable, str(HERE / "scripted_agent.py")])
    return f"agent:{script} {{url}} {shlex.join(map(str, words))}".strip()


def play(
    *words: object, scenario: str = "rod", timeout: float = 60, **options: Any
) -> EpisodeRecord:
    """Plays one episode without the sight check."""
    access = ApiAccess(episode_timeout=timeout)

    async def playing() -> EpisodeRecord:
        provider = create_provider(scripted(*words), ProviderOptions(access=access, **options))
        try:
            condition = parse_condition("zero-shot", "tools")
            setup = Play(DataFolder(), provider, ToolUse("episode"), condition)
            return await play_episode(setup, scenario, sample_of(scenario))
        finally:
            await provider.close()

    return asyncio.run(playing())


def processes(mark: str) -> list[str]:
    """Command lines of the processes that hold a mark."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if any(mark.encode() in word for word in words):
            found.append(b" ".join(words).decode("utf-8", "replace"))
    return found


def gone(mark: str, patience: float = 20) -> bool:
    """Whether no process with a mark is left, after at most `patience` seconds."""
    deadline = time.monotonic() + patience
    while processes(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not processes(mark)


def assert_replays(result: Result, folder: Path) -> None:
    """Asserts that the records of one rod episode replay to the same verdicts."""
    (episode,) = result.episodes()
    replayed = evaluate(
        f"replay:{result.folder / 'episodes.jsonl'}", scenarios="rod", limit=1, toolset="episode",
        out=folder / "replay",
    )  # fmt: skip
    (again,) = replayed.episodes()
    only = {"outcome": True, "answer": True, "turns": {"__all__": {"action", "verdict", "prompt"}}}
    assert again.model_dump(include=only) == episode.model_dump(include=only)


def error_of(record: EpisodeRecord) -> tuple[str, str]:
    assert record.error is not None
    return record.error.kind, record.error.message


# Whole runs --------------------------------------------------------------------------------------


def test_an_agent_on_the_mcp_client_plays_and_its_records_replay(tmp_path: Path) -> None:
    command = shlex.join([sys.executable, str(HERE / "mcp_client_agent.py")])
    result = evaluate(
        f"agent:{command} {{url}}", scenarios="rod", limit=1, out=tmp_path / "run", isolated="yes"
    )
    (episode,) = result.episodes()
    assert [turn.action.kind for turn in episode.turns] == ["intervention", "answer"]
    assert {turn.reply.tool_format for turn in episode.turns} == {"mcp"}
    sent = [turn.image.sent for turn in episode.turns]
    assert len({one.sha256 for one in sent if one}) == 2
    facts = result.manifest.provider
    assert (facts["client"], facts["isolated"]) == ("mcp 0.1.0", "yes")
    assert facts["mcp"] >= "2025"
    assert result.settings.toolset == "episode"
    assert_replays(result, tmp_path)


def test_an_agent_of_a_framework_sees_the_pictures_and_plays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("agents", reason="needs openai-agents")
    command = shlex.join([sys.executable, str(EXAMPLES / "openai_agents.py")])
    with fake_responses() as (url, pictures):
        monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-loopback-server")
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        result = evaluate(
            f"agent:{command} {{url}} '{{prompt}}' any", scenarios="rod", limit=1,
            out=tmp_path / "run", agent_usage="usage.json",
            agent_env=("OPENAI_API_KEY", "OPENAI_BASE_URL"),
        )  # fmt: skip
    (episode,) = result.episodes()
    assert [turn.action.kind for turn in episode.turns] == ["intervention", "answer"]
    assert all(turn.image.sent for turn in episode.turns)
    assert (episode.usage.input_tokens, episode.usage.reasoning_tokens) == (40, 4)
    assert len(set(pictures)) == 4  # two of the sight check, two of the episode
    assert_replays(result, tmp_path)


def test_why_and_the_card_of_the_hub_name_the_agent_and_its_isolation(tmp_path: Path) -> None:
    folder = evaluate(scripted(), scenarios="rod", limit=1, out=tmp_path / "run").folder
    tables = [
        CliRunner().invoke(cli, ["why", str(folder), "--format", form], env={"COLUMNS": "300"})
        for form in ("text", "markdown")
    ]
    write_hub_folder(RunFolder(folder), tmp_path / "hub")
    for shown in (*(one.stdout for one in tables), (tmp_path / "hub" / "README.md").read_text()):
        assert "{url}" not in shown.partition("| provider |")[0]
        assert "was not stated to be isolated" in shown


def test_killed_agents_lose_double_and_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_process, "GRACE", 0.2)
    result = evaluate(
        scripted("mortal"), scenarios=["rod", "quickdraw"], limit=25, concurrency=8,
        out=tmp_path / "run",
    )  # fmt: skip
    episodes = list(result.episodes())
    keys = Counter(episode.key for episode in episodes)
    assert len(episodes) == result.summary.errors + sum(
        one.episodes for one in result.summary.scenarios.values()
    )
    assert set(keys.values()) == {1}
    assert len(keys) == min(25, len(list(DataFolder().samples("rod")))) + 25
    failed = [episode for episode in episodes if episode.error]
    assert failed
    assert {error_of(one)[0] for one in failed} == {"agent_failed"}
    assert gone("scripted_agent.py")


def test_a_client_that_drops_pictures_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"_agent.py \(client: scripted 1.0\) failed the sight"):
        evaluate(scripted("blind"), scenarios="rod", limit=1, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
    findings = check_now(create_provider(scripted("blind")), 16)
    assert [finding.works for finding in findings[:1]] == [False]
    assert gone("scripted_agent.py")


def test_providers_check_is_a_sight_check_also_with_separate_pictures() -> None:
    options = ProviderOptions(pictures="separate", isolated="no")
    findings = check_now(create_provider(scripted(), options), 16)
    assert [(f.what, f.works) for f in findings] == [
        ("picture", True), ("picture after a call", True), ("client", None), ("isolated", None),
    ]  # fmt: skip
    assert findings[2].detail == "client: scripted 1.0"


# Ways to play ------------------------------------------------------------------------------------


def test_pictures_are_shown_alone_for_clients_that_keep_one_item() -> None:
    record = play(pictures="separate")
    assert [turn.action.kind for turn in record.turns] == ["intervention", "answer"]


def test_a_final_answer_in_words_is_read_once() -> None:
    record = play("says")
    assert [(turn.via, turn.action.kind) for turn in record.turns] == [("text", "answer")]


def test_calls_at_the_same_time_are_turns() -> None:
    record = play("at_once")
    assert [turn.action.kind for turn in record.turns] == ["intervention", "intervention", "answer"]


@pytest.mark.parametrize("scenario", ["changeit", "coco"])
def test_the_tools_stay_the_same_and_the_state_refuses(scenario: str) -> None:
    record = play(scenario=scenario)
    assert not record.error
    assert len({str(turn.tools) for turn in record.turns}) == 1


def test_counts_of_the_agent_become_those_of_the_episode(tmp_path: Path) -> None:
    usage = play("counts", agent_usage="usage.json").usage
    assert (usage.input_tokens, usage.output_tokens, usage.cost_usd) == (70, 7, 0.25)
    (tmp_path / "secret.json").write_text('{"input_tokens": 1}')
    linked = play("links", tmp_path / "secret.json", agent_usage="usage.json")
    assert linked.usage.input_tokens is None
    with pytest.raises(UserError, match="expected the name of a file, without a folder"):
        play(agent_usage="../usage.json")


@pytest.mark.parametrize(
    ("written", "text", "counts"),
    [
        (
            '{"type":"result","result":"A dog.","total_cost_usd":0.5,"usage":{"input_tokens":3,'
            '"cache_creation_input_tokens":4,"cache_read_input_tokens":5,"output_tokens":6}}',
            "A dog.", (12, 6, 5, 0.5),
        ),
        (
            '{"type":"item.completed","item":{"type":"agent_message","text":"A dog."}}\n'
            '{"type":"turn.completed","usage":{"input_tokens":3,"cached_input_tokens":2,'
            '"output_tokens":1}}\n',
            "A dog.", (3, 1, 2, None),
        ),
        ("no JSON", None, None),
        ('{"type": "item.completed", "item": {"result": "A dog."}}', "", None),
        ('{"usage": {"input_tokens": "many"}}', "", None),
        ("[" * 100_000, None, None),
    ],
)  # fmt: skip
def test_usage_is_read_in_the_forms_of_known_agents(
    written: str, text: str | None, counts: tuple[Any, ...] | None
) -> None:
    said = read_usage(written.encode())
    assert said.text == text
    usage = said.usage
    found = usage and (
        usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.cost_usd,
    )  # fmt: skip
    assert found == counts


# Failures ----------------------------------------------------------------------------------------


def test_an_agent_that_never_connects_runs_into_the_time_limit() -> None:
    kind, message = error_of(play("sleeps", timeout=1))
    assert kind == "timeout"
    assert message == (
        "the agent did not connect to its MCP endpoint within 1 s (--episode-timeout)"
    )
    assert gone(MARK)


@pytest.mark.parametrize(
    ("behaviour", "kind", "message"),
    [
        ("exits", "agent_not_connected", "the agent ended without connecting to its MCP endpoint; "
                                         "it wrote: bye"),
        ("crashes", "agent_failed", "the agent ended with exit code 7"),
        ("fails", "agent_failed", "the agent ended with exit code 3: no credit left"),
    ],
)  # fmt: skip
def test_an_agent_that_fails_is_an_error_and_no_answer(
    behaviour: str, kind: str, message: str
) -> None:
    assert error_of(play(behaviour)) == (kind, message)


def test_a_command_that_does_not_exist_is_an_error() -> None:
    async def playing() -> None:
        provider = create_provider("agent:no-such-agent {url}")
        try:
            await provider.probe(Play.__dataclass_fields__["sampling"].default_factory())  # type: ignore[misc]
        finally:
            await provider.close()

    with pytest.raises(UserError, match="exit code 127: no-such-agent: No such file"):
        asyncio.run(playing())


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("agent:claude", "the command must contain {url}"),
        ("agent:claude '{url}", "the command cannot be read"),
        ("agent:", "expected NAME:MODEL"),
    ],
)
def test_a_malformed_command_is_refused(command: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        create_provider(command)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"protocol": "mcqa"}, "cannot play the protocol mcqa"),
        ({"condition": "stateless"}, "remembers its conversation"),
        ({"toolset": "published"}, "the toolset published changes from turn to turn"),
    ],
)
def test_a_run_that_an_agent_cannot_play_is_refused(
    settings: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=message):
        evaluate(scripted(), scenarios="rod", limit=1, out=tmp_path / "run", **settings)


# Attacks -----------------------------------------------------------------------------------------


def test_calls_after_the_end_change_nothing(tmp_path: Path) -> None:
    record = play("goes_on", tmp_path / "told")
    assert record.outcome.turns == 2
    assert json.loads((tmp_path / "told").read_text()) == [[True, "The episode has ended."]] * 3


def test_a_flood_of_calls_is_served_or_refused(tmp_path: Path) -> None:
    record = play("floods", tmp_path / "told")
    assert record.outcome.stop == "abstained"
    assert json.loads((tmp_path / "told").read_text()) == 100


@pytest.mark.parametrize(("behaviour", "why"), [("huge", "bad_json"), ("unknown", "unknown_tool")])
def test_a_hostile_call_is_an_invalid_reply(behaviour: str, why: str) -> None:
    (turn,) = play(behaviour).turns
    assert turn.action.why == why
    assert len(turn.reply.tool_calls[0].arguments) <= 100_000


def test_binary_output_is_a_reply_in_words() -> None:
    record = play("garbage")
    assert not record.error
    assert record.turns[0].via == "text"


def test_processes_that_ignore_signals_are_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_process, "GRACE", 0.2)
    monkeypatch.setattr(agent_provider, "FAREWELL", 1.0)
    record = play("forks")
    assert record.outcome.stop == "answered"
    assert gone(MARK)
    assert gone("scripted_agent.py")


def test_an_agent_gets_no_secret_and_no_name_of_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-0123456789abcdef")
    monkeypatch.setenv("MY_SETTING", "seen")
    monkeypatch.setenv("PROACTIVE_DATA", "/data")
    play("sees", tmp_path / "told", agent_env=("MY_SETTING",))
    told = json.loads((tmp_path / "told").read_text())
    assert told["variables"]["MY_SETTING"] == "seen"
    assert not {"OPENAI_API_KEY", "PROACTIVE_DATA", "PYTHONPATH", "OLDPWD"} & set(told["variables"])
    assert told["files"] == []
    assert str(Path.cwd()) not in json.dumps(told).replace(sys.prefix, "")
    assert not Path(told["cwd"]).exists()
    for name in ("rod", "Realistic-Occlusion", "proactive"):
        assert name not in told["url"]
    with pytest.raises(UserError, match="--agent-env NOT_SET: this variable is set neither"):
        play(agent_env=("NOT_SET",))


def test_another_token_or_host_name_opens_nothing(tmp_path: Path) -> None:
    play("steals", tmp_path / "told")
    *paths, other_host = json.loads((tmp_path / "told").read_text())
    assert set(paths) == {404}
    assert other_host == 421


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_program_that_is_ended_leaves_no_agent(number: int, tmp_path: Path) -> None:
    folders = tmp_path / "folders"
    folders.mkdir()
    program = subprocess.Popen(
        [sys.executable, "-m", "proactive_agent", "run", "--provider", scripted("sleeps"),
         "--scenario", "rod", "--limit", "2", "--out", str(tmp_path)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1]), "TMPDIR": str(folders)},
    )  # fmt: skip
    deadline = time.monotonic() + 60
    try:
        # The keeper of the agent names its folder. The command line of the program does not.
        while not processes(f"{folders}/agent-"):
            assert program.poll() is None, program.stderr and program.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        program.send_signal(number)
        program.communicate(timeout=30)
    finally:
        program.kill()
        program.communicate()
    assert gone("scripted_agent.py")
    assert not list(folders.iterdir())
    assert program.returncode in (-number, 128 + number)


# Names -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("agent:claude -p '{prompt}' --mcp-config '{\"a\": \"{url}\"}'", "agent:claude"),
        ("agent:/usr/bin/python3.11 -u /home/me/my_agent.py {url}", "agent:my_agent.py"),
        ("agent:env A=1 codex exec {url}", "agent:codex"),
        ("agent:python {url}", "agent:python"),
        ("agent:'", "agent:unknown"),
        ("openai:gpt-4.1", "openai:gpt-4.1"),
    ],
)
def test_agents_have_short_names(spec: str, name: str) -> None:
    assert short_name(spec) == name
