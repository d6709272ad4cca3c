"""Selection of rows for training and for measuring, and advice about settings."""

import pytest

from proactive_agent.tools import UserError
from proactive_agent.training.rows import QuestionRow
from proactive_agent.training.selection import FrameCounts, count_frames, hold_out, select_rows
from proactive_agent.training.settings import TrainingSettings, advice, never_asks_remark


def rows(number: int) -> list[QuestionRow]:
    """Returns rows that alternate between two scenarios; every third row is clear."""
    return [
        QuestionRow(index, ("coco", "quickdraw")[index % 2], index % 3 == 0, "", (), (), (), "")
        for index in range(number)
    ]


def test_rows_are_selected_by_scenario_and_limit() -> None:
    assert [row.index for row in select_rows(rows(8), ["coco"], 2)] == [0, 2]
    assert len(select_rows(rows(8), [], None)) == 8


def test_a_scenario_without_rows_is_refused() -> None:
    with pytest.raises(UserError, match="no rows of rod; it holds coco, quickdraw"):
        select_rows(rows(4), ["rod", "coco"], None)


def test_held_out_rows_are_a_tenth_at_most_and_depend_on_the_seed() -> None:
    every = rows(100)
    train, held_out = hold_out(every, 5, seed=0)
    assert (len(train), len(held_out)) == (95, 5)
    assert sorted(row.index for row in train + held_out) == list(range(100))
    assert hold_out(every, 5, seed=0).held_out == held_out
    assert hold_out(every, 5, seed=1).held_out != held_out
    assert len(hold_out(every, 64, seed=0).held_out) == 10
    assert hold_out(every, 0, seed=0).held_out == []


def test_the_mix_counts_ambiguous_and_clear_frames() -> None:
    assert count_frames(rows(8)) == {
        "quickdraw": FrameCounts(ambiguous=3, clear=1),
        "coco": FrameCounts(ambiguous=2, clear=2),
    }


def settings(**more: float) -> TrainingSettings:
    return TrainingSettings.of(model="m", data="d", **more)


def test_a_reward_of_one_gives_a_remark_with_the_papers_results() -> None:
    assert not [*advice(settings(reward_suggestion=0.75))]
    (said,) = advice(settings(reward_suggestion=1))
    assert "Qwen2.5-VL-3B: 17.2 % and 15.1 at 1.0, 37.4 % and 0.9 at 0.5" in said


def test_few_prompts_give_a_remark() -> None:
    (said,) = advice(settings(batch_size=128))
    assert said.startswith("16 prompts per step are few")


def test_a_model_that_never_asks_gives_a_remark() -> None:
    never = {"benchmark/trained/asks/ambiguous": 0.0, "benchmark/unseen/asks/ambiguous": 0.0}
    assert "--warm-up" in (never_asks_remark(never, settings()) or "")
    assert never_asks_remark(never, settings(warm_up=5)) is None
    seldom = {**never, "benchmark/unseen/asks/ambiguous": 0.1}
    assert never_asks_remark(seldom, settings()) is None
