"""The command `build`."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from proactive_agent.cli.app import cli
from proactive_agent.disk.locks import HeldLock
from tests.scenarios.builder.material import (
    LABELS,
    drawings,
    lines_of,
    photo_folder,
    photo_list,
)


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["build", *map(str, arguments)])


def test_pictures_become_a_scenario(tmp_path: Path) -> None:
    photos = photo_folder(tmp_path / "photos")
    result = invoke(photos, "--scenario", "ROD", "--out", tmp_path / "out", "--workers", 1,
                    "--question", "What is it?")  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "rod" in result.stdout
    assert "10 items of the source have no box; their middle is hidden" in result.stdout
    assert f"run --data {tmp_path / 'out'}" in result.stdout.replace("\n", "")
    prompts = {f["prompt"] for f in lines_of(tmp_path / "out", "Realistic-Occlusion-Dataset")}
    assert prompts == {"What is it?"}


def test_a_scenario_can_have_a_source_of_its_own(tmp_path: Path) -> None:
    photos = photo_list(tmp_path / "photos")
    strokes = drawings(tmp_path / "d.ndjson")
    result = invoke(photos, "--scenario", "coco", "--scenario", f"quickdraw={strokes}",
                    "--out", tmp_path / "out", "--workers", 1)  # fmt: skip
    assert result.exit_code == 0, result.output
    assert len(lines_of(tmp_path / "out", "coco2014")) == 10
    assert len(lines_of(tmp_path / "out", "QuickDraw")) == 10


def test_what_was_left_out_is_said_and_no_failure(tmp_path: Path) -> None:
    photos = photo_folder(tmp_path / "photos")
    (photos / LABELS[0] / "0.png").write_bytes(b"")
    result = invoke(photos, "--scenario", "rod", "--out", tmp_path / "out", "--workers", 1)
    assert result.exit_code == 0
    assert "rod: left out: " in result.stderr
    assert "0.png" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--scenario", "rod"], "no SOURCE for rod: pass SOURCE, or --scenario rod=SOURCE"),
        (["nowhere", "--scenario", "rod"], "nowhere does not exist"),
        (["nowhere", "--scenario", "cubism"], "unknown scenario 'cubism'"),
        (["nowhere"], "--scenario"),
        (["nowhere", "--scenario", "rod", "--train-share", "1"], "--train-share"),
    ],
)
def test_wrong_input_is_one_clear_line_and_exit_code_2(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    result = invoke(*arguments, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "out").exists()


def begun(tmp_path: Path) -> subprocess.Popen[str]:
    """A build that has written its first pictures."""
    photos = photo_folder(tmp_path / "photos", each=60)
    command = [sys.executable, "-m", "proactive_agent", "build", str(photos), "--scenario", "vsod",
               "--out", str(tmp_path / "out"), "--workers", "2"]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while not any(tmp_path.glob(".out.*.building/test/*/*")) and time.monotonic() < until:
        time.sleep(0.02)
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_nothing_behind(number: signal.Signals, tmp_path: Path) -> None:
    process = begun(tmp_path)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + number, errors
    assert "interrupted; nothing was written" in errors
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_the_next_build_removes_what_a_killed_one_left_and_nothing_of_a_living_one(
    tmp_path: Path,
) -> None:
    process = begun(tmp_path)
    process.kill()
    # The pipe ends when the last worker has ended.
    process.communicate(timeout=60)
    (left,) = tmp_path.glob(".out.*.building")
    living = tmp_path / ".out.living.building"
    living.mkdir()
    with HeldLock(living / ".lock"):
        result = invoke(tmp_path / "photos", "--scenario", "vsod", "--out", tmp_path / "out",
                        "--workers", 1, "--limit", 2)  # fmt: skip
        assert result.exit_code == 0, result.output
        assert not left.exists()
        assert living.exists()
    assert not (tmp_path / "out" / ".lock").exists()
