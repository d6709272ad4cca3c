"""A model that plays the simulated user."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from proactive_agent.cli.app import cli
from proactive_agent.play.budget import Budget
from proactive_agent.play.conditions import parse_condition
from proactive_agent.play.episode import Play, play_episode
from proactive_agent.play.model_user import SYSTEM, ModelUser
from proactive_agent.play.protocols import ToolUse
from proactive_agent.providers import ProviderError, Reply, Usage
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.scenarios import DataFolder
from proactive_agent.tools.texts import ASKED_BACK
from tests.proactive_agent.scripted import Say, Scripted, call, sample_of, texts, write_lines

ASK = call("ask_clarification", question="Shove that thing over.")
RIGHT = call("answer", category=sample_of("rod").answer.removesuffix("."))


def played(
    model: Scripted, user: Scripted, condition: str = "zero-shot", budget: Budget | None = None
) -> EpisodeRecord:
    conditions = parse_condition(condition, "tools")
    setup = Play(
        DataFolder(), model, ToolUse(), conditions, user=ModelUser("x:user", user), budget=budget
    )
    return asyncio.run(play_episode(setup, "rod", sample_of("rod")))


def test_the_user_is_told_the_request_and_what_is_possible_here_and_its_choice_is_done() -> None:
    user = Scripted("move_object(right)")
    episode = played(Scripted(ASK, RIGHT), user)
    (request,) = user.requests
    (text,) = texts(request)
    assert request.system == SYSTEM
    assert "Shove that thing over." in text
    listed = [line.split(":")[0] for line in text.splitlines() if line.startswith("- ")]
    assert sorted(listed) == ["- move_object(left)", "- move_object(right)"]
    turn = episode.turns[0]
    assert (turn.action.tool, turn.action.argument) == ("move_object", "right")
    assert turn.action.question == "Shove that thing over."
    assert turn.user is not None
    assert (turn.user.user, turn.user.choice) == ("x:user, user v1", "move_object(right)")
    assert episode.outcome.correct


def test_a_vague_reading_lets_the_user_ask_back() -> None:
    model = Scripted(ASK, RIGHT)
    episode = played(model, Scripted("<think>Hm.</think>\nvague"))
    assert episode.turns[0].action.kind == "vague"
    assert texts(model.requests[1])[-1] == ASKED_BACK


def test_none_is_a_wrong_suggestion() -> None:
    episode = played(Scripted(ASK), Scripted("none"))
    assert (episode.outcome.stop, episode.turns[0].verdict.suggestion) == ("invalid", "wrong")


@pytest.mark.parametrize(
    "said",
    [
        "", "I would move it left.", "move_object(left), move_object(right)", "move_object",
        "add_details", "vague or none", Reply("none", finish_reason="length"),
    ],
)  # fmt: skip
def test_any_other_reply_is_an_error_and_no_answer(said: Say) -> None:
    episode = played(Scripted(ASK), Scripted(said))
    assert episode.error is not None
    assert (episode.error.source, episode.error.kind) == ("user", "unreadable")
    assert (episode.outcome.stop, episode.outcome.correct) == ("error", False)


def test_a_failed_request_is_an_error_of_its_kind() -> None:
    episode = played(Scripted(ASK), Scripted(ProviderError("timeout", "too slow")))
    assert episode.error is not None
    assert (episode.error.source, episode.error.kind) == ("user", "timeout")


def test_calls_that_need_no_reading_do_not_ask_the_user() -> None:
    user = Scripted()
    episode = played(Scripted(call("move_object", direction="left"), RIGHT), user)
    assert user.requests == []
    assert episode.turns[0].user is None


def test_its_cost_is_recorded_and_paid_from_the_budget() -> None:
    class Paid(Scripted):
        charges = True

    user = Paid(Reply("move_object(left)", usage=Usage(cost_usd=0.25)))
    budget = Budget(1.0)
    episode = played(Scripted(ASK, RIGHT), user, budget=budget)
    assert episode.turns[0].user is not None
    assert episode.turns[0].user.usage.cost_usd == 0.25
    assert budget.spent == 0.25


# The command line --------------------------------------------------------------------------------


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def lines(file: Path, replies: list[Any]) -> str:
    return str(write_lines(file, [{"scenario": "rod", "sample_id": 0, "replies": replies}]))


def test_a_run_with_a_model_as_the_user_names_it(tmp_path: Path) -> None:
    model = lines(tmp_path / "model.jsonl", ["Shove that thing over.", sample_of("rod").answer])
    user = f"replay:{lines(tmp_path / 'user.jsonl', ['move_object(left)'])}"
    result = invoke(
        "run", "--out", str(tmp_path / "r"), "--provider", f"replay:{model}", "--user", user,
        "--scenario", "rod", "--limit", "1",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    (folder,) = (tmp_path / "r").iterdir()
    manifest = json.loads((folder / "run.json").read_text())
    assert manifest["settings"]["user"] == user
    assert manifest["user"] is not None
    (episode,) = map(json.loads, (folder / "episodes.jsonl").read_text().splitlines())
    assert episode["turns"][0]["user"]["choice"] == "move_object(left)"
    shown = invoke("trace", str(folder), "--sample", "rod:0")
    assert "user v1: move_object(left)" in " ".join(shown.stdout.split())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--user", "baseline:random"), "cannot play the user"),
        (("--user", "replay:x", "--toolset", "published"), "has no effect"),
        (("--user", "replay:x", "--toolset", "random"), "has no effect"),
        (("--user", "replay:x", "--condition", "random-suggestions"), "has no effect"),
        (("--user", "replay:x", "--protocol", "mcqa"), "--user"),
    ],
)
def test_a_user_that_cannot_be_is_refused(
    options: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    result = invoke("run", "--out", str(tmp_path), "--provider", "baseline:random", *options)
    assert result.exit_code == 2
    assert message in result.output


def test_agreement_measures_the_rules_and_a_model(tmp_path: Path) -> None:
    rules = invoke("judge", "--agreement", "--user", "rules")
    assert rules.exit_code == 0, rules.output
    assert "held out" in rules.stdout
    few = lines(tmp_path / "user.jsonl", ["none"])
    model = invoke("judge", "--agreement", "--user", f"replay:{few}")
    assert model.exit_code == 1
    assert "requests could not be read" in model.stderr
