import io

import pytest
from rich.console import Console

from proactive_agent.metrics import Summary, summarise
from proactive_agent.reports.tables import (
    NamedGroup,
    TerminalTable,
    consistency_grids,
    macro_grids,
    scenario_grids,
    score_grids,
    summary_notes,
    usage_grids,
)
from proactive_agent.reports.tables.grid import Grid
from tests.proactive_agent.written_records import FAILED, episode, turn

ONE = summarise([episode("ask", "right", fewest=1), episode("wrong", scenario="coco")])
OTHER = summarise([episode("wrong", scenario="coco")])

CUT_OFF = {"text": "", "tool_calls": [], "finish_reason": "length", "tool_format": None}


def rows(grid: Grid) -> dict[str, list[str]]:
    return {line.name: [c.text for c in line.cells] for g in grid.groups for line in g.lines}


def grids(*runs: tuple[str, Summary]) -> dict[str, Grid]:
    return {grid.title: grid for grid in score_grids([NamedGroup(runs)])}


def test_a_score_has_a_column_per_scenario_of_any_run_and_their_mean() -> None:
    acc = grids(("one", ONE), ("other", OTHER))["acc %"]
    assert acc.columns == ["ROD", "COCO", "mean"]
    assert rows(acc) == {"one": ["100.0", "0.0", "50.0"], "other": ["-", "0.0", "0.0"]}


def test_one_scenario_needs_no_mean() -> None:
    assert rows(grids(("other", OTHER))["acc %"]) == {"other": ["0.0"]}


def test_scores_without_a_value_in_any_run_are_left_out() -> None:
    judgement = {"judge": "rules", "answers": [{"text": "x", "kind": "category", "met": True}]}
    judged = summarise([episode("right", turns=[turn("right", judgement=judgement)])])
    assert list(grids(("one", ONE))) == ["acc %", "psr"]
    assert list(grids(("judged", judged))) == ["acc %", "psr", "cc %", "ps %", "agg %"]


def test_columns_with_nothing_but_zeros_are_left_out() -> None:
    shown = {grid.title: grid.columns for grid in macro_grids([NamedGroup([("one", ONE)])])}
    assert shown["turns, %"] == ["asks", "answers"]
    assert shown["asking"] == ["asked"]
    assert "per episode" in shown


def test_every_column_is_defined_before_its_numbers() -> None:
    shown = "\n".join(grid.meaning for grid in macro_grids([NamedGroup([("one", ONE)])]))
    assert "asks: a request for a change\nanswers: names a category" in shown
    assert "vague" not in shown
    console = Console(file=io.StringIO(), width=80)
    console.print(TerminalTable(grids(("one", ONE))["acc %"]))
    before = console.file.getvalue().partition("100.0")[0]
    assert "Episodes that end with the right category." in before


def test_one_run_is_shown_scenario_by_scenario() -> None:
    first = scenario_grids("title", ONE)[0]
    assert first.title == "title"
    assert rows(first)["rod"] == ["1", "100.0", "-", "1.0", "1.0"]
    assert rows(first)["macro average"][:2] == ["", "50.0"]
    assert "macro average" not in rows(scenario_grids("title", OTHER)[0])


def test_repeats_have_their_own_table() -> None:
    repeated = summarise([episode("right"), episode("wrong", repeat=1)])
    (grid,) = consistency_grids([NamedGroup([("once", ONE), ("twice", repeated)])])
    assert grid.columns == ["pass^1 %", "pass^2 %", "within", "between"]
    assert rows(grid) == {"once": ["-"] * 4, "twice": ["50.0", "0.0", "0.50", "-"]}
    assert consistency_grids([NamedGroup([("once", ONE)])]) == []


def test_total_usage_is_shown_only_if_there_is_any() -> None:
    (grid,) = usage_grids([NamedGroup([("one", ONE)])])
    assert rows(grid) == {"one": ["0", "30", "6", "unknown"]}
    free = {"input_tokens": 0, "output_tokens": 0, "cost_usd": 0}
    assert usage_grids([NamedGroup([("free", summarise([episode("right", usage=free)]))])]) == []


@pytest.mark.parametrize(
    ("summary", "note"),
    [
        (summarise([episode("right"), episode(sample_id=1, error=FAILED)]),
         "1 of 2 episodes ended with an error and are left out: 1 timeout."),
        (summarise([episode("unreadable")]), "Invalid replies: 1 unreadable."),
        (summarise([episode("ask", "right", turns=[turn("ask"), turn("right", reply=CUT_OFF)])]),
         "Finish reasons of the replies: 1 length, 1 stop."),
        (ONE, "30 input tokens (unknown cached), 6 output tokens (unknown reasoning), "
              "cost unknown."),
    ],
)  # fmt: skip
def test_notes_mention_errors_invalid_replies_and_usage(summary: Summary, note: str) -> None:
    assert note in summary_notes(summary)


def test_replies_that_all_end_as_they_should_need_no_note() -> None:
    assert not any("Finish reasons" in note for note in summary_notes(ONE))
