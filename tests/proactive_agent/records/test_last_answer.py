"""Answers that are right by luck, and informative frames."""

import asyncio
from typing import Any

import pytest
from click.testing import CliRunner

from proactive_agent.cli.app import cli
from proactive_agent.exports.rows import EPISODES, TURNS
from proactive_agent.records.describe import call_result, ending_of, verdict_of
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.records.last_answer import is_informed, luck_of
from proactive_agent.records.outline import outline_of
from proactive_agent.views.html.steps import episode_values
from proactive_agent.views.tui.turn_tree import branches
from tests.proactive_agent.run_folders import write_run
from tests.proactive_agent.scripted import Mcqa, Scripted, ToolUse, call, play, sample_of
from tests.proactive_agent.written_records import episode

LUCK = "right, but by luck: no category counts in the first turn"
LEFT = call("move_object", direction="left")


def played(scenario: str, *replies: Any, condition: str = "zero-shot") -> EpisodeRecord:
    return asyncio.run(play(scenario, Scripted(*replies), ToolUse(), condition))


def answer(scenario: str) -> Any:
    return call("answer", category=sample_of(scenario).answer)


@pytest.mark.parametrize("protocol", [ToolUse(), Mcqa()], ids=["tools", "mcqa"])
def test_the_right_category_in_the_first_turn_of_rod_is_luck_and_counts_as_wrong(
    protocol: Any,
) -> None:
    record = asyncio.run(play("rod", Scripted(sample_of("rod").answer), protocol))
    assert not record.outcome.correct
    assert record.turns[0].verdict.category == "wrong"
    for each in (record, outline_of(record)):
        assert luck_of(each, each.turns[0]) == verdict_of(each, each.turns[0]) == LUCK
        assert ending_of(each) == call_result(each, each.turns[0]) == LUCK


@pytest.mark.parametrize(
    "record",
    [episode("wrong"), episode("right"), episode("ask", "abstain"), episode("ask", "right")],
)
def test_other_answers_are_not_lucky(record: EpisodeRecord) -> None:
    assert luck_of(record, record.turns[-1]) is None
    assert ending_of(record) == "answered"


def test_every_view_and_export_says_so(tmp_path: Any) -> None:
    lucky = played("rod", answer("rod"))
    run = write_run(tmp_path / "run", [lucky]).path
    shown = CliRunner().invoke(cli, ["trace", str(run), "--sample", f"rod:{lucky.sample_id}"])
    assert LUCK in shown.output
    assert "right, but by luck" in CliRunner().invoke(cli, ["why", str(run)]).output
    assert LUCK in next(part.text.plain for part in branches(lucky, 0) if part.label == "verdict")
    (step,) = episode_values(lucky, [None])["turns"]
    assert (step["verdict"], step["notes"][0]) == ("by luck", LUCK)
    (cells,) = ({c.name: c.value(one) for c in TURNS.columns} for one in TURNS.items(lucky))
    assert cells["lucky"] is True
    (cells,) = ({c.name: c.value(one) for c in EPISODES.columns} for one in EPISODES.items(lucky))
    assert (cells["correct"], cells["informed"], cells["failure"]) == (False, False, "lucky")


@pytest.mark.parametrize(("asked", "informed"), [(0, False), (6, False), (7, True), (8, False)])
def test_only_the_reference_frame_of_rod_is_informative(asked: int, informed: bool) -> None:
    record = played("rod", *[LEFT] * asked, answer("rod"))
    assert is_informed(record) == informed
    assert record.outcome.correct == (asked > 0)


def test_the_clear_frame_is_informative() -> None:
    assert is_informed(played("rod", answer("rod"), condition="clear"))
