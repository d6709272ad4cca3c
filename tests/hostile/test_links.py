"""Links inside folders that are written. Nothing outside the folder is changed."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from proactive_agent.disk.inner_folders import make_inner_folder
from proactive_agent.disk.locks import HeldLock, is_locked
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.runs.rejudge import JudgementFile
from proactive_agent.scenarios.builder.output import BuildManifest, check_place, write_manifest
from proactive_agent.tools import NotWrittenError
from tests.hostile.attacking import named, refusal
from tests.proactive_agent.run_folders import write_run
from tests.proactive_agent.written_records import episode

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links need rights")


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A folder of the user, to which the links lead."""
    folder = tmp_path / "victim"
    folder.mkdir()
    (folder / "run.json").write_text("precious")
    return folder


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    played = [episode("ask", "right", sample_id=0), episode("wrong", sample_id=1)]
    return write_run(tmp_path / "run", played, provider="baseline:oracle")


def assert_unchanged(victim: Path) -> None:
    assert [(file.name, file.read_text()) for file in victim.iterdir()] == [
        ("run.json", "precious")
    ]


EXPORTS: list[tuple[str, str, str]] = [
    ("csv", "tables", "csv"),
    ("parquet", "tables", "parquet"),
    ("a data set", "hub", "hf"),
    ("a folder of the data set", "hub/data", "hf"),
]


@pytest.mark.parametrize(("link", "form"), named(EXPORTS))
def test_an_export_follows_no_link(run: RunFolder, victim: Path, link: str, form: str) -> None:
    (run.path / link).parent.mkdir(exist_ok=True)
    (run.path / link).symlink_to(victim)
    assert f"{run.path / link} is a link" in refusal("export", run.path, "--format", form)
    assert_unchanged(victim)


def test_an_export_to_a_link_of_the_user_is_written(run: RunFolder, victim: Path) -> None:
    link = victim.parent / "mine"
    link.symlink_to(victim)
    make_inner_folder(link / "tables", within=run.path)
    assert (victim / "tables").is_dir()


def test_judgements_follow_no_link(run: RunFolder, victim: Path) -> None:
    (run.path / "judgements").symlink_to(victim)
    with pytest.raises(NotWrittenError, match="judgements is a link"):
        JudgementFile(run, "rules").writer()
    assert_unchanged(victim)


@pytest.mark.parametrize("link", [".unfinished", "checkpoints", "checkpoints/checkpoint-2/x.bin"])
def test_a_training_is_not_resumed_through_a_link(tmp_path: Path, victim: Path, link: str) -> None:
    pytest.importorskip("trl", reason="needs the extra `train`")
    from tests.proactive_agent.training.test_checkpoints import manifest

    manifest().write(tmp_path / "out")
    (tmp_path / "out" / link).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "out" / link).symlink_to(victim)
    message = refusal("train", "--resume", "--out", tmp_path / "out")
    assert f"{tmp_path / 'out' / link} is a link" in message
    assert_unchanged(victim)


def test_a_build_is_not_replaced_through_a_link(tmp_path: Path, victim: Path) -> None:
    manifest = BuildManifest(
        program="1", libraries={}, seed=0, settings={}, scenarios={}, shards=[]
    )
    write_manifest(tmp_path, manifest)
    (tmp_path / "test").symlink_to(victim)
    with pytest.raises(NotWrittenError, match="test is a link"):
        check_place(tmp_path, force=True)


MADE: list[Callable[[Path], object]] = [
    Path.mkdir,
    os.mkfifo,
    lambda file: file.symlink_to(file.name),
]


@pytest.mark.parametrize("make", MADE, ids=["folder", "pipe", "link to itself"])
def test_a_lock_file_that_is_none_is_not_held(
    run: RunFolder, make: Callable[[Path], object]
) -> None:
    make(run.lock_file)
    assert not is_locked(run.lock_file)
    manifest = run.read_manifest().model_copy(update={"status": "running"})
    run.write_manifest(manifest)
    assert run.read_manifest().status == "interrupted"
    with pytest.raises(OSError, match=r"is a link|directory|not a regular file"):
        HeldLock(run.lock_file)


def test_a_lock_is_not_looked_for_behind_a_link(run: RunFolder, tmp_path: Path) -> None:
    with HeldLock(tmp_path / "other.lock"):
        run.lock_file.symlink_to(tmp_path / "other.lock")
        assert not is_locked(run.lock_file)
