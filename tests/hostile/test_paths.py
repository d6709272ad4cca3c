"""Paths that no file can have: each command ends with one line and exit code 2."""

import os
import sys
from pathlib import Path

import pytest

from tests.hostile.attacking import named, refusal
from tests.proactive_agent.run_folders import write_run
from tests.proactive_agent.written_records import episode

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links need rights")

PLAY = ("run", "--scenario", "rod", "--limit", "1", "--provider")
TRAIN = ("train", "--model", "x/y", "--data", "PATH", "--out")

COMMANDS: list[tuple[str, tuple[str, ...]]] = [
    ("run --out", (*PLAY, "baseline:oracle", "--out", "PATH")),
    ("run --data", (*PLAY, "baseline:oracle", "--out", "out", "--data", "PATH")),
    ("run --plan", ("run", "--plan", "PATH")),
    ("run --resume", ("run", "--resume", "PATH")),
    ("run, replay", (*PLAY, "replay:PATH", "--out", "out")),
    ("run, local", (*PLAY, "local:PATH", "--out", "out")),
    ("run --cache", (*PLAY, "openai:x@http://127.0.0.1:1/v1", "--out", "out", "--cache", "PATH")),
    ("train --resume", ("train", "--resume", "--out", "PATH")),
    ("train --data", (*TRAIN, "out")),
    ("train --out", (*TRAIN, "PATH")),
    ("train --eval-data", (*TRAIN, "out", "--eval-data", "PATH")),
    ("compare", ("compare", "PATH")),
    ("report", ("report", "run", "-o", "PATH/report.html")),
    ("export, csv", ("export", "run", "--format", "csv", "-o", "PATH")),
    ("export, inspect", ("export", "run", "--format", "inspect", "-o", "PATH/x.eval")),
    ("data verify", ("data", "verify", "PATH")),
    ("data protocol", ("data", "protocol", "PATH")),
    ("build", ("build", "PATH", "--scenario", "coco", "--out", "out")),
    ("build --out", ("build", "pictures", "--scenario", "coco", "--out", "PATH")),
]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "run", [episode("ask", "right")], provider="baseline:oracle")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").touch()
    return tmp_path


@pytest.mark.parametrize(
    "path", ["x" * 5000, "loop", "./file/inside"], ids=["long", "loop", "file"]
)
@pytest.mark.parametrize("command", named(COMMANDS))
def test_an_impossible_path_is_one_line(here: Path, path: str, command: tuple[str, ...]) -> None:
    message = refusal(*(part.replace("PATH", path) for part in command))
    assert message.count("\n") == 1 or message.startswith("Usage: ")
    assert not os.path.lexists(here / "out") or not any((here / "out").glob("*/episodes.jsonl"))
