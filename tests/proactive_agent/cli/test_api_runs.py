"""Whole runs of API models against the test server."""

import base64
import json
import signal
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("openai", reason="needs the extra `api`")
pytest.importorskip("anthropic", reason="needs the extra `api`")
pytest.importorskip("litellm", reason="needs the extra `api`")


from proactive_agent.cli.ending import run_async
from proactive_agent.play.budget import Budget
from proactive_agent.providers import ApiAccess, StoppedError
from proactive_agent.providers.api.provider import PROBE
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.records.failure_groups import CUT_OFF_REPLY
from proactive_agent.records.failures import group
from proactive_agent.records.manifest import ProviderSettings, Settings
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.runs.planned_run import PlannedRun
from proactive_agent.runs.prepare import PreparedRun
from proactive_agent.runs.session import SessionObserver
from proactive_agent.tools import UserError
from tests.proactive_agent.api_playing import AT_ONCE, invoke, many_samples, play, settings
from tests.proactive_agent.running import play_async, play_run
from tests.providers.api_asking import PROTOCOLS, server, spec
from tests.providers.hostile_server import LASTING, STOPPING, TRANSIENT, HostileServer
from tests.scenarios.official_layout import write_folder

__all__ = ["server"]

pytestmark = pytest.mark.api


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_whole_episodes_with_their_costs(
    protocol: str, server: HostileServer, tmp_path: Path
) -> None:
    access = ApiAccess(price=(2.0, 10.0))
    folder = play(settings(server, protocol, limit=2), tmp_path, access)
    for episode in folder.episodes():
        assert episode.error is None
        assert episode.turns[0].action.kind == "intervention"
        assert {turn.reply.tool_format for turn in episode.turns} == {"native"}
        for turn in episode.turns:
            assert turn.image.sent is not None
            assert turn.image.sent.size == turn.image.size
            assert turn.usage.reasoning_tokens == 5
            assert turn.usage.cost_usd == pytest.approx((1000 * 2 + 20 * 10) / 1e6)
    summary = json.loads(folder.summary_file.read_text())["scenarios"]["rod"]
    assert summary["input_tokens"] == 1000 * summary["turns"]
    assert summary["cached_tokens"] == 400 * summary["turns"]
    assert summary["cost_usd"] == pytest.approx(0.0022 * summary["turns"])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_api_gets_the_files_of_the_data_and_records_say_so(
    protocol: str, server: HostileServer, tmp_path: Path
) -> None:
    data = write_folder(tmp_path / "data", scenarios=("rod",), samples=1)
    (episode,) = play(settings(server, protocol, data=str(data)), tmp_path).episodes()
    bodies = [json.dumps(received.body) for received in server.received]
    assert len(episode.turns) > 1
    for turn in episode.turns:
        assert turn.image.sent is not None
        assert turn.image.sent.sha256 == turn.image.sha256
        content = (data / turn.image.path).read_bytes()
        assert any(base64.b64encode(content).decode() in body for body in bodies)


def test_multiple_choice_reads_the_reply_after_its_thoughts(
    server: HostileServer, tmp_path: Path
) -> None:
    server.share, server.troubles = 1.0, ("inline thoughts",)
    options = replace(settings(server, limit=1), protocol="mcqa")
    (episode,) = play(options, tmp_path).episodes()
    assert episode.turns[0].reply.text == "B."
    assert episode.turns[0].action.kind != "invalid"


def test_five_hundred_episodes_in_bad_weather(server: HostileServer, tmp_path: Path) -> None:
    data = many_samples(tmp_path / "data", 500)
    server.then(None)  # for the probe
    server.share, server.troubles = 0.3, (*TRANSIENT, *LASTING)
    options = settings(server, data=str(data))
    folder = play(options, tmp_path, concurrency=32)
    lines = folder.episodes_file.read_bytes().count(b"\n")
    first = {episode.key: episode for episode in folder.episodes()}
    failed = {key for key, episode in first.items() if episode.error}
    assert lines == len(first) == 500
    assert 0 < len(failed) < 250
    assert {e.error.source for e in first.values() if e.error} == {"provider"}
    server.share = 0.0
    play_run(PlannedRun.resumed(folder, AT_ONCE), 32)
    again = {episode.key: episode for episode in folder.episodes()}
    assert [e for e in again.values() if e.error] == []
    assert {k: e for k, e in again.items() if k not in failed} == {
        k: e for k, e in first.items() if k not in failed
    }
    assert folder.episodes_file.read_bytes().count(b"\n") == 500 + len(failed)


def test_errors_are_records_of_their_own_kind(server: HostileServer, tmp_path: Path) -> None:
    troubles = ("context overflow", "413", "filtered request", "name is a number", "500", "500",
                "500")  # fmt: skip
    server.then(None, *troubles)
    how = ProviderSettings(thinking_tokens=0)
    folder = play(settings(server, limit=5, provider_settings=how), tmp_path, concurrency=1)
    kinds = [episode.error.kind if episode.error else None for episode in folder.episodes()]
    assert kinds == ["context_overflow", "too_large", "content_filter", "malformed", "server"]


@pytest.mark.parametrize("trouble", STOPPING)
def test_a_refused_account_interrupts_the_run(
    trouble: str, server: HostileServer, tmp_path: Path
) -> None:
    server.then(None, None, None, trouble)  # a probe, and an episode of two turns
    result = invoke("run", "--out", str(tmp_path), "--scenario", "rod", "--limit", "4",
                    "--concurrency", "1", "--provider", spec("chat", server.url))  # fmt: skip
    (folder,) = map(RunFolder, tmp_path.iterdir())
    assert len(server.received) == 4
    assert result.exit_code == 1
    assert "HTTP 4" in result.stderr
    assert f"--resume {folder.path}" in result.stderr
    assert folder.read_manifest().status == "interrupted"
    assert [episode.error for episode in folder.episodes()] == [None]
    play_run(PlannedRun.resumed(folder, AT_ONCE))
    assert [episode.error for episode in folder.episodes()] == [None] * 4


def test_replies_that_the_limit_cut_off_are_wrong_counted_and_named(
    server: HostileServer, tmp_path: Path
) -> None:
    server.then(None, "length", "call cut off")
    result = invoke("run", "--out", str(tmp_path), "--scenario", "rod", "--limit", "2",
                    "--concurrency", "1", "--provider", spec("chat", server.url))  # fmt: skip
    assert result.exit_code == 0, result.output
    shown = " ".join(result.stdout.split())
    assert "cut off" in shown.split("The second line")[0]
    assert "Replies cut off by the token limit: 2 of 2." in shown
    assert "--max-tokens raises the limit" in shown
    (folder,) = map(RunFolder, tmp_path.iterdir())
    assert [group(episode) for episode in folder.episodes()] == [CUT_OFF_REPLY] * 2


def test_a_header_is_recorded_by_the_name_of_its_variable(
    server: HostileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "sk-from-the-environment-0123"
    monkeypatch.setenv("MINE", secret)
    result = invoke("run", "--out", str(tmp_path), "--scenario", "rod", "--limit", "1",
                    "--header", "X-Api-Key=$MINE", "--header", "X-Title=a,b",
                    "--extra-body", '{"top_a": 0.5}',
                    "--provider", spec("chat", server.url))  # fmt: skip
    assert result.exit_code == 0, result.output
    assert {received.headers["x-api-key"] for received in server.received} == {secret}
    (folder,) = map(RunFolder, tmp_path.iterdir())
    how = folder.read_manifest().settings.provider_settings
    assert how.header == ("X-Api-Key=$MINE", "X-Title=a,b")
    assert how.extra_body == '{"top_a": 0.5}'
    for file in folder.path.iterdir():
        assert secret.encode() not in file.read_bytes(), file


def test_a_run_that_two_models_answered_says_so(server: HostileServer, tmp_path: Path) -> None:
    server.then(None, "through a gateway")
    result = invoke("run", "--out", str(tmp_path), "--scenario", "rod", "--limit", "1",
                    "--provider", spec("chat", server.url))  # fmt: skip
    assert result.exit_code == 0, result.output
    shown = " ".join(result.stdout.split())
    assert "The replies came from 2 models: m-2026 (1), m (1)" in shown
    assert "Upstream (1)" in shown


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("SIGINT", "interrupted"),
        ("SIGTERM", "interrupted"),
        ("fault", "failed"),
        ("none", "finished"),
    ],
)
def test_the_manifest_is_true_however_a_run_ends(
    end: str, status: str, server: HostileServer, tmp_path: Path
) -> None:
    # The probe learns nothing, and two turns are an episode.
    server.then("500", "500", "500", "temperature refused", "through a gateway", None)

    class End(SessionObserver):
        def episode_ended(self, run: PreparedRun, episode: EpisodeRecord) -> None:
            if end == "fault":
                raise RuntimeError("a fault of the program")
            if end in ("SIGINT", "SIGTERM"):
                signal.raise_signal(signal.Signals[end])

    run = PlannedRun.new(settings(server, limit=3), tmp_path, AT_ONCE)
    with suppress(KeyboardInterrupt, RuntimeError):
        run_async(play_async(run, 1, observer=End()))
    manifest = run.folder.read_manifest()
    assert manifest.status == status
    assert manifest.provider["left_out"] == ["temperature"]
    assert manifest.provider["thinks"] is True
    assert {one.model for one in manifest.served} == {"m-2026", "m"}
    assert manifest.thinking_room == (8192, 8192)


def interrupted(server: HostileServer, results: Path) -> RunFolder:
    """Plays a run until the API refuses the account."""
    run = PlannedRun.new(settings(server, limit=2), results, AT_ONCE)
    with pytest.raises(StoppedError):
        play_run(run, 1)
    assert run.folder.read_manifest().status == "interrupted"
    return run.folder


def test_a_resumed_run_keeps_the_facts_of_its_first_part(
    server: HostileServer, tmp_path: Path
) -> None:
    server.then(None, "temperature refused", "through a gateway", None, "401")
    folder = interrupted(server, tmp_path)
    play_run(PlannedRun.resumed(folder, AT_ONCE))
    manifest = folder.read_manifest()
    assert (manifest.status, manifest.provider["left_out"]) == ("finished", ["temperature"])
    assert {one.model for one in manifest.served} == {"m-2026", "m"}


def test_a_run_that_was_killed_and_is_interrupted_again_keeps_the_facts_of_its_first_part(
    server: HostileServer, tmp_path: Path
) -> None:
    """A killed process leaves the manifest as it was when the run began."""
    server.then(None, "through a gateway", None, "401")
    folder = interrupted(server, tmp_path)
    facts = {"served": [], "thinking_room": None}
    folder.write_manifest(folder.read_manifest().model_copy(update=facts))
    server.then(None, "401")
    with pytest.raises(StoppedError):
        play_run(PlannedRun.resumed(folder, AT_ONCE), 1)
    manifest = folder.read_manifest()
    assert {one.model for one in manifest.served} == {"m-2026", "m"}
    assert manifest.thinking_room == (8192, 8192)


def test_the_costs_of_an_episode_that_met_an_error_are_complete(
    server: HostileServer, tmp_path: Path
) -> None:
    """A reply that was too long was paid for, and the request that repeats it fails."""
    server.then(None, "chatterbox", "400")
    run = PlannedRun.new(settings(server, limit=1), tmp_path, AT_ONCE)
    budget = Budget(1000.0)
    priced = replace(run, access=replace(AT_ONCE, price=(1.0, 2.0)))
    (episode,) = play_run(priced, 1, budget=budget).folder.episodes()
    assert episode.error
    assert episode.error.kind == "bad_request"
    assert episode.turns == []
    assert episode.usage.output_tokens == 1000
    assert episode.usage.cost_usd
    assert budget.spent > episode.usage.cost_usd, "the probe was paid for as well"


def test_the_costs_of_an_episode_whose_judge_fails_are_complete(
    server: HostileServer, tmp_path: Path
) -> None:
    server.then(None, None, None, "400")  # two probes, a reply, no verdict
    options = settings(server, limit=1, judge=spec("litellm", server.url))
    (episode,) = play(replace(options, protocol="oeg"), tmp_path).episodes()
    assert episode.error
    assert episode.error.source == "judge"
    assert episode.usage.output_tokens


def test_a_run_of_an_older_version_goes_on_without_room(
    server: HostileServer, tmp_path: Path
) -> None:
    server.then(None, None, None, "401")
    folder = interrupted(server, tmp_path)
    manifest = json.loads(folder.manifest_file.read_text())
    del manifest["provider"]["thinks"]
    folder.manifest_file.write_text(json.dumps(manifest))
    begun = len(server.received)
    play_run(PlannedRun.resumed(folder, AT_ONCE))
    limits = {received.body["max_tokens"] for received in server.received[begun + 1 :]}
    assert limits == {512}


@pytest.mark.parametrize("protocol", ["mcqa", "tools"])
@pytest.mark.parametrize(("model", "kind"), [("m", "adaptive"), ("claude-sonnet-4-5", "enabled")])
def test_solved_examples_come_before_the_thinking_of_a_claude(
    model: str, kind: str, protocol: str, server: HostileServer, tmp_path: Path
) -> None:
    server.share, server.troubles = 1.0, ("thinking",)
    options = replace(
        settings(server, limit=1, provider_settings=ProviderSettings(reasoning="low")),
        provider=f"anthropic:{model}@{server.url}", protocol=protocol, condition="icl:1",
    )  # fmt: skip
    (episode,) = play(options, tmp_path).episodes()
    assert episode.error is None
    for received in server.received[1:]:
        assert received.body["thinking"]["type"] == kind
        assert "temperature" not in received.body
        roles = [message["role"] for message in received.body["messages"]]
        assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]


# The probe ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trouble", "message"),
    [
        ("401", "auth: HTTP 401: Incorrect API key provided"),
        ("404", "not_found: HTTP 404: The model does not exist"),
        ("403", "permission: HTTP 403: not for this account"),
        ("quota", "quota: HTTP 429: You exceeded your current quota"),
    ],
)
def test_what_is_wrong_for_all_ends_the_run_before_a_sample_is_spent(
    trouble: str, message: str, server: HostileServer, tmp_path: Path
) -> None:
    server.then(trouble)
    result = invoke(
        "run", "--out", str(tmp_path / "results"), "--provider", spec("chat", server.url)
    )
    assert result.exit_code == 2
    assert result.stderr == f"error: openai:m: {message}\n"
    assert len(server.received) == 1
    assert not (tmp_path / "results").exists()


def test_a_server_that_is_not_there_ends_the_run(tmp_path: Path) -> None:
    with HostileServer().running() as gone:
        url = gone.url
    with pytest.raises(UserError, match="openai:m: connection: "):
        play(Settings(provider=spec("chat", url), scenarios=("rod",)), tmp_path)


def test_one_wrong_key_among_several_models_spends_nothing(
    server: HostileServer, tmp_path: Path
) -> None:
    server.then("401")
    models = [spec("chat", server.url), spec("messages", server.url)]
    result = invoke("run", "--out", str(tmp_path / "results"), "--provider", models[0],
                    "--provider", models[1])  # fmt: skip
    assert result.exit_code == 2
    assert len(server.received) <= 2
    assert not (tmp_path / "results").exists()


def test_what_a_model_does_not_take_is_left_out_and_recorded(
    server: HostileServer, tmp_path: Path
) -> None:
    server.then("temperature refused")
    folder = play(settings(server, limit=1), tmp_path)
    sent = ["temperature" in received.body for received in server.received]
    assert sent[0]
    assert not any(sent[1:])
    assert folder.read_manifest().provider["left_out"] == ["temperature"]


def test_a_request_that_stays_bad_ends_the_run(server: HostileServer, tmp_path: Path) -> None:
    server.then("temperature refused", "temperature refused")
    with pytest.raises(UserError, match="bad_request: HTTP 400: temperature"):
        play(settings(server, limit=1), tmp_path)


def test_bad_weather_at_the_probe_is_no_reason_not_to_begin(
    server: HostileServer, tmp_path: Path
) -> None:
    server.then("500", "500", "500")
    folder = play(settings(server, limit=1), tmp_path)
    assert [episode.error for episode in folder.episodes()] == [None]


def test_a_finished_run_is_not_asked_for_again(server: HostileServer, tmp_path: Path) -> None:
    folder = play(settings(server, limit=1), tmp_path)
    before = len(server.received)
    play_run(PlannedRun.resumed(folder, AT_ONCE))
    assert len(server.received) == before


# Pace --------------------------------------------------------------------------------------------


def test_concurrency_is_what_is_asked_for(server: HostileServer, tmp_path: Path) -> None:
    server.delay = 0.05
    play(settings(server), tmp_path, concurrency=3)
    assert server.most_at_once == 3


def test_models_play_side_by_side(server: HostileServer, tmp_path: Path) -> None:
    with HostileServer().running() as other:
        for each in (server, other):
            each.delay = 0.05
        models = [spec("chat", server.url), spec("messages", other.url), "baseline:oracle"]
        options = [text for model in models for text in ("--provider", model)]
        result = invoke("run", "--out", str(tmp_path), "--scenario", "rod", "--concurrency", "1",
                        *options)  # fmt: skip
        assert result.exit_code == 0, result.output
        played = [[r.at for r in each.received] for each in (server, other)]
    assert played[0][0] < played[1][-1]
    assert played[1][1] < played[0][-1]
    rows = [line for line in result.stdout.splitlines() if "acc %" in line]
    assert len(rows) == 1
    assert len(list(tmp_path.iterdir())) == 3


def test_one_model_given_twice_makes_two_runs(server: HostileServer, tmp_path: Path) -> None:
    model = ("--provider", spec("chat", server.url))
    result = invoke(
        "run", "--out", str(tmp_path), "--scenario", "rod", "--limit", "1", *model, *model
    )
    assert result.exit_code == 0, result.output
    assert len(list(tmp_path.iterdir())) == 2


# Several conditions of one model -----------------------------------------------------------------


def asked(server: HostileServer) -> list[str]:
    """Returns the text of each request that the server received."""
    return [json.dumps(received.body) for received in server.received]


def test_conditions_of_one_model_are_probed_once(server: HostileServer, tmp_path: Path) -> None:
    result = invoke("run", "--out", str(tmp_path), "--scenario", "rod", "--limit", "2",
                    "--condition", "zero-shot,hint,stateless",
                    "--provider", spec("chat", server.url))  # fmt: skip
    assert result.exit_code == 0, result.output
    assert sum(PROBE in text for text in asked(server)) == 1
    folders = [RunFolder(folder) for folder in tmp_path.iterdir()]
    assert sorted(folder.read_manifest().settings.condition for folder in folders) == [
        "hint", "stateless", "zero-shot"
    ]  # fmt: skip
    for folder in folders:
        assert [episode.error for episode in folder.episodes()] == [None, None]


def test_what_the_probe_found_out_holds_for_all_conditions(
    server: HostileServer, tmp_path: Path
) -> None:
    server.then("temperature refused")
    model = spec("chat", server.url)
    result = invoke("run", "--out", str(tmp_path), "--scenario", "rod", "--limit", "1",
                    "--condition", "zero-shot,hint", "--provider", model)  # fmt: skip
    assert result.exit_code == 0, result.output
    manifests = [RunFolder(folder).read_manifest() for folder in tmp_path.iterdir()]
    assert [manifest.provider["left_out"] for manifest in manifests] == [["temperature"]] * 2
    assert ["temperature" in received.body for received in server.received[1:]].count(True) == 0


def test_conditions_of_one_model_keep_one_pace(server: HostileServer, tmp_path: Path) -> None:
    server.delay = 0.02
    result = invoke("run", "--out", str(tmp_path), "--scenario", "rod", "--concurrency", "2",
                    "--condition", "zero-shot,hint,stateless",
                    "--provider", spec("chat", server.url))  # fmt: skip
    assert result.exit_code == 0, result.output
    assert server.most_at_once == 2


def test_a_wrong_key_spends_nothing_of_any_condition(server: HostileServer, tmp_path: Path) -> None:
    server.then("401")
    result = invoke("run", "--out", str(tmp_path / "results"), "--condition", "zero-shot,hint",
                    "--provider", spec("chat", server.url))  # fmt: skip
    assert result.exit_code == 2
    assert len(server.received) == 1
    assert not (tmp_path / "results").exists()
