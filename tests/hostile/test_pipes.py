"""Pipes in place of files. Opening a pipe without a writer blocks, so no command may do that."""

import os
import sys
from pathlib import Path

import pytest

from proactive_agent.providers.api.keys import read_env_file
from proactive_agent.runs.rejudge import JudgementFile
from proactive_agent.tools import UserError
from tests.hostile.attacking import named, no_stall, refusal
from tests.proactive_agent.run_folders import write_run
from tests.proactive_agent.written_records import episode

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no pipes")

PLAY = ("run", "--scenario", "rod", "--out", "out")
BUILD = ("build", "--out", "out", "--scenario")

PIPES: list[tuple[str, str, tuple[str, ...]]] = [
    ("a plan", "plan.yaml", ("run", "--plan", "plan.yaml")),
    ("a wheel", "x.whl", ("data", "protocol", ".", "--wheel", "x.whl")),
    ("a list in CSV", "list.csv", (*BUILD, "coco=list.csv")),
    ("a list in JSONL", "list.jsonl", (*BUILD, "coco=list.jsonl")),
    ("drawings", "cat.ndjson", (*BUILD, "quickdraw=cat.ndjson")),
    ("the manifest of a build", "out/build.json", (*BUILD, "coco=pictures", "--force")),
    ("labelled answers", "answers.jsonl", ("judge", "--agreement", "answers.jsonl")),
    ("a replay", "replay.jsonl", (*PLAY, "--provider", "replay:replay.jsonl")),
    ("the settings of a training", "out/train.json", ("train", "--resume", "--out", "out")),
    ("the configuration of a model", "model/config.json", (*PLAY, "--provider", "local:model")),
    ("weights", "model/model.safetensors", (*PLAY, "--provider", "local:model")),
    ("an adapter", "model/adapter_config.json", (*PLAY, "--provider", "local:model")),
]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of the commands."""
    monkeypatch.chdir(tmp_path)
    for name in ("pictures/cat", "model", "out"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize(("file", "command"), named(PIPES))
def test_a_pipe_is_refused_at_once(here: Path, file: str, command: tuple[str, ...]) -> None:
    os.mkfifo(here / file)
    message = refusal(*command)
    assert Path(file).name in message


def test_a_list_of_similar_labels_that_is_a_pipe(here: Path) -> None:
    os.mkfifo(here / "similar.json")
    (here / "list.csv").write_text("path,label,x,y,width,height\n1.png,cat,1,1,9,9\n")
    message = refusal(*BUILD, "coco=list.csv", "--similar", "similar.json")
    assert message == "error: similar.json: not a regular file\n"


WRITTEN = [
    ("tables", "tables/episodes.csv", ("export", "run", "--format", "csv")),
    ("a log", "inspect.eval", ("export", "run", "--format", "inspect")),
    ("spans", "spans.jsonl", ("export", "run", "--format", "otel")),
    ("a page", "x.html", ("report", "run", "-o", "run/x.html")),
]


@pytest.mark.parametrize(("file", "command"), named(WRITTEN))
def test_a_pipe_in_place_of_an_output_is_refused(
    here: Path, file: str, command: tuple[str, ...]
) -> None:
    """Opening the pipe for writing would wait for a reader."""
    write_run(here / "run", [episode("ask", "right", sample_id=0)])
    (here / "run" / file).parent.mkdir(exist_ok=True)
    os.mkfifo(here / "run" / file)
    message = refusal(*command)
    assert f"{file} cannot be written: not a regular file; remove it" in message


def test_an_environment_file_that_is_a_pipe_is_empty(here: Path) -> None:
    os.mkfifo(here / ".env")
    with no_stall():
        assert read_env_file() == {}


def test_judgements_that_are_a_pipe_are_named(here: Path) -> None:
    file = JudgementFile(write_run(here / "run"), "rules")
    file.file.parent.mkdir()
    os.mkfifo(file.file)
    with no_stall(), pytest.raises(UserError, match=r"rules\.jsonl: not a regular file"):
        file.read()


@pytest.mark.local
def test_a_train_split_with_a_pipe_is_refused(here: Path) -> None:
    rows = pytest.importorskip("proactive_agent.training.rows")
    pytest.importorskip("datasets")
    os.mkfifo(here / "train-00000.parquet")
    with no_stall(), pytest.raises(UserError, match="parquet: not a regular file"):
        rows.read_split(str(here))
