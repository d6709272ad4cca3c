import csv
from pathlib import Path

import pytest

import proactive_agent
from proactive_agent.reports import published
from proactive_agent.reports.published import find, published_name, table
from proactive_agent.reports.targets import TABLES
from proactive_agent.scenarios import SCENARIOS
from proactive_agent.tools import UserError

FOLDER = Path(__file__).parents[3] / "results" / "published"

WITHOUT = "GPT-5.2"
"""The model that the averages of the paper's text leave out."""

AVERAGES = [
    ("table1", "rod", 8.2), ("table1", "vsod", 13.5), ("table1", "mvp-n", 10.0),
    ("table1", "imagenet-c", 33.7), ("table1", "quickdraw", 14.9), ("table1", "changeit", 22.0),
    ("table1", "coco", 20.2),
    ("table6", "rod", 98.3), ("table6", "vsod", 70.4), ("table6", "mvp-n", 56.3),
    ("table6", "imagenet-c", 88.0), ("table6", "quickdraw", 71.7), ("table6", "changeit", 80.8),
    ("table6", "coco", 93.0),
]  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_every_row_has_its_scenarios_and_its_mean_is_the_printed_average(name: str) -> None:
    for row in table(name):
        assert set(row.values) == set(SCENARIOS), row.model
        for metric in TABLES[name].metrics:
            unit = 1 if metric == "psr" else 100
            assert unit * row.macro(metric) == pytest.approx(unit * row.printed[metric], abs=0.1)


@pytest.mark.parametrize(("name", "scenario", "average"), AVERAGES)
def test_averages_over_the_models_are_those_of_the_papers_text(
    name: str, scenario: str, average: float
) -> None:
    values = [row.values[scenario]["acc"] for row in table(name) if row.model != WITHOUT]
    assert len(values) == 21
    assert round(100 * sum(values) / 21, 1) == average


@pytest.mark.parametrize(
    ("name", "average"), [("table1", 17.5), ("table6", 79.8), ("table7", 25.8)]
)
def test_the_mean_accuracies_are_those_of_the_papers_text(name: str, average: float) -> None:
    values = [row.printed["acc"] for row in table(name) if row.model != WITHOUT]
    assert round(100 * sum(values) / len(values), 1) == average


def test_the_untrained_models_of_table_3_are_those_of_table_1() -> None:
    originals = [row for row in table("table3") if row.config == "original"]
    assert [row.model for row in originals] == ["LLaVA-NeXT-Mistral-7B", "Qwen2.5-VL-3B"]
    for row in originals:
        same = find("table1", row.model)
        assert same is not None
        assert row.values == same.values


def test_table_8_repeats_table_2_and_adds_agg() -> None:
    for short, full in zip(table("table2"), table("table8"), strict=True):
        assert short.model == full.model
        for scenario, values in short.values.items():
            assert values == {name: full.values[scenario][name] for name in ("cc", "ps")}


def test_shares_are_shares_and_psr_is_a_count() -> None:
    row = find("table1", "LLaVA-1.5-7B")
    assert row is not None
    assert row.values["rod"] == {"acc": 0.125, "psr": 0.7}


def test_a_trained_model_is_found_by_its_configuration() -> None:
    row = find("table3", "Qwen2.5-VL-3B", "rp=1.0")
    assert row is not None
    assert row.values["vsod"]["psr"] == 60.0
    assert find("table3", "Qwen2.5-VL-3B", "rp=0.6") is None


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("o4-mini", "o4-mini"),
        ("gpt-4.1", "GPT-4.1"),
        ("openai:gpt-4.1", "GPT-4.1"),
        ("litellm:openrouter/openai/gpt-4.1", "GPT-4.1"),
        ("openai:qwen2.5-vl-7b@http://localhost:8000/v1", "Qwen2.5-VL-7B"),
        ("local:llava-ov-0.5b", "LLaVA-OV-0.5B"),
        ("local:llava-hf/llava-onevision-qwen2-0.5b-ov-hf", "LLaVA-OV-0.5B"),
        ("openai:gpt-4.1-mini", None),
        ("openai:ft:gpt-4.1:me::1", None),
        ("local:idefics2", None),
        ("baseline:oracle", None),
    ],
)
def test_a_models_name_in_the_paper(model: str, name: str | None) -> None:
    assert published_name(model) == name


def test_averages_are_not_rows() -> None:
    assert not any("avg" in row.values for name in TABLES for row in table(name))


def test_every_column_of_the_files_is_read() -> None:
    for info in TABLES.values():
        with (FOLDER / info.file).open(encoding="utf-8", newline="") as stream:
            columns = next(csv.reader(stream))
        assert set(columns) - {"model", "config", "dataset"} == set(info.metrics)


def test_the_package_holds_the_files_of_the_repository() -> None:
    installed = Path(proactive_agent.__file__).parent / "published_data"
    assert {file.name for file in installed.iterdir()} == {file.name for file in FOLDER.iterdir()}


def test_a_broken_installation_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "_FOLDER", tmp_path / "published_data")
    with pytest.raises(UserError, match=r"figures are missing \(.*published_data.*reinstall"):
        list(published._lines("table1_mcqa.csv"))
