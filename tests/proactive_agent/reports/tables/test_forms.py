import csv
import io
import re
from typing import Any

import pytest
from rich.console import Console

from proactive_agent.metrics.statistics import Estimate
from proactive_agent.reports.tables import TerminalTable
from proactive_agent.reports.tables.grid import Cell, Grid, Group, Line
from proactive_agent.reports.tables.numbers import (
    bounds_cell,
    decimals_cell,
    dollars_cell,
    mean_cell,
    percent_cell,
    points_cell,
)
from proactive_agent.reports.tables.text_forms import latex, markdown, write_csv


def estimate(value: float, low: float | None = None, high: float | None = None) -> Estimate:
    return Estimate(value=value, low=low, high=high)


# Numbers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("write", "found", "cell"),
    [
        (percent_cell, estimate(1, 0.8713, 1), ("100.0", "87–100")),
        (percent_cell, estimate(0.175, 0.161, 0.189), ("17.5", "16.1–18.9")),
        (percent_cell, estimate(1), ("100.0", "")),
        (percent_cell, Estimate(), ("-", "")),
        (mean_cell, estimate(5.72, 5.56, 5.9), ("5.7", "±0.2")),
        (mean_cell, estimate(1234.5, 1200, 1300), ("1,234.5", "±50")),
        (decimals_cell, estimate(0.25, 0.2, 0.3), ("0.25", "±0.05")),
        (bounds_cell, estimate(2.1, 1.5, 3.25), ("2.10", "1.50–3.25")),
        (bounds_cell, Estimate(value=4.14, low=2.69), ("4.14", "≥2.69")),
        (bounds_cell, Estimate(value=-4.14, high=-2.69), ("-4.14", "≤-2.69")),
        (bounds_cell, estimate(4.14), ("4.14", "")),
        (dollars_cell, estimate(0.0123, 0.01, 0.0146), ("0.0123", "±0.0023")),
        (points_cell, estimate(-0.12, -0.3, 0.06), ("-12.0", "±18")),
        (points_cell, estimate(0.5), ("+50.0", "")),
    ],
)
def test_numbers_have_as_many_digits_as_their_interval_supports(
    write: Any, found: Estimate, cell: tuple[str, str]
) -> None:
    assert write(found) == cell


def test_stars_follow_the_interval() -> None:
    assert points_cell(estimate(0.2, 0.1, 0.3), "**") == ("+20.0", "±10**")
    assert points_cell(estimate(0.2), "***") == ("+20.0", "***")


# Forms --------------------------------------------------------------------------------------------

NASTY = "a_b|c*d\\e{f}%g&h#i$j~k^l<m>`n`\x1b[31m\no"
GRID = Grid(
    "acc %", ["ROD", "right\nat once"],
    [
        Group([Line(NASTY, [Cell("12.5", "5–20"), Cell("-", "")])], "first | group"),
        Group([Line("other", [Cell("+3.0", "±1.0**"), Cell("100.0")])], "second"),
    ],
    caption="do not compare",
)  # fmt: skip


def test_markdown_keeps_its_columns_for_any_name() -> None:
    rows = [line for line in markdown(GRID).splitlines() if line.startswith("|")]
    cells = [re.split(r"(?<!\\)\|", row)[1:-1] for row in rows]
    assert {len(row) for row in cells} == {3}
    assert [cell.strip() for cell in cells[0]] == ["", "ROD", "right at once"]
    assert cells[3][1].strip() == "12.5 (5–20)"
    assert cells[5][1].strip() == r"+3.0 ±1.0\*\*"
    assert "do not compare" in rows[-1]
    assert "\x1b" not in markdown(GRID)


def test_markdown_escapes_markup_in_names() -> None:
    row = next(line for line in markdown(GRID).splitlines() if "12.5" in line)
    shown = re.sub(r"\\(.)", r"\1", row.split(" | 12.5")[0].removeprefix("| "))
    assert shown == NASTY.replace("\x1b", "\N{REPLACEMENT CHARACTER}").replace("\n", " ")


def test_latex_escapes_all_special_characters() -> None:
    row = next(line for line in latex(GRID).splitlines() if "12.5" in line)
    assert row.count(" & ") == 2
    name = row.split(" & ")[0]
    bare = re.sub(r"\\text\w+\{\}|\\[{}%&#$_]", "", name)
    assert not set(bare) & set("\\{}%&#$_^~<>|")


def test_latex_is_one_table_with_groups_and_caption() -> None:
    lines = latex(GRID._replace(meaning="What it is.\nAnd how"), ["On data x."]).splitlines()
    assert "booktabs" in lines[0]
    assert lines[0].startswith("%")
    assert r"\begin{tabular}{lrr}" in lines
    assert r"\multicolumn{3}{l}{\emph{second}} \\" in lines
    (row,) = (number for number, line in enumerate(lines) if line == r"other & +3.0 & 100.0 \\")
    assert lines[row + 1] == r" & \scriptsize $\pm$1.0** &  \\"
    caption = r"\caption{acc \%. What it is. And how. On data x. \textbf{do not compare.}}"
    assert caption in lines
    assert (lines[1], lines[-1]) == (r"\begin{table*}[t]", r"\end{table*}")


def printed(grid: Grid, width: int = 80) -> list[str]:
    console = Console(width=width, force_terminal=False, no_color=True)
    with console.capture() as captured:
        console.print(TerminalTable(grid))
    return captured.get().splitlines()


def wide(name: str) -> Grid:
    cells = [Cell("100.0", "87–100")] * 8
    return Grid("acc %", ["MVP-N"] * 8, [Group([Line(name, cells)])])


def test_seven_scenarios_and_their_mean_fit_into_80_columns() -> None:
    lines = printed(wide("local:Qwen/Qwen2.5-VL-7B-Instruct tools hint"))
    assert max(map(len, lines)) <= 80
    assert "".join(lines).count("87–100") == 8


def test_a_long_name_is_folded_where_a_part_ends() -> None:
    lines = printed(wide("local:Qwen/Qwen2.5-VL-7B-Instruct"))
    names = [line[:16].strip() for line in lines[4:]]
    assert [name for name in names if name] == ["local:Qwen/", "Qwen2.5-VL-7B-", "Instruct"]


def test_a_name_without_parts_is_cut_anywhere() -> None:
    name = "x" * 50
    assert "".join(printed(wide(name))).count("x") == 50


def test_headings_are_printed_above_their_lines() -> None:
    lines = [line.strip() for line in printed(GRID)]
    assert lines.index("second") > lines.index("first | group")
    assert lines[lines.index("second") + 1].startswith("other")
    assert "do not compare" in lines


def test_the_heading_of_a_single_group_is_a_part_of_the_title() -> None:
    grid = GRID._replace(groups=[Group([Line("a", [Cell("1"), Cell("2")])], "tools, hint")])
    assert printed(grid)[0].strip() == "acc %: tools, hint"


def test_control_characters_in_names_are_not_printed() -> None:
    assert "\x1b" not in "\n".join(printed(GRID))


def test_csv_text_is_never_a_formula() -> None:
    stream = io.StringIO()
    rows = [{"name": "=1+1", "value": -1.5}, {"name": "plain", "value": None}]
    write_csv(stream, ["name", "value"], rows)
    assert stream.getvalue() == "name,value\n'=1+1,-1.5\nplain,\n"


@pytest.mark.parametrize(
    "start", [*"=+-@＝＋－＠", "\n=", "\n", "\r", "\t", " =", "\u3000＝", "\ufeff="]
)
def test_a_csv_cell_never_begins_like_a_formula(start: str) -> None:
    stream = io.StringIO()
    write_csv(stream, ["text"], [{"text": f"{start}cmd|' /C calc'!A0"}])
    ((cell,),) = list(csv.reader(io.StringIO(stream.getvalue(), newline="")))[1:]
    assert cell[0] in "'\N{REPLACEMENT CHARACTER}"


def test_a_csv_cell_has_no_control_characters() -> None:
    stream = io.StringIO()
    write_csv(stream, ["text"], [{"text": "a\x1b[2J\x9b\x00\r\u202eb\nc\td"}])
    (_, text) = stream.getvalue().split("\n", 1)
    assert text == '"a�[2J����b\nc\td"\n'
