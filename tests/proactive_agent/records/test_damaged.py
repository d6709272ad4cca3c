"""Run folders of earlier versions with lines that cannot be read."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from proactive_agent import open_run
from proactive_agent.cli.app import cli
from proactive_agent.exports.tables import write_csv_tables, write_parquet_tables
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.tools import UserError
from tests.proactive_agent.run_folders import write_run
from tests.proactive_agent.written_records import episode


def with_line(path: Path, spoil: Callable[[dict[str, Any]], Any]) -> RunFolder:
    """Returns a run of three episodes; `spoil` changes the line of the second."""
    folder = write_run(path, [episode("ask", "right", sample_id=i) for i in range(3)])
    lines = folder.episodes_file.read_text().splitlines()
    fields = json.loads(lines[1])
    spoil(fields)
    lines[1] = json.dumps(fields)
    folder.episodes_file.write_text("\n".join(lines) + "\n")
    return folder


def set_tokens(value: Any) -> Callable[[dict[str, Any]], None]:
    def spoil(fields: dict[str, Any]) -> None:
        for usage in (fields["turns"][0]["usage"], fields["usage"]):
            usage.update(output_tokens=value)

    return spoil


SPOILED: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
    (set_tokens(2**70), r"usage.output_tokens: .* less than or equal to"),
    (set_tokens(int("9" * 400)), "usage.output_tokens"),
    (set_tokens(-1), r"usage.output_tokens: .* greater than or equal to 0"),
    (set_tokens(float("nan")), "usage.output_tokens"),
    (lambda fields: fields["usage"].update(cost_usd=float("inf")), "usage.cost_usd"),
    (lambda fields: fields["turns"][0]["reply"].update(finish_reason={"a": 1}), "finish_reason"),
    (lambda fields: fields["turns"][0]["reply"].update(finish_reason="\ud800"), "Invalid JSON"),
    (lambda fields: fields.update(fewest=2**70), "fewest"),
    (lambda fields: fields.pop("turns"), "turns: Field required"),
]


@pytest.mark.parametrize(("spoil", "problem"), SPOILED)
def test_a_damaged_line_is_an_error_of_its_episode(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], Any], problem: str
) -> None:
    folder = with_line(tmp_path / "run", spoil)
    for episodes in (folder.outlines(), list(folder.episodes())):
        first, damaged, last = episodes
        assert (first.error, last.error) == (None, None)
        assert damaged.error is not None
        assert (damaged.error.source, damaged.error.kind) == ("record", "damaged_record")
        assert damaged.error.message.startswith("episodes.jsonl, line 2, cannot be read: ")
    assert folder.keys_done() == {("rod", 0, 0), ("rod", 2, 0)}
    found = folder.read_episode(folder.outlines()[1])
    assert found.error is not None
    assert re.search(problem, found.error.message)


def test_every_reader_gets_past_a_damaged_line(tmp_path: Path) -> None:
    folder = with_line(tmp_path / "run", set_tokens(2**70))
    assert open_run(folder.path).summary.errors == 1
    write_csv_tables(folder, tmp_path / "csv")
    write_parquet_tables(folder, tmp_path / "parquet")
    report = ["report", "-o", str(tmp_path / "report.html")]
    for command in (["trace"], ["trace", "--sample", "rod:1"], ["why"], ["compare"], report):
        shown = CliRunner().invoke(cli, [command[0], str(folder.path), *command[1:]])
        assert (shown.exit_code, shown.exception) == (0, None), command


def test_a_line_that_names_no_episode_is_wrong_input(tmp_path: Path) -> None:
    folder = with_line(tmp_path / "run", lambda fields: fields.pop("sample_id"))
    with pytest.raises(UserError, match=r"episodes\.jsonl, line 2: sample_id: Field required"):
        folder.outlines()
