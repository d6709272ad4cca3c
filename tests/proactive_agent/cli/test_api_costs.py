"""Costs of API models: budgets, estimates and the reply cache."""

import re
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result

pytest.importorskip("openai", reason="needs the extra `api`")
pytest.importorskip("anthropic", reason="needs the extra `api`")
pytest.importorskip("litellm", reason="needs the extra `api`")


from proactive_agent.play.budget import Budget, BudgetSpentError
from proactive_agent.providers import ApiAccess
from proactive_agent.providers.api import prices
from proactive_agent.records.manifest import ProviderSettings
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.runs.planned_run import PlannedRun
from proactive_agent.tools import UserError
from proactive_agent.tools.install import install_command
from tests.proactive_agent.api_playing import invoke, many_samples, play, settings
from tests.proactive_agent.running import play_run, prepare_resume, prepare_run
from tests.providers.api_asking import PROTOCOLS, server, spec
from tests.providers.hostile_server import HostileServer

__all__ = ["server"]

pytestmark = pytest.mark.api

# Money -------------------------------------------------------------------------------------------

PRICED = ApiAccess(price=(100.0, 0.0))
"""Price at which a reply with 1000 input tokens costs 10 cents."""


def test_no_request_is_sent_once_the_budget_is_spent(server: HostileServer, tmp_path: Path) -> None:
    planned = PlannedRun.new(settings(server), tmp_path, PRICED)
    budget = Budget(0.45)
    with pytest.raises(BudgetSpentError, match=r"\$0\.\d+ of the budget of \$0\.45 are spent"):
        play_run(planned, 2, budget=budget)
    assert 3 <= len(server.received) <= 6, "each of the two in flight may send one more at most"
    folder = planned.folder
    assert folder.read_manifest().status == "interrupted"
    assert [episode.error for episode in folder.episodes() if episode.error] == []
    resumed = prepare_resume(folder, PRICED)
    play_run(resumed, budget=Budget(1000.0))
    assert Counter(e.key for e in folder.episodes()).total() == resumed.total


def test_episodes_that_would_not_be_finished_are_not_begun(
    server: HostileServer, tmp_path: Path
) -> None:
    data = many_samples(tmp_path / "data", 10)
    planned = PlannedRun.new(settings(server, data=str(data)), tmp_path, PRICED)
    # Enough for the probe and two episodes of two turns each, but not for a third episode.
    with pytest.raises(BudgetSpentError):
        play_run(planned, 1, budget=Budget(0.61))
    assert len(server.received) == 5
    assert len(list(planned.folder.episodes())) == 2


def test_a_budget_without_a_price_is_wrong_input(server: HostileServer, tmp_path: Path) -> None:
    result = invoke("run", "--out", str(tmp_path / "results"), "--budget-usd", "1",
                    "--provider", spec("chat", server.url))  # fmt: skip
    assert result.exit_code == 2
    assert "--price IN,OUT" in result.stderr
    assert not (tmp_path / "results").exists()


def test_a_spent_budget_says_how_to_go_on(server: HostileServer, tmp_path: Path) -> None:
    result = invoke("run", "--out", str(tmp_path), "--budget-usd", "0.35", "--price", "100,0",
                    "--concurrency", "1", "--provider", spec("chat", server.url))  # fmt: skip
    assert result.exit_code == 1
    assert "cost $0.2000" in " ".join(result.stdout.split())
    (folder,) = tmp_path.iterdir()
    kept = "--concurrency 1 --price 100,0 --budget-usd 0.35\n"
    assert f"continue with: --resume {folder} {kept}" in result.stderr
    again = invoke("run", "--resume", str(folder), "--budget-usd", "1000", "--price", "100,0")
    assert again.exit_code == 0, again.output


def test_a_budget_is_for_all_conditions_together(server: HostileServer, tmp_path: Path) -> None:
    result = invoke("run", "--out", str(tmp_path), "--budget-usd", "0.75", "--price", "100,0",
                    "--concurrency", "1", "--scenario", "rod", "--limit", "2",
                    "--condition", "zero-shot,hint,stateless",
                    "--provider", spec("chat", server.url))  # fmt: skip
    assert result.exit_code == 1
    # The probe and three episodes of two turns each, of which the second condition plays one.
    assert len(server.received) == 7
    played = {}
    for folder in map(RunFolder, tmp_path.iterdir()):
        played[folder.read_manifest().settings.condition] = len(list(folder.episodes()))
        if folder.read_manifest().status == "interrupted":
            assert f"are spent; continue with: --resume {folder.path}" in result.stderr
    assert played == {"zero-shot": 2, "hint": 1}
    assert "not started: openai:m@" in result.stderr
    assert "stateless" in result.stderr


def test_a_dry_run_estimates_tokens_and_cost(server: HostileServer, tmp_path: Path) -> None:
    result = invoke("run", "--dry-run", "--price", "1000000,0", "--scenario", "rod", "--limit", "1",
                    "--provider", spec("chat", server.url))  # fmt: skip
    assert result.exit_code == 0, result.output
    words = result.stdout.split("tokens and cost", 1)[1].replace(",", "").split()
    fewest = next(int(word) for word in words if word.isdigit())
    assert f"${fewest}.00 to $" in " ".join(words)
    assert server.received == []


def test_a_dry_run_of_a_resumed_run_prices_what_is_left(
    server: HostileServer, tmp_path: Path
) -> None:
    new = ("--scenario", "rod", "--limit", "2", "--provider", spec("chat", server.url))
    ended = invoke("run", *new, "--out", str(tmp_path), "--budget-usd", "0.35", "--concurrency",
                   "1", "--price", "100,0")  # fmt: skip
    assert ended.exit_code == 1, ended.output
    (folder,) = tmp_path.iterdir()
    whole, rest = (
        fewest_dollars(invoke("run", *which, "--dry-run", "--price", "1000000,0"))
        for which in (new, ("--resume", str(folder)))
    )
    assert 0.4 * whole < rest < 0.6 * whole


def test_a_dry_run_says_where_a_price_is_unknown() -> None:
    result = invoke("run", "--dry-run", "--provider", "openai:nobody-knows-it", "--limit", "1")
    assert "cost unknown: the model is in no price list" in result.stdout
    assert "$" not in result.stdout


def test_a_dry_run_says_how_to_get_a_missing_price_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prices, "_price_list", dict)
    result = invoke("run", "--dry-run", "--provider", "openai:gpt-4.1", "--limit", "1")
    assert f"the price list is missing ({install_command('api')})" in result.stdout


def test_a_dry_run_prices_a_model_that_is_given_twice_twice() -> None:
    one = ("run", "--dry-run", "--price", "1000000,0", "--scenario", "rod", "--limit", "1",
           "--provider", "openai:x")  # fmt: skip
    single, double = (fewest_dollars(invoke(*one, *more)) for more in ((), one[-2:]))
    assert double == 2 * single
    assert "openai:x, 2 runs: " in invoke(*one, *one[-2:]).stdout


def fewest_dollars(result: Result) -> float:
    return float(result.stdout.split("  $")[1].split()[0].replace(",", ""))


# The reply cache ---------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_repeated_run_asks_nothing_but_the_same(
    protocol: str, server: HostileServer, tmp_path: Path
) -> None:
    access = ApiAccess(price=(2.0, 10.0), cache=str(tmp_path / "cache"))
    first = play(settings(server, protocol, limit=2), tmp_path / "a", access, concurrency=1)
    asked = len(server.received)
    second = play(settings(server, protocol, limit=2), tmp_path / "b", access, concurrency=1)
    assert len(server.received) == asked
    for before, after in zip(first.episodes(), second.episodes(), strict=True):
        assert before.usage.cache_hits == 0
        assert after.usage.cache_hits == len(after.turns)
        assert (after.usage.cost_usd, after.usage.seconds) == (0.0, 0.0)
        assert after.usage.input_tokens == before.usage.input_tokens
        assert [t.reply for t in after.turns] == [t.reply for t in before.turns]


def test_another_setting_is_another_request(server: HostileServer, tmp_path: Path) -> None:
    access = ApiAccess(cache=str(tmp_path / "cache"))
    play(settings(server, limit=1), tmp_path / "a", access)
    counts = []
    for more in (
        {"max_tokens": 100},
        {"temperature": 0.5},
        {"image_quality": 50},
        {"header": ("X-Title=study",)},
        {"extra_body": '{"top_a": 0.5}'},
        {"top_p": 0.9},
        {"top_k": 5},
        {"api_seed": 7},
        {"image_detail": "low"},
        {"thinking_tokens": 7},
    ):
        before = len(server.received)
        own = ProviderSettings(**more)
        play(settings(server, limit=1, provider_settings=own), tmp_path / "b", access)
        counts.append(len(server.received) - before)
    assert all(counts)


def test_another_seed_is_another_draw(server: HostileServer, tmp_path: Path) -> None:
    access = ApiAccess(cache=str(tmp_path / "cache"))
    warm = ProviderSettings(temperature=0.5)
    counts = []
    for seed in (1, 1, 2):
        before = len(server.received)
        how = settings(server, "messages", limit=1, seed=seed, provider_settings=warm)
        play(how, tmp_path / "a", access)
        counts.append(len(server.received) - before)
    assert counts[1] == 0
    assert counts[2] > 0


@pytest.mark.parametrize("temperature", [0.0, 0.5])
def test_a_repetition_is_not_answered_by_the_first_ones_reply(
    temperature: float, server: HostileServer, tmp_path: Path
) -> None:
    access = ApiAccess(cache=str(tmp_path / "cache"))
    how = ProviderSettings(temperature=temperature)
    options = settings(server, limit=1, repeats=2, provider_settings=how)
    first = play(options, tmp_path / "a", access, concurrency=1)
    assert [episode.usage.cache_hits for episode in first.episodes()] == [0, 0]
    asked = len(server.received)
    again = play(options, tmp_path / "b", access, concurrency=1)
    assert len(server.received) == asked
    assert all(episode.usage.cache_hits for episode in again.episodes())


@pytest.mark.parametrize(
    "trouble", ["filtered reply", "failed upstream", "tokens are 2**70", "length", "call cut off"]
)
def test_errors_and_cut_off_replies_are_not_kept(
    trouble: str, server: HostileServer, tmp_path: Path
) -> None:
    access = ApiAccess(cache=str(tmp_path / "cache"), first_wait=0.0, tries=1)
    server.then(None, trouble)
    play(settings(server, limit=1), tmp_path / "a", access)
    asked = len(server.received)
    again = play(settings(server, limit=1), tmp_path / "b", access)
    assert len(server.received) > asked
    (episode,) = again.episodes()
    assert episode.error is None
    assert episode.turns[0].reply.finish_reason == "tool_calls"


def test_a_kept_reply_that_cannot_be_used_is_asked_for_again(
    server: HostileServer, tmp_path: Path
) -> None:
    access = ApiAccess(cache=str(tmp_path / "cache"))
    play(settings(server, limit=1), tmp_path / "a", access)
    asked = len(server.received)
    with closing(sqlite3.connect(tmp_path / "cache" / "replies.sqlite")) as cache, cache:
        # As older versions kept it.
        cache.execute("UPDATE replies SET reply = replace(reply, '\"tool_calls\"', '\"error\"')")
    for hits in (0, 2):
        again = play(settings(server, limit=1), tmp_path / f"b{hits}", access)
        assert [e.usage.cache_hits for e in again.episodes()] == [hits]
    assert len(server.received) == 2 * asked - 1, "the probe was kept"


def test_a_broken_cache_is_named(server: HostileServer, tmp_path: Path) -> None:
    (tmp_path / "replies.sqlite").write_text("no database, but long enough to be read as one")
    with pytest.raises(UserError, match=r"replies\.sqlite: file is not a database"):
        prepare_run(settings(server), tmp_path / "r", ApiAccess(cache=str(tmp_path)))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_dry_run_shows_what_would_be_sent_where(
    protocol: str, server: HostileServer, tmp_path: Path
) -> None:
    cache = tmp_path / "cache.sqlite"
    result = invoke("run", "--dry-run", "--scenario", "rod", "--limit", "1", "--max-tokens", "77",
                    "--cache", str(cache), "--provider", spec(protocol, server.url))  # fmt: skip
    assert result.exit_code == 0, result.output
    assert f"to {server.url.removesuffix('/v1')}" in result.stdout
    assert f": {77 + 8192}" in result.stdout
    assert "replies show whether the model thinks" in result.stdout
    assert "base64" not in result.stdout
    assert server.received == []
    assert not cache.exists()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_dry_run_shows_the_published_settings(protocol: str, server: HostileServer) -> None:
    model = spec(protocol, server.url)
    result = invoke("run", "--dry-run", "--scenario", "rod", "--limit", "1", "--provider", model,
                    "--protocol", "mcqa", "--generation", "published")  # fmt: skip
    assert result.exit_code == 0, result.output
    sent = result.stdout.partition("sent where")[2]
    assert re.search(r"tokens\W+50\b", sent), sent
    assert "temperature" not in sent


@pytest.mark.parametrize(
    ("model", "options", "thinking"),
    [
        ("openai:gpt-5", (), "1,024 to 8,192 tokens per reply"),
        ("openai:gpt-5", ("--reasoning", "low"), "1,024 to 4,096 tokens per reply"),
        ("openai:gpt-5", ("--thinking-tokens", "100"), "100 to 100 tokens per reply"),
        ("openai:gpt-4.1", (), None),
    ],
)
def test_a_dry_run_estimates_thinking(
    model: str, options: tuple[str, ...], thinking: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-never-sent-anywhere")
    result = invoke("run", "--dry-run", "--scenario", "rod", "--limit", "1", "--provider", model,
                    *options)  # fmt: skip
    assert result.exit_code == 0, result.output
    if thinking:
        assert f"thinking included: {thinking}" in result.stdout
    else:
        assert "thinking" not in result.stdout


def test_a_dry_run_names_a_missing_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    result = invoke("run", "--dry-run", "--provider", "openai:gpt-4.1", "--limit", "1")
    assert result.exit_code == 0, result.output
    assert "openai:gpt-4.1 needs a key: set OPENAI_API_KEY" in result.stdout
    local = invoke("run", "--dry-run", "--provider", "baseline:random", "--limit", "1")
    assert "baseline:random: nothing is sent; the model runs on this machine" in local.stdout
