import csv
import io
import json
from typing import Any

import pytest
from rich.console import Console

from proactive_agent.metrics import PlayedRun
from proactive_agent.reports import published
from proactive_agent.reports.comparison.csv_form import csv_text
from proactive_agent.reports.comparison.grids import grids
from proactive_agent.reports.comparison.report import ComparisonReport, find_baseline, make_report
from proactive_agent.reports.run_names import differences
from proactive_agent.reports.runs import data_label
from proactive_agent.reports.tables import TerminalTable
from proactive_agent.reports.tables.text_forms import latex, markdown
from proactive_agent.scenarios import SCENARIOS
from proactive_agent.tools import UserError
from tests.proactive_agent.reports.comparison.playing import AS_PUBLISHED, OFFICIAL, answers, played

A = played("a", answers("1100") + answers("1010", "coco"), protocol="mcqa")
B = played("b", answers("0100") + answers("1111", "coco"), protocol="mcqa")
OTHER_DATA = played("c", answers("1111"), file="other", data={"embedded": False})


def report(*runs: PlayedRun, with_published: bool = False) -> ComparisonReport:
    return make_report(runs, find_baseline(runs, None), with_published=with_published)


# The baseline -------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", ["b", "run-b", "results/run-b", "results/run-b/"])
def test_the_baseline_is_named_as_the_runs_are(asked: str) -> None:
    assert find_baseline([A, B], asked) is B


def test_another_run_is_no_baseline() -> None:
    with pytest.raises(UserError, match="not one of the compared runs, which are run-a, run-b"):
        find_baseline([A, B], "c")


def test_one_run_has_no_baseline() -> None:
    assert report(A).baseline is None


# What can be compared -----------------------------------------------------------------------------


def test_runs_are_compared_with_the_baseline() -> None:
    found = report(A, B)
    assert list(found.differences) == ["b"]
    assert found.differences["b"].scenarios["rod"]["acc"].difference.value == -0.25


def test_samples_of_other_files_are_other_samples() -> None:
    found = report(A, OTHER_DATA)
    assert found.differences == {}
    assert "Warning: the runs used different data." in found.notes


def test_runs_of_other_scenarios_have_no_other_data() -> None:
    data = A.manifest.data
    only_rod = data.model_copy(update={"files": {"rod": data.files["rod"]}})
    notes = differences([A.manifest, A.manifest.model_copy(update={"data": only_rod})])
    assert notes == [
        "Warning: the runs played different scenarios, so their means cannot be compared."
    ]


@pytest.mark.parametrize(
    ("settings", "warning"),
    [
        ({"protocol": "tools"}, "Warning: the runs differ in protocol: mcqa, tools."),
        ({"protocol": "mcqa", "condition": "hint"},
         "Warning: the runs differ in condition: hint, zero-shot."),
        ({"protocol": "mcqa", "repeats": 2}, "The runs differ in repeats: 1, 2."),
    ],
)  # fmt: skip
def test_differing_settings_give_a_warning(settings: dict[str, object], warning: str) -> None:
    assert warning in report(A, played("b", answers("1"), **settings)).notes


# The paper's figures ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "table"),
    [
        ({"protocol": "mcqa"}, "table1"),
        ({"protocol": "mcqa", "condition": "unfiltered"}, "table4"),
        ({"protocol": "mcqa", "unfiltered": True}, "table4"),
        ({"protocol": "mcqa", "condition": "hint"}, "table7"),
        ({"protocol": "mcqa", "condition": "reference"}, "table6"),
        ({"protocol": "oeg"}, "table8"),
        ({"protocol": "oeg", "condition": "hint"}, "table9"),
        ({"protocol": "oeg", "multi_turn": True}, "table10"),
    ],
)
def test_the_table_of_the_same_experiment_is_chosen(settings: dict[str, Any], table: str) -> None:
    found = report(played("a", answers("1"), **settings), with_published=True)
    assert [row.name for row in found.published] == [row.model for row in published.table(table)]
    assert {row.table for row in found.published} == {table}


@pytest.mark.parametrize(
    ("settings", "experiment"),
    [
        ({"protocol": "tools"}, "tools, zero-shot"),
        ({"protocol": "mcqa", "condition": "clear"}, "mcqa, clear"),
        ({"protocol": "mcqa", "condition": "icl:1"}, "mcqa, icl:1"),
        ({"protocol": "mcqa", "condition": "hint+unfiltered"}, "mcqa, hint+unfiltered"),
        ({"protocol": "oeg", "condition": "hint", "multi_turn": True},
         "oeg, hint, several turns"),
    ],
)  # fmt: skip
def test_no_rows_are_shown_beside_another_experiment(
    settings: dict[str, Any], experiment: str
) -> None:
    found = report(played("a", answers("1"), **settings), with_published=True)
    assert found.published == []
    assert found.caption is None
    assert f"The paper has no table of this experiment ({experiment}): a." in found.notes


def described(model: str, began_as: str | None = None, **settings: str) -> PlayedRun:
    """A run of a local model."""
    training = {"training": {"model": began_as}} if began_as else {}
    rights = answers("10") + answers("01", "coco")
    settings = {"protocol": "mcqa"} | settings
    return played(model, rights, described={"model": model, **training}, **settings)


@pytest.mark.parametrize(
    ("runs", "tables"),
    [
        ([described("trained", "base")], {"table3"}),
        ([described("base"), described("trained", "base")], {"table3"}),
        ([described("other"), described("trained", "base")], {"table1", "table3"}),
        ([described("trained", "base", condition="hint")], {"table7"}),
    ],
    ids=["trained", "before and after", "beside another model", "with a hint"],
)
def test_table_3_is_chosen_for_trained_models_and_their_base_models(
    runs: list[PlayedRun], tables: set[str]
) -> None:
    assert {row.table for row in report(*runs, with_published=True).published} == tables


def test_rows_of_table_3_name_the_configuration() -> None:
    found = report(described("trained", "base"), with_published=True)
    names = [row.name for row in found.published if row.name.startswith("Qwen")]
    assert names == [f"Qwen2.5-VL-3B, {c}" for c in ("original", "rp=0.5", "rp=0.75", "rp=1.0")]
    (acc, *_) = grids(found)
    assert acc.groups[1].heading.endswith("Before and after training")
    assert UNLIKE in acc.caption


EVERYWHERE = [one for scenario in SCENARIOS for one in answers("10", scenario)]
EMBEDDED = played("mine", EVERYWHERE, protocol="mcqa")
ON_OFFICIAL = played("mine", EVERYWHERE, **AS_PUBLISHED)
UNLIKE = "NOT COMPARABLE with the published figures: runs on embedded suite."


@pytest.mark.parametrize("write", [markdown, latex], ids=["markdown", "latex"])
def test_tables_with_published_figures_warn_about_the_embedded_suite(write: object) -> None:
    tables = [write(grid) for grid in grids(report(EMBEDDED, with_published=True))]  # type: ignore[operator]
    beside = [table for table in tables if "Qwen2.5-VL-7B" in table]
    assert len(beside) == 2, "acc and psr"
    for table in beside:
        assert UNLIKE in table
        assert "runs on: embedded suite" in table
        assert "published, arXiv 2603.19466v2, on the official data" in table


def test_a_table_without_published_figures_needs_no_caption() -> None:
    captions = {grid.title: grid.caption for grid in grids(report(EMBEDDED, with_published=True))}
    assert UNLIKE in captions["psr"]
    assert captions["turns, %"] == ""
    reference = played("mine", EVERYWHERE, protocol="mcqa", condition="reference")
    captions = {grid.title: grid.caption for grid in grids(report(reference, with_published=True))}
    assert captions["psr"] == "", "the paper has none for the reference condition"


def test_json_and_csv_warn_about_the_embedded_suite() -> None:
    found = report(EMBEDDED, with_published=True)
    parsed = json.loads(found.model_dump_json())
    assert UNLIKE in parsed["caption"]
    assert {row["data"] for row in parsed["published"]} == {"official data"}
    rows = list(csv.DictReader(io.StringIO(csv_text(found))))
    assert all(UNLIKE in row["note"] for row in rows)
    assert {row["source"]: row["data"] for row in rows} == {
        "run": "embedded suite", "published": "official data",
    }  # fmt: skip


def test_a_run_on_the_official_data_has_no_warning() -> None:
    caption = report(ON_OFFICIAL, with_published=True).caption
    assert caption == published.NOTE


def test_a_departure_is_part_of_the_caption() -> None:
    run = played("mine", EVERYWHERE, **AS_PUBLISHED, parser="lenient")
    note = "All runs: replies read by the lenient parser."
    assert report(run, with_published=True).caption == f"{published.NOTE} {note}"


@pytest.mark.parametrize("condition", ["unfiltered", "hint", "reference"])
def test_every_published_condition_has_rows_without_a_remark(condition: str) -> None:
    data = {**OFFICIAL, "filtered": condition != "unfiltered"}
    run = played("mine", EVERYWHERE, **AS_PUBLISHED | {"condition": condition, "data": data})
    assert report(run, with_published=True).caption == published.NOTE


@pytest.mark.parametrize(
    ("data", "label"),
    [
        ({}, "embedded suite"),
        ({"embedded": False}, "own data"),
        (OFFICIAL, "official data"),
        ({**OFFICIAL, "filtered": False}, "official data"),
    ],
)
def test_data_are_labelled_by_their_source(data: dict[str, object], label: str) -> None:
    assert data_label(played("a", answers("1"), data=data).manifest) == label


def test_a_published_average_is_of_the_scenarios_shown() -> None:
    two = report(A, with_published=True)
    acc = grids(two)[0]
    (llava,) = [line for g in acc.groups for line in g.lines if line.name == "LLaVA-1.5-7B"]
    assert acc.columns == ["ROD", "COCO", "mean"]
    assert [cell.text for cell in llava.cells] == ["12.5", "32.3", "22.4"]


EMPTY = played("empty", [])
FAILED_ONLY = played("failed", answers("--"))


@pytest.mark.parametrize(
    "runs",
    [[A], [A, OTHER_DATA], [EMPTY], [EMPTY, A], [FAILED_ONLY], [A, FAILED_ONLY]],
    ids=["alone", "nothing in common", "empty", "empty first", "errors only", "errors beside"],
)
@pytest.mark.parametrize("with_published", [True, False])
def test_every_report_can_be_shown(runs: list[PlayedRun], with_published: bool) -> None:
    found = report(*runs, with_published=with_published)
    shown = grids(found)
    console = Console(width=80)
    with console.capture() as captured:
        for grid in shown:
            console.print(TerminalTable(grid))
    assert all(grid.title in captured.get() for grid in shown)
    assert "nan" not in captured.get() + csv_text(found) + found.model_dump_json()


# For programs -------------------------------------------------------------------------------------


def test_csv_holds_every_number_in_full() -> None:
    runs = [played("a", answers("110")), played("b", answers("100"))]
    rows = list(csv.DictReader(io.StringIO(csv_text(report(*runs)))))
    key = ("source", "name", "scenario", "metric")
    (acc,) = [row for row in rows if [row[k] for k in key] == ["run", "a", "rod", "acc"]]
    assert float(acc["value"]) == 2 / 3
    assert float(acc["low"]) == runs[0].summary.scenarios["rod"].acc.low
    (difference,) = [
        row for row in rows if [row[k] for k in key] == ["difference", "b", "rod", "acc"]
    ]
    assert difference["baseline"] == "a"
    assert (float(difference["value"]), float(difference["p"])) == (-1 / 3, 1.0)


def test_csv_holds_help_seeking() -> None:
    runs = [
        played("needed", answers("A1"), provider="openai:m"),
        played("clear", answers("11"), provider="openai:m", condition="clear"),
    ]
    rows = csv.DictReader(io.StringIO(csv_text(report(*runs))))
    found = {(row["scenario"], row["metric"]): row["value"] for row in rows
             if row["source"] == "help-seeking"}  # fmt: skip
    assert found["rod", "asks_needed"] == "0.5"
    assert found["rod", "asks_clear"] == "0.0"
    assert ("macro average", "d_prime") in found


def test_json_round_trips() -> None:
    found = report(A, B, with_published=True)
    assert ComparisonReport.model_validate_json(found.model_dump_json()) == found
