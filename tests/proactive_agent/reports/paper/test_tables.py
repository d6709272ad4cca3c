import csv
import io
import json
from typing import Any

import pytest

from proactive_agent.metrics import PlayedRun
from proactive_agent.reports.paper.formats import FORMS
from proactive_agent.reports.paper.tables import MACRO, PaperTable, paper_table
from proactive_agent.reports.published import TABLES, table
from proactive_agent.reports.tables.grid import Grid, Line
from proactive_agent.scenarios import SCENARIOS
from proactive_agent.tools import UserError
from tests.proactive_agent.reports.comparison.playing import OFFICIAL, answers, played


def run(name: str, rights: str = "1A0", scenarios: tuple[str, ...] = (), **more: Any) -> PlayedRun:
    episodes = [e for s in scenarios or tuple(SCENARIOS) for e in answers(rights, scenario=s)]
    return played(name, episodes, **{"protocol": "mcqa", **more})


def line(grid: Grid, name: str) -> Line:
    (found,) = (line for group in grid.groups for line in group.lines if line.name == name)
    return found


def texts(grid: Grid, name: str) -> list[str]:
    return [cell.text for cell in line(grid, name).cells]


def test_published_figures_follow_ours_as_they_were_printed() -> None:
    acc, psr = paper_table("table1", [run("mine")]).grids
    assert acc.columns == ["ROD", "VSOD", "MVP-N", "IN-C", "QD", "CIT", "COCO", "mean"]
    assert texts(acc, "openai:mine") == ["66.7"] * 8
    assert texts(acc, "GPT-4.1") == ["0.0", "0.0", "15.2", "68.2", "15.0", "23.5", "94.4", "30.9"]
    assert texts(psr, "LLaVA-1.5-7B") == ["0.7", "1.7", "0.0", "0.8", "0.7", "1.3", "0.9", "0.9"]
    ours, theirs = acc.groups
    assert ours.heading == "runs on: embedded suite"
    assert "published" in theirs.heading
    assert "official data" in theirs.heading
    assert len(theirs.lines) == 22


def test_every_grid_warns_about_the_embedded_suite() -> None:
    made = paper_table("table7", [run("mine", condition="hint")])
    assert len(made.grids) == 2
    assert all(
        grid.caption.startswith("NOT COMPARABLE with the published figures: runs on embedded suite")
        for grid in made.grids
    )


def test_runs_on_the_official_data_carry_no_warning() -> None:
    made = paper_table("table1", [run("mine", data=OFFICIAL)])
    assert "NOT COMPARABLE" not in made.caption
    assert "on the official data" in made.caption


def test_published_means_are_over_the_scenarios_of_the_runs() -> None:
    acc, _ = paper_table("table1", [run("mine", scenarios=("rod", "imagenet-c"))]).grids
    assert acc.columns == ["ROD", "IN-C", "mean"]
    assert texts(acc, "GPT-4.1") == ["0.0", "68.2", "34.1"]


def test_a_single_scenario_has_no_mean() -> None:
    acc, _ = paper_table("table1", [run("mine", scenarios=("coco",))]).grids
    assert (acc.columns, texts(acc, "GPT-5.2")) == (["COCO"], ["93.6"])


def test_the_reference_table_has_no_psr() -> None:
    (acc,) = paper_table("table6", [run("mine", condition="reference")]).grids
    assert texts(acc, "LLaVA-OV-72B")[-1] == "88.5"


def test_the_open_ended_table_takes_open_ended_runs_of_one_turn() -> None:
    with pytest.raises(UserError, match="protocol is mcqa: run-mine"):
        paper_table("table2", [run("mine")])
    with pytest.raises(UserError, match="questions are asked in several turns: run-mine"):
        paper_table("table2", [run("mine", protocol="oeg", multi_turn=True)])
    cc, ps = paper_table("table2", [run("mine", protocol="oeg")]).grids
    assert (texts(cc, "InternVL3-78B")[-1], texts(ps, "InternVL3-78B")[-1]) == ("3.5", "3.6")


def test_the_wrong_condition_is_named_with_the_command_for_the_right_one() -> None:
    with pytest.raises(UserError) as error:
        paper_table("table7", [run("mine")])
    assert str(error.value) == (
        "needs runs of mcqa, hint (run --provider … --protocol mcqa --condition hint). "
        "Left out because the condition is zero-shot: run-mine."
    )


def test_training_is_shown_by_its_difference_to_the_first_run() -> None:
    runs = [run("before", "0000"), run("half", "0011"), run("whole", "1111")]
    acc, _, change, _ = paper_table("table3", runs).grids
    assert acc.columns[:2] == ["QD", "COCO"]
    assert texts(acc, "openai:before") == ["0.0"] * 8
    assert texts(acc, "Qwen2.5-VL-3B, rp=0.5")[:2] == ["42.9", "46.1"]
    assert "difference to openai:before" in change.title
    assert texts(change, "openai:half")[:7] == ["+50.0"] * 7
    assert texts(change, "openai:whole")[-1].startswith("+100.0")


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ([run("only")], "needs a run from before training"),
        ([run("one"), run("other", protocol="tools")], "must have the same protocol"),
        ([run("one"), run("other", file="1")], "different data"),
    ],
)
def test_runs_before_and_after_training_must_compare(runs: list[PlayedRun], message: str) -> None:
    with pytest.raises(UserError, match=message):
        paper_table("table3", runs)


def test_trained_callers_of_tools_are_shown_without_published_rows() -> None:
    runs = [run("before", "0000", protocol="tools"), run("after", "1111", protocol="tools")]
    acc, *_ = paper_table("table3", runs).grids
    assert [line.name for group in acc.groups for line in group.lines] == [
        "openai:before", "openai:after",
    ]  # fmt: skip


def test_table_10_has_acc_and_psr_of_several_open_ended_turns() -> None:
    acc, psr = paper_table("table10", [run("mine", protocol="oeg", multi_turn=True)]).grids
    assert texts(acc, "LLaVA-1.5-7B")[-1] == "2.3"
    assert texts(psr, "LLaVA-NeXT-Mistral-7B")[3] == "0.5"


@pytest.mark.parametrize(("name", "condition"), [("table8", "zero-shot"), ("table9", "hint")])
def test_tables_8_and_9_show_agg_cc_and_ps(name: str, condition: str) -> None:
    made = paper_table(name, [run("mine", protocol="oeg", condition=condition)])
    assert [grid.title.split()[0] for grid in made.grids] == ["agg", "cc", "ps"]


def test_table_4_takes_unfiltered_runs() -> None:
    acc, _ = paper_table("table4", [run("mine", condition="unfiltered")]).grids
    assert "without the filter" in acc.groups[-1].heading
    with pytest.raises(UserError, match="condition is zero-shot"):
        paper_table("table4", [run("mine")])


@pytest.fixture(scope="module")
def made() -> PaperTable:
    return paper_table("table1", [run("mine")])


def test_csv_has_every_number_in_full_with_its_source(made: PaperTable) -> None:
    rows = list(csv.DictReader(io.StringIO(FORMS["csv"](made, 100))))
    ours = next(row for row in rows if (row["scenario"], row["metric"]) == ("rod", "acc"))
    assert (ours["source"], ours["name"], ours["run_id"]) == ("run", "openai:mine", "run-mine")
    assert float(ours["value"]) == pytest.approx(2 / 3)
    assert float(ours["low"]) < 2 / 3 < float(ours["high"])
    theirs = [row for row in rows if row["source"] == "published"]
    assert len(theirs) == len(table("table1")) * 8 * len(TABLES["table1"].metrics)
    assert {row["data"] for row in theirs} == {"official data"}
    (gpt,) = (
        r for r in theirs if (r["name"], r["scenario"], r["metric"]) == ("GPT-4.1", MACRO, "acc")
    )
    assert float(gpt["value"]) == pytest.approx(0.309)
    assert all(row["note"].startswith("NOT COMPARABLE") for row in rows)


def test_json_holds_the_same_figures(made: PaperTable) -> None:
    document = json.loads(FORMS["json"](made, 100))
    assert document["note"] == made.caption
    assert document["figures"] == [figure.model_dump() for figure in made.figures]


@pytest.mark.parametrize("form", ["table", "markdown", "latex"])
def test_forms_for_people_name_the_source_in_each_of_their_tables(
    made: PaperTable, form: str
) -> None:
    text = FORMS[form](made, 100)
    assert text.count("GPT-4.1") == 2
    assert text.count("NOT COMPARABLE") == 2
    assert text.count("published, arXiv 2603.19466v2") == 2
