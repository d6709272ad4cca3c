"""A full disk: one error, the old files, and nothing half-written."""

import gc
import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from proactive_agent.cli.app import cli
from proactive_agent.records import manifest
from tests.hostile.attacking import refusal
from tests.proactive_agent.disk.test_whole_files import largest_file
from tests.proactive_agent.run_folders import write_run
from tests.proactive_agent.written_records import episode

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no limit of file sizes")


@pytest.fixture(autouse=True)
def no_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps the limit of file sizes from git, which would leave a lock in this checkout."""
    monkeypatch.setattr(manifest, "git_commit", lambda: None)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    played = [episode("ask", "right", sample_id=number) for number in range(9)]
    return write_run(tmp_path / "run", played, provider="baseline:oracle").path


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_both_tables_are_written_or_none(run: Path, form: str) -> None:
    command = ("export", str(run), "--format", form)
    assert CliRunner().invoke(cli, command).exit_code == 0
    files = sorted((run / "tables").iterdir())
    sizes = sorted(file.stat().st_size for file in files)
    before = {file: (file.stat().st_ino, file.read_bytes()) for file in files}
    with largest_file((sizes[0] + sizes[1]) // 2):  # One table fits.
        message = refusal(*command)
    assert "cannot be written: " in message
    assert "File too large; free some space" in message
    assert {f: (f.stat().st_ino, f.read_bytes()) for f in (run / "tables").iterdir()} == before


def test_an_inspect_log_gives_no_second_error(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("inspect_ai")
    later: list[BaseException | None] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda found: later.append(found.exc_value))
    with largest_file(400):
        message = refusal("export", run, "--format", "inspect")
        gc.collect()
    assert "inspect.eval cannot be written: File too large" in message
    assert [error for error in later if isinstance(error, OSError)] == []


def test_a_run_that_cannot_begin_leaves_no_folder(tmp_path: Path) -> None:
    command = ("run", "--provider", "baseline:oracle", "--scenario", "rod", "--limit", "1")
    with largest_file(100):
        message = refusal(*command, "--out", tmp_path / "results")
    assert "run.json cannot be written: File too large; free some space" in message
    assert list((tmp_path / "results").iterdir()) == []


def test_a_run_whose_records_do_not_fit_stays_resumable(tmp_path: Path) -> None:
    command = ("run", "--provider", "baseline:oracle", "--scenario", "rod")
    with largest_file(50_000):
        refusal(*command, "--out", tmp_path)
    (folder,) = tmp_path.iterdir()
    assert json.loads((folder / "run.json").read_text())["status"] == "interrupted"
    assert (folder / "episodes.jsonl").read_bytes().endswith(b"\n")
