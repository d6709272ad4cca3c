"""The command `reproduce`, on runs of the scripted baselines."""

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from proactive_agent.cli.app import cli
from proactive_agent.cli.reproduce import TABLE_FORMS
from proactive_agent.reports.paper.formats import FORMS
from proactive_agent.reports.plots import FIGURES, OF_PAPER
from proactive_agent.reports.targets import PLOTS, TABLES, TARGETS
from proactive_agent.tools.install import install_command
from tests.proactive_agent.reports.comparison.playing import EMBEDDED_NOTE

CONDITIONS = "zero-shot,hint,reference,history,random-suggestions,clear,icl:1"


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Runs of one baseline under every condition and protocol, and of a second baseline."""
    results = tmp_path_factory.mktemp("results")
    played = [
        ("--provider", "baseline:oracle", "--protocol", "mcqa", "--condition", CONDITIONS),
        ("--provider", "baseline:oracle", "--protocol", "oeg", "--condition", "zero-shot,hint"),
        ("--provider", "baseline:oracle", "--protocol", "oeg", "--multi-turn"),
        ("--provider", "baseline:random", "--protocol", "mcqa"),
    ]  # fmt: skip
    for options in played:
        result = invoke(
            "run", "--scenario", "rod,mvp-n", "--limit", "3", "--out", str(results), *options
        )
        assert result.exit_code == 0, result.output
    return sorted(str(folder) for folder in results.iterdir())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def of_condition(runs: Sequence[str], condition: str) -> list[str]:
    return [run for run in runs if run.endswith(f"mcqa_{condition}")]


@pytest.mark.parametrize("target", [name for name in TABLES if name != "table4"])
def test_every_table_selects_its_runs(target: str, runs: list[str]) -> None:
    result = invoke("reproduce", target, *runs)
    assert result.exit_code == 0, result.output
    for word in ("baseline:oracle", "published, arXiv 2603.19466v2", "NOT COMPARABLE"):
        assert word in result.stdout
    assert "Left out because the" in result.stderr


@pytest.mark.parametrize("target", [name for name in PLOTS if name not in ("fig10", "fig11")])
def test_every_figure_selects_its_runs(target: str, runs: list[str], folder: Path) -> None:
    result = invoke("reproduce", target, *runs)
    assert result.exit_code == 0, result.output
    assert (folder / f"{target}.png").read_bytes().startswith(b"\x89PNG")
    assert ElementTree.parse(folder / f"{target}.svg").getroot().tag.endswith("svg")
    other = "mcqa" if target == "fig6c" else "oeg"
    assert f"Left out because the protocol is {other}" in result.stderr


@pytest.mark.parametrize("target", ["table1", "fig6"])
def test_the_same_runs_give_the_same_bytes(target: str, runs: list[str], folder: Path) -> None:
    form = "csv" if target == "table1" else "svg"
    few = [*of_condition(runs, "zero-shot"), *of_condition(runs, "hint")]
    for name in ("first", "second"):
        result = invoke("reproduce", target, *few, "-o", f"{name}.{form}")
        assert result.exit_code == 0, result.output
    assert Path(f"first.{form}").read_bytes() == Path(f"second.{form}").read_bytes()


@pytest.mark.parametrize(
    ("file", "start"),
    [
        ("t.md", "**acc %**"), ("t.tex", "% Needs"), ("t.csv", "source,name"), ("t.json", "{"),
        ("t.txt", "acc %"),
    ],
)  # fmt: skip
def test_the_file_name_selects_the_format(
    file: str, start: str, runs: list[str], folder: Path
) -> None:
    result = invoke("reproduce", "table6", *of_condition(runs, "reference"), "-o", file)
    assert result.exit_code == 0, result.output
    assert Path(file).read_text(encoding="utf-8").startswith(start)
    assert result.stdout == ""


def test_a_format_can_be_selected(runs: list[str], folder: Path) -> None:
    zero_shot = of_condition(runs, "zero-shot")
    result = invoke("reproduce", "table1", *zero_shot, "--format", "json")
    assert json.loads(result.stdout)["figures"]
    invoke("reproduce", "acc-psr", *zero_shot, "--format", "svg")
    assert {file.name for file in folder.iterdir()} == {"acc-psr.svg", "acc-psr.caption.txt"}


@pytest.mark.parametrize(
    ("arguments", "written"),
    [
        (["table1", "-o", "mine"], {"mine.txt"}),
        (["table1", "-o", "mine", "--format", "latex"], {"mine.tex"}),
        (["acc-psr", "-o", "mine"], {"mine.png", "mine.svg", "mine.caption.txt"}),
        (["acc-psr", "-o", "mine", "--format", "svg"], {"mine.svg", "mine.caption.txt"}),
    ],
)
def test_a_file_without_a_suffix_gets_that_of_its_format(
    arguments: list[str], written: set[str], runs: list[str], folder: Path
) -> None:
    result = invoke("reproduce", *arguments, *of_condition(runs, "zero-shot"))
    assert result.exit_code == 0, result.output
    assert {file.name for file in folder.iterdir()} == written


def test_the_caption_of_a_plot_is_printed_and_written(runs: list[str], folder: Path) -> None:
    result = invoke("reproduce", "acc-psr", *of_condition(runs, "zero-shot"), "-o", "mine.png")
    assert result.stdout == (folder / "mine.caption.txt").read_text(encoding="utf-8")
    assert EMBEDDED_NOTE in result.stdout.splitlines()


def test_runs_are_found_by_id(runs: list[str]) -> None:
    (first, *_) = of_condition(runs, "zero-shot")
    path = Path(first)
    result = invoke("reproduce", "table1", path.name, "--out", str(path.parent))
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("target", "condition", "message"),
    [
        ("fig3", "zero-shot", "baseline:oracle has no run of reference: "
         "run --provider baseline:oracle --protocol mcqa --condition reference."),
        ("fig5", "zero-shot", "has no run of random-suggestions"),
        ("fig6", "hint", "baseline:oracle has no run of zero-shot"),
        ("fig6c", "hint", "fig6c: needs runs of zero-shot and hint of one model."),
        ("fig7", "zero-shot", "needs runs of condition hint with several turns"),
        ("fig8", "zero-shot", "fig8: needs runs of zero-shot and history of one model."),
        ("fig9", "zero-shot", "icl:1 or icl:3"),
        ("fig10", "zero-shot", "does not cover all samples: 3 of "),
        ("fig11", "hint", "needs zero-shot runs of several models on all samples"),
        ("fig20", "zero-shot", "has no run of random-suggestions"),
        ("help-seeking", "zero-shot", "has no run of clear"),
        ("fig4", "reference", "needs runs of condition zero-shot with several turns"),
        ("acc-psr", "reference", "needs runs of several turns"),
        ("table2", "zero-shot", "the protocol is mcqa"),
        ("table4", "zero-shot", "needs runs of mcqa, unfiltered (run --provider … "
         "--protocol mcqa --condition unfiltered). Left out because the condition is zero-shot"),
        ("table10", "zero-shot", "--protocol oeg --condition zero-shot --multi-turn)"),
        ("table7", "zero-shot", "needs runs of mcqa, hint (run "),
    ],
)  # fmt: skip
def test_missing_runs_give_one_clear_line_and_exit_code_2(
    target: str, condition: str, message: str, runs: list[str], folder: Path
) -> None:
    result = invoke("reproduce", target, *of_condition(runs, condition))
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fig1", "RUN"], "TARGET"),
        (["fig3", "RUN", "-o", "x.pdf"], "fig3 can be png, svg, not pdf"),
        (["table1", "RUN", "--format", "png"], "table1 can be table, markdown, latex, csv, json"),
        (
            ["table1", "RUN", "-o", "nowhere/x.csv"],
            "nowhere/x.csv cannot be written: No such file",
        ),
        (["table1", "no-such-run"], "no run 'no-such-run'"),
    ],
)
def test_wrong_input_is_refused(
    arguments: list[str], message: str, runs: list[str], folder: Path
) -> None:
    run = of_condition(runs, "zero-shot")[0]
    result = invoke("reproduce", *(run if word == "RUN" else word for word in arguments))
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_without_matplotlib_the_install_command_is_named(
    runs: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = invoke("reproduce", "fig4", *runs)
    assert result.exit_code == 2
    assert install_command("report") in result.stderr


def test_tables_need_no_matplotlib(runs: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert invoke("reproduce", "table1", *runs).exit_code == 0


def test_every_target_is_declared_once_and_is_in_the_help() -> None:
    output = invoke("reproduce", "--help").stdout
    assert all(f"\n  {target} " in output for target in TARGETS)
    assert set(TABLE_FORMS) == set(FORMS)
    assert {plot.drawing for plot in PLOTS.values()} == {*FIGURES, *OF_PAPER} - {"actions"}


def test_the_protocol_page_lists_every_target_of_the_paper() -> None:
    page = (Path(__file__).parents[4] / "docs" / "protocol.md").read_text(encoding="utf-8")
    section = page.partition("## The paper's tables and figures")[2].partition("\n## ")[0]
    ours = {"acc-psr", "help-seeking"}
    missing = [name for name in TARGETS if name not in ours and not re.search(rf"{name}`", section)]
    assert missing == []
