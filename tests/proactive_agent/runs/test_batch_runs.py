"""Runs whose requests are submitted to a batch API."""

import asyncio
import json
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from proactive_agent import evaluate
from proactive_agent.cli.app import cli
from proactive_agent.metrics import PlayedRun
from proactive_agent.play.budget import Budget, BudgetSpentError
from proactive_agent.providers import ApiAccess, Request, StoppedError
from proactive_agent.providers.api.batch import exchange
from proactive_agent.providers.api.batch.anthropic_batches import AnthropicBatches
from proactive_agent.providers.api.batch.openai_batches import OpenAIBatches
from proactive_agent.providers.api.batch.submissions import open_batches
from proactive_agent.records.manifest import ProviderSettings, Settings
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.runs.plan import planned_runs
from proactive_agent.runs.planned_run import PlannedRun, new_runs
from proactive_agent.runs.session import Session
from proactive_agent.tools import UserError
from tests.proactive_agent.running import play_run
from tests.providers.batch_server import Asked, BatchServer, Fate

ACCESS = ApiAccess(first_wait=0.0, tries=3, timeout=60.0, price=(1000.0, 2000.0), batch_api=True)
BOTH = ("openai", "anthropic")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "FIRST_POLL", 0.0)
    monkeypatch.setattr(exchange, "LONGEST_POLL", 0.0)


@pytest.fixture
def server() -> Iterator[BatchServer]:
    with BatchServer().running() as running:
        yield running


def settings(server: BatchServer, company: str = "openai", **more: Any) -> Settings:
    api = "responses" if company == "responses" else "auto"
    name = company if company in BOTH else "openai"
    fields = {"scenarios": ("rod",), "limit": 4, "provider_settings": ProviderSettings(api=api)}
    return Settings(provider=f"{name}:m@{server.url}", **{**fields, **more})


def play(
    server: BatchServer,
    results: Path,
    company: str = "openai",
    access: ApiAccess = ACCESS,
    budget: Budget | None = None,
    **more: Any,
) -> PlayedRun:
    asked = settings(server, company, **more)
    return play_run(PlannedRun.new(asked, results, access), budget=budget)


def once(fate: str) -> Fate:
    """The second request of the first batch has this fate."""
    return lambda asked: fate if (asked.batch, asked.index) == (0, 1) else "ok"


def found(run: PlayedRun) -> dict[Any, Any]:
    """The records of the episodes by sample, without times and the name of the server."""
    records = {}
    for episode in run.folder.episodes():
        fields = episode.model_dump()
        fields["usage"].pop("seconds")
        fields["usage"].pop("api_seconds", None)
        for turn in fields["turns"]:
            turn["usage"].pop("seconds")
            turn["usage"].pop("api_seconds", None)
        records[episode.key] = fields
    return records


def texts(bodies: list[dict[str, Any]]) -> Counter[str]:
    return Counter(json.dumps(body, sort_keys=True) for body in bodies)


@pytest.mark.parametrize("company", ["openai", "responses", "anthropic"])
def test_bodies_and_records_are_those_of_the_ordinary_api(
    company: str, server: BatchServer, tmp_path: Path
) -> None:
    in_waves = play(server, tmp_path, company)
    assert len(server.ordinary) == 1  # the probe
    sent = [one.body for batch in server.batches for one in batch.items]
    server.ordinary.clear()
    ordinary = play(server, tmp_path, company, replace(ACCESS, batch_api=False))
    assert texts(sent) == texts(server.ordinary[1:])
    assert found(in_waves) == found(ordinary)
    assert [len(batch.items) for batch in server.batches] == [4, 4]  # a wave per turn
    assert in_waves.manifest.provider["batch_api"] is True
    assert "batch_api" not in ordinary.manifest.provider


@pytest.mark.parametrize("company", BOTH)
@pytest.mark.parametrize("fate", ["expired", "broken", "missing", "torn", "unknown"])
def test_a_request_without_a_reply_is_asked_again_in_the_next_wave(
    fate: str, company: str, server: BatchServer, tmp_path: Path
) -> None:
    server.fate = once(fate)
    run = play(server, tmp_path, company)
    assert run.summary.errors == 0
    assert sorted(server.submitted.values()) == [1] * 7 + [2]
    assert [len(batch.items) for batch in server.batches] == [4, 4, 1]
    assert open_batches(run.folder.batches) == []


@pytest.mark.parametrize("company", BOTH)
def test_a_result_that_is_sent_twice_counts_once(
    company: str, server: BatchServer, tmp_path: Path
) -> None:
    server.fate = once("twice")
    run = play(server, tmp_path, company)
    assert run.summary.errors == 0
    assert set(server.submitted.values()) == {1}
    assert "1 results that are unreadable, repeated or not asked for" in log_of(run.folder)


@pytest.mark.parametrize("company", BOTH)
def test_a_request_that_expires_each_time_becomes_an_error(
    company: str, server: BatchServer, tmp_path: Path
) -> None:
    first: list[str] = []

    def always(asked: Asked) -> str:
        if (asked.batch, asked.index) == (0, 1) and not first:
            first.append(asked.custom_id)
        return "expired" if asked.custom_id in first else "ok"

    server.fate = always
    run = play(server, tmp_path, company)
    assert [(one.kind, one.episodes) for one in run.summary.error_kinds] == [("expired", 1)]
    assert "asked in 3 batches" in run.summary.error_kinds[0].example
    assert server.submitted[first[0]] == 3


@pytest.mark.parametrize("company", BOTH)
def test_a_request_that_is_refused_becomes_an_error_at_once(
    company: str, server: BatchServer, tmp_path: Path
) -> None:
    server.fate = once("refused")
    run = play(server, tmp_path, company)
    assert [one.kind for one in run.summary.error_kinds] == ["bad_request"]
    assert set(server.submitted.values()) == {1}


@pytest.mark.parametrize("company", BOTH)
def test_a_cancelled_batch_stops_the_run_and_nothing_more_is_submitted(
    company: str, server: BatchServer, tmp_path: Path
) -> None:
    server.fate = once("canceled")
    asked = PlannedRun.new(settings(server, company), tmp_path, ACCESS)
    with pytest.raises(StoppedError, match="cancel"):
        play_run(asked)
    assert len(server.batches) == 1
    server.fate = lambda asked: "ok"
    run = play_run(PlannedRun.resumed(asked.folder, ACCESS, trusting()))
    assert run.summary.errors == 0
    assert sorted(server.submitted.values()) == [1] * 7 + [2]


def test_a_batch_that_fails_in_validation_ends_the_run_with_the_reason(
    server: BatchServer, tmp_path: Path
) -> None:
    server.refusals = ["invalid_json_line"]
    with pytest.raises(UserError, match="batch_0 failed: invalid_json_line: told"):
        play(server, tmp_path)
    server.refusals = ["billing_hard_limit_reached"]
    with pytest.raises(StoppedError, match="quota: batch batch_1 failed"):
        play(server, tmp_path)


def test_a_batch_with_too_many_tokens_is_submitted_in_halves(
    server: BatchServer, tmp_path: Path
) -> None:
    server.refusals = ["token_limit_exceeded", "", "token_limit_exceeded"]
    run = play(server, tmp_path)
    assert run.summary.errors == 0
    assert [len(batch.items) for batch in server.batches] == [4, 2, 2, 1, 1, 4]
    assert server.billed == 8


@pytest.mark.parametrize("company", BOTH)
def test_a_batch_whose_confirmation_is_lost_is_not_submitted_twice(
    company: str, server: BatchServer, tmp_path: Path
) -> None:
    server.troubles = [0]
    assert play(server, tmp_path, company).summary.errors == 0
    assert set(server.submitted.values()) == {1}
    assert len(server.batches) == 2


@pytest.mark.parametrize("company", BOTH)
def test_a_submission_that_failed_is_repeated(
    company: str, server: BatchServer, tmp_path: Path
) -> None:
    server.troubles = [429, 500]
    assert play(server, tmp_path, company).summary.errors == 0
    assert set(server.submitted.values()) == {1}


def test_a_batch_that_is_too_large_for_the_api_is_split(
    server: BatchServer, tmp_path: Path
) -> None:
    server.most_items = 1
    assert play(server, tmp_path, "anthropic").summary.errors == 0
    assert [len(batch.items) for batch in server.batches] == [1] * 8


@pytest.mark.parametrize("company", BOTH)
def test_batches_are_split_at_the_limits_of_the_api(
    company: str, server: BatchServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = OpenAIBatches if company == "openai" else AnthropicBatches
    monkeypatch.setattr(kind, "most_requests", 3)
    assert play(server, tmp_path, company).summary.errors == 0
    assert [len(batch.items) for batch in server.batches] == [3, 1, 3, 1]
    monkeypatch.setattr(kind, "most_bytes", 1)
    server.batches.clear()
    assert play(server, tmp_path, company).summary.errors == 0
    assert [len(batch.items) for batch in server.batches] == [1] * 8


@pytest.mark.parametrize("company", BOTH)
def test_results_that_are_cut_off_are_read_again(
    company: str, server: BatchServer, tmp_path: Path
) -> None:
    server.cuts = [700]
    assert play(server, tmp_path, company).summary.errors == 0
    assert set(server.submitted.values()) == {1}


def test_a_budget_stops_a_wave_before_it_is_submitted(server: BatchServer, tmp_path: Path) -> None:
    asked = PlannedRun.new(settings(server), tmp_path, ACCESS)
    budget = Budget(12.0)
    with pytest.raises(BudgetSpentError, match="too small for requests of about"):
        play_run(asked, budget=budget)
    recorded = sum(one.usage.cost_usd or 0.0 for one in asked.folder.episodes())
    probe = 30 / 1e6 * 1000
    assert budget.spent <= 12.0
    assert 0 < server.billed < 8
    assert recorded + probe <= budget.spent + 1e-9
    run = play_run(PlannedRun.resumed(asked.folder, ACCESS, trusting()), budget=Budget(100.0))
    assert run.summary.errors == 0
    assert set(server.submitted.values()) == {1}
    assert server.billed == 8


def test_a_server_without_batches_is_named_before_anything_is_asked(
    server: BatchServer, tmp_path: Path
) -> None:
    server.has_batches = False
    with pytest.raises(UserError, match=r"batch API cannot be used .*leave --batch-api out"):
        play(server, tmp_path)
    assert server.ordinary == []


def test_open_batches_are_read_with_the_batch_api_only(server: BatchServer, tmp_path: Path) -> None:
    server.fate = once("canceled")
    asked = PlannedRun.new(settings(server), tmp_path, ACCESS)
    with pytest.raises(StoppedError):
        play_run(asked)
    file = asked.folder.path / "batches" / "batches.jsonl"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[:2]) + '{"event": "clo')  # as after a kill
    with pytest.raises(UserError, match=r"4 requests are submitted.*--batch-api"):
        play_run(PlannedRun.resumed(asked.folder, replace(ACCESS, batch_api=False), trusting()))
    server.fate = lambda asked: "ok"
    run = play_run(PlannedRun.resumed(asked.folder, ACCESS, trusting()))
    assert run.summary.errors == 0
    assert set(server.submitted.values()) == {1}


@pytest.mark.parametrize("company", BOTH)
def test_a_batch_is_found_again_if_its_id_was_never_written(
    company: str, server: BatchServer, tmp_path: Path
) -> None:
    asked = PlannedRun.new(settings(server, company), tmp_path, ACCESS)
    server.fate = once("canceled")
    with pytest.raises(StoppedError):
        play_run(asked)
    file = asked.folder.batches / "batches.jsonl"
    file.write_text(file.read_text().splitlines(keepends=True)[0])  # as after a kill
    server.fate = lambda asked: "ok"
    run = play_run(PlannedRun.resumed(asked.folder, ACCESS, trusting()))
    assert run.summary.errors == 0
    assert set(server.submitted.values()) == {1}


def test_a_batch_that_the_api_has_deleted_stops_the_run_with_advice(
    server: BatchServer, tmp_path: Path
) -> None:
    asked = PlannedRun.new(settings(server), tmp_path, ACCESS)
    server.fate = once("canceled")
    with pytest.raises(StoppedError):
        play_run(asked)
    file = asked.folder.batches / "batches.jsonl"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:2]))
    server.batches[0].id = "another"
    with pytest.raises(StoppedError, match=r"not_found|cannot read batch batch_0.*delete .*jsonl"):
        play_run(PlannedRun.resumed(asked.folder, ACCESS, trusting()))
    assert len(server.batches) == 1


def test_a_field_that_the_model_rejects_is_left_out_of_the_next_wave(
    server: BatchServer, tmp_path: Path
) -> None:
    server.fate = lambda asked: (
        "refused parallel_tool_calls" if "parallel_tool_calls" in asked.body else "ok"
    )
    run = play(server, tmp_path)
    assert run.summary.errors == 0
    assert [len(batch.items) for batch in server.batches] == [4, 4, 4]
    assert server.billed == 8


def test_conditions_of_a_model_wait_for_their_batches_side_by_side(
    server: BatchServer, tmp_path: Path
) -> None:
    server.fate = lambda asked: "reply none"
    conditions = ("zero-shot", "hint", "reference")
    asked = [settings(server, protocol="mcqa", condition=one) for one in conditions]
    runs = new_runs(asked, tmp_path, ACCESS)

    async def play_all() -> list[PlayedRun]:
        async with Session() as session:
            return await session.play(runs)

    server.polls = 10**9
    with ThreadPoolExecutor(1) as pool:
        played = pool.submit(asyncio.run, play_all())
        while len(server.batches) < 3 and not played.done():
            time.sleep(0.01)
        server.polls = 0
        assert [run.summary.errors for run in played.result()] == [0, 0, 0]
    assert [len(batch.items) for batch in server.batches] == [4, 4, 4]
    assert set(server.submitted.values()) == {1}


def test_a_key_that_the_batch_api_repeats_is_written_nowhere(
    server: BatchServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "sk-planted-4f8a1c9e7b2d6035"
    monkeypatch.setenv("PROACTIVE_AGENT_API_KEY", key)
    server.refusals = [f"code {key}"]
    with pytest.raises(UserError, match="batch_0 failed") as refused:
        play(server, tmp_path)
    assert key not in str(refused.value)
    server.name = key
    with pytest.raises(StoppedError) as stopped:
        play(server, tmp_path)
    assert key not in str(stopped.value)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) >= 6
    assert [file for file in files if key.encode() in file.read_bytes()] == []


def test_a_foreign_journal_cannot_choose_addresses(server: BatchServer, tmp_path: Path) -> None:
    folder = tmp_path / "batches"
    folder.mkdir()
    events = [
        {"event": "intended", "token": "a", "place": "openai x", "requests": 1, "at": 0},
        {"event": "submitted", "token": "a", "batch": "../files/secret"},
    ]
    (folder / "batches.jsonl").write_text("".join(json.dumps(one) + "\n" for one in events))
    with pytest.raises(UserError, match=r"line 2: .*malformed"):
        open_batches(folder)


@pytest.mark.parametrize(
    ("reply", "readable"),
    [
        ("[1]", True),
        ("{}", True),
        ("[" * 100_000, False),
        ("no JSON", False),
        (bytes([255]), False),
    ],
)
def test_a_foreign_store_cannot_break_a_run(
    reply: str | bytes, readable: bool, server: BatchServer, tmp_path: Path
) -> None:
    asked = PlannedRun.new(settings(server, limit=1), tmp_path, ACCESS)
    server.fate = lambda one: "canceled" if one.batch == 1 else "ok"
    with pytest.raises(StoppedError):
        play_run(asked)
    with sqlite3.connect(asked.folder.batches / "replies.sqlite") as store:
        assert store.execute("UPDATE replies SET reply = ?", (reply,)).rowcount == 1
    store.close()
    server.fate = lambda one: "ok"
    again = PlannedRun.resumed(asked.folder, ACCESS, trusting())
    if readable:
        assert play_run(again).summary.errors == 0
    else:
        with pytest.raises(UserError, match="cannot read the reply cache"):
            play_run(again)


def test_open_ended_answers_and_their_judge_take_a_wave_each(
    server: BatchServer, tmp_path: Path
) -> None:
    def fate(asked: Asked) -> str:
        judged = "image_url" not in json.dumps(asked.body)
        return "reply [false, false]" if judged else "reply Please move the blocks."

    server.fate = fate
    judge = f"openai:j@{server.url}"
    run = play(server, tmp_path, protocol="oeg", judge=judge)
    assert run.summary.errors == 0
    assert [len(batch.items) for batch in server.batches] == [4, 4]
    assert len(server.ordinary) == 2  # the probes
    assert run.manifest.judge is not None
    assert run.manifest.judge["batch_api"] is True


def test_replies_are_judged_again_in_one_wave(server: BatchServer, tmp_path: Path) -> None:
    server.fate = lambda asked: "reply Please move the blocks."
    run = play(server, tmp_path, protocol="oeg")
    server.batches.clear()
    server.fate = lambda asked: "reply [false, false]"
    judge = ["--judge", f"openai:j@{server.url}", "--price", "1,2"]
    path = str(run.folder.path)
    refused = CliRunner().invoke(cli, ["judge", path, "--judge", "rules", "--batch-api"])
    assert refused.exit_code == 2
    assert "--batch-api needs a model of the provider openai or anthropic" in refused.stderr
    result = CliRunner().invoke(cli, ["judge", path, *judge, "--batch-api"])
    assert result.exit_code == 0, result.stderr
    assert "wave 1: 4 requests in 1 batch" in result.stderr
    assert [len(batch.items) for batch in server.batches] == [4]


@pytest.mark.parametrize("limit", ["--concurrency", "--rpm", "--tpm"])
@pytest.mark.parametrize("command", ["run", "judge"])
def test_a_limit_that_batches_ignore_is_refused(
    command: str, limit: str, server: BatchServer, tmp_path: Path
) -> None:
    model = f"openai:m@{server.url}"
    options = ["--provider", model, "--out", str(tmp_path)]
    if command == "judge":
        server.fate = lambda asked: "reply Please move the blocks."
        options = [str(play(server, tmp_path, protocol="oeg").folder.path), "--judge", model]
        server.batches.clear()
    given = [command, *options, "--price", "1,2", "--batch-api", limit, "1"]
    result = CliRunner().invoke(cli, given)
    assert result.exit_code == 2
    assert result.stderr == (
        f"error: {limit} has no effect on a batch API, to which all requests of a turn are "
        "submitted together; leave it out\n"
    )
    assert server.batches == []


def test_a_resumed_run_refuses_the_same_limits(server: BatchServer, tmp_path: Path) -> None:
    path = str(play(server, tmp_path).folder.path)
    result = CliRunner().invoke(cli, ["run", "--resume", path, "--batch-api", "--concurrency", "1"])
    assert result.exit_code == 2
    assert "--concurrency has no effect on a batch API" in result.stderr


def test_a_plan_refuses_the_same_limits(server: BatchServer, tmp_path: Path) -> None:
    model = f"openai:m@{server.url}"
    plan = tmp_path / "study.yaml"
    entry = {"provider": model, "name": "m", "batch_api": True, "rpm": 3}
    plan.write_text(json.dumps({"models": [entry], "scenarios": ["rod"]}))
    with pytest.raises(UserError, match=r"study\.yaml: .*: rpm has no effect on a batch API"):
        planned_runs(plan, None, ApiAccess())


def test_a_call_refuses_the_same_limits(server: BatchServer, tmp_path: Path) -> None:
    model = f"openai:m@{server.url}"
    call = {"scenarios": "rod", "out": tmp_path / "run", "batch_api": True}
    with pytest.raises(UserError, match=r"^concurrency has no effect on a batch API"):
        evaluate(model, concurrency=2, **call)
    assert server.ordinary == []


def test_concurrency_of_the_own_defaults_does_not_split_waves(
    server: BatchServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "proactive-agent.toml").write_text("[run]\nconcurrency = 1\nrpm = 100000\n")
    model = ["--provider", f"openai:m@{server.url}", "--scenario", "rod", "--limit", "3"]
    result = CliRunner().invoke(cli, ["run", *model, "--batch-api", "--price", "1,2"])
    assert result.exit_code == 0, result.stderr
    assert [len(batch.items) for batch in server.batches] == [3, 3]


def test_concurrency_limits_a_model_whose_judge_has_batches(
    server: BatchServer, tmp_path: Path
) -> None:
    asked: list[int] = []

    async def model(request: Request) -> str:
        asked.append(1)
        at_once.append(len(asked))
        await asyncio.sleep(0.01)
        asked.pop()
        return "Please move the blocks."

    at_once: list[int] = []
    server.fate = lambda one: "reply [false, false]"
    evaluate(
        model, scenarios="rod", limit=4, protocol="oeg", judge=f"openai:j@{server.url}",
        out=tmp_path / "run", batch_api=True, concurrency=2,
    )  # fmt: skip
    assert max(at_once) == 2
    assert [len(batch.items) for batch in server.batches] == [4]


@pytest.mark.parametrize(
    "model",
    [
        "local:tiny",
        "baseline:random",
        "human",
        "agent:true",
        "litellm:hosted_vllm/m@http://127.0.0.1:9",
    ],
)
def test_models_without_a_batch_api_refuse_the_option(model: str, tmp_path: Path) -> None:
    given = ["run", "--provider", model, "--batch-api", "--out", str(tmp_path)]
    result = CliRunner().invoke(cli, given)
    assert result.exit_code == 2
    assert "--batch-api needs a model of the provider openai or anthropic" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_model_of_litellm_beside_others_refuses_the_option(tmp_path: Path) -> None:
    model = "litellm:hosted_vllm/m@http://127.0.0.1:9"
    asked = Settings(provider=model, scenarios=("rod",))
    with pytest.raises(UserError, match="litellm:hosted_vllm/m: --batch-api works with"):
        play_run(PlannedRun.new(asked, tmp_path, ACCESS))


def trusting() -> Any:
    from proactive_agent.runs.trust import Trust

    return Trust(hosts=frozenset({"127.0.0.1"}))


def log_of(folder: RunFolder) -> str:
    return (folder.path / "log.txt").read_text()
