"""Handles find runs: `latest`, a number, part of a name, a path, a pattern."""

import json
import os
from pathlib import Path

import pytest

from proactive_agent.records.handles import find_run, find_runs, list_runs
from proactive_agent.tools import UserError
from tests.proactive_agent.run_folders import write_run

NAMES = ("a-oracle", "b-random", "c-oracle")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Three runs, of which `a-oracle` was started last."""
    results = tmp_path / "results"
    for name, day in zip(NAMES, (3, 1, 2), strict=True):
        folder = write_run(results / name)
        fields = json.loads(folder.manifest_file.read_text())
        folder.manifest_file.write_text(json.dumps(fields | {"started": f"2026-01-0{day}T00:00Z"}))
    (results / "report.html").write_text("")
    (results / "published").mkdir()
    return results


@pytest.mark.parametrize(
    ("handle", "name"),
    [
        ("latest", "a-oracle"),
        ("latest~0", "a-oracle"),
        ("latest~1", "c-oracle"),
        ("1", "a-oracle"),
        ("3", "b-random"),
        ("random", "b-random"),
        ("c-", "c-oracle"),
        ("a-oracle", "a-oracle"),
        ("*random", "b-random"),
    ],
)
def test_a_handle_finds_one_run(handle: str, name: str, results: Path) -> None:
    assert find_run(handle, results).path == results / name


def test_a_path_finds_a_run_and_handles_work_below_a_path(results: Path) -> None:
    elsewhere = results.parent / "elsewhere"
    assert find_run(str(results / "c-oracle"), elsewhere).path == results / "c-oracle"
    assert find_run(f"{results}/latest", elsewhere).path == results / "a-oracle"


def test_a_folder_named_like_a_handle_is_found_by_its_name(results: Path) -> None:
    write_run(results / "3")
    assert find_run("3", results).path == results / "3"


@pytest.mark.parametrize(("handle", "near"), [("ltest", "latest"), ("b-randon", "b-random")])
def test_a_mistyped_handle_is_answered_with_the_nearest(
    handle: str, near: str, results: Path
) -> None:
    with pytest.raises(UserError, match=f"no run '{handle}'; did you mean '{near}'"):
        find_run(handle, results)


def test_an_ambiguous_handle_lists_its_candidates(results: Path) -> None:
    with pytest.raises(
        UserError, match="'oracle' matches 2 runs: a-oracle, c-oracle; use a longer"
    ):
        find_run("oracle", results)


@pytest.mark.parametrize("handle", ["other", "latest~3", "4", "0", "x" * 300, "", "\0"])
def test_a_handle_that_finds_nothing_says_where_it_was_looked_up(
    handle: str, results: Path
) -> None:
    with pytest.raises(UserError, match=r"no run .* exists, and it is not a number or part of"):
        find_run(handle, results)


def test_a_pattern_finds_runs_by_name_and_repeats_none(results: Path) -> None:
    found = find_runs(["c-oracle", "*oracle"], results)
    assert [folder.path.name for folder in found] == ["c-oracle", "a-oracle"]
    found = find_runs([f"{results}/*"], results.parent)
    assert [folder.path.name for folder in found] == list(NAMES)
    with pytest.raises(UserError, match="no run matches 'x\\*'"):
        find_runs(["x*"], results)


def test_paths_that_hold_no_run_are_left_out_and_reported(results: Path) -> None:
    left_out: list[str] = []
    found = find_runs([str(path) for path in sorted(results.iterdir())], results, left_out.append)
    assert [folder.path.name for folder in found] == list(NAMES)
    assert [Path(path).name for path in left_out] == ["published", "report.html"]
    with pytest.raises(UserError, match="none of them holds run"):
        find_runs([str(results / "published")], results)


def test_unreadable_runs_are_listed_last_and_have_no_number(results: Path) -> None:
    for name in ("0-text", "0-loop", "0-pipe", "0-no-manifest"):
        (results / name).mkdir()
    (results / "0-text" / "run.json").write_text("{")
    (results / "0-loop" / "run.json").symlink_to("run.json")
    os.mkfifo(results / "0-pipe" / "run.json")
    (results / "0-no-manifest" / "episodes.jsonl").write_text("")
    listed = list_runs(results)
    assert [run.folder.path.name for run in listed[:3]] == ["a-oracle", "c-oracle", "b-random"]
    problems = {run.folder.path.name: run.problem for run in listed[3:]}
    assert list(problems) == ["0-loop", "0-no-manifest", "0-pipe", "0-text"]
    assert all(problem.startswith("run.json: ") for problem in problems.values())
    assert find_run("latest~2", results).path == results / "b-random"


def test_times_without_a_zone_and_extreme_times_can_be_sorted(results: Path) -> None:
    for name, time in {
        "d": "0001-01-01T00:00+23:59",
        "e": "9999-12-31T23:59-23:59",
        "f": "2026-01-01T00:00",
    }.items():
        folder = write_run(results / name)
        fields = json.loads(folder.manifest_file.read_text()) | {"started": time}
        folder.manifest_file.write_text(json.dumps(fields))
    listed = [run.folder.path.name for run in list_runs(results)]
    assert (listed[0], listed[-1]) == ("e", "d")
