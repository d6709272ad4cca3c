"""A power cut loses nothing that was forced to the disk by `fsync`.

`Disk` notes what a process forces to the disk: the content of a file, and the names of a folder.
Each test fails if a call of `fsync` that it needs is removed.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from proactive_agent.cli.app import cli
from proactive_agent.records import run_folder
from proactive_agent.records.run_folder import EpisodeWriter, RunFolder
from proactive_agent.training.checkpoints import MARKER, mark_complete
from proactive_agent.training.folder import Journal, move_into_place
from tests.proactive_agent.written_records import episode
from tests.scenarios.builder.material import photo_folder

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux")


class Disk:
    """The files and names that a power cut would leave."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        """Renames outside this folder are ignored."""
        self.contents: dict[int, bytes] = {}
        """Content of a file at its last `fsync`, by inode."""
        self.names: dict[int, dict[str, int]] = {}
        """Names in a folder and their inodes at its last `fsync`, by the folder's inode."""
        self.renamed: list[str] = []
        self.renamed_too_early: list[str] = []
        """Files that got their final name before their content was on the disk."""
        self.before_rename: Callable[[Path], None] = lambda _: None

    def fsync(self, descriptor: int) -> None:
        self._note(Path(f"/proc/self/fd/{descriptor}").readlink())

    def _note(self, path: Path) -> None:
        inode = path.stat().st_ino
        if path.is_dir():
            self.names[inode] = {entry.name: entry.stat().st_ino for entry in path.iterdir()}
        else:
            self.contents[inode] = path.read_bytes()

    def sync(self) -> None:
        """Notes everything; `os.sync` forces all files to the disk."""
        for path in [self.folder, *self.folder.rglob("*")]:
            self._note(path)

    def rename(self, source: Path, target: Path) -> None:
        if not target.is_relative_to(self.folder):
            return
        self.renamed.append(target.name)
        files = [source, *source.rglob("*")] if source.is_dir() else [source]
        self.renamed_too_early += [
            file.name for file in files if file.is_file() and not self.has_content(file)
        ]
        self.before_rename(target)

    def has_content(self, file: Path) -> bool:
        return self.contents.get(file.stat().st_ino) == file.read_bytes()

    def has_name(self, entry: Path) -> bool:
        names = self.names.get(entry.parent.stat().st_ino, {})
        return names.get(entry.name) == entry.stat().st_ino

    def lost(self, folder: Path) -> list[str]:
        """The files and folders below a folder that a power cut would damage or remove."""
        return [
            entry.relative_to(folder).as_posix()
            for entry in sorted(folder.rglob("*"))
            if not self.has_name(entry) or (entry.is_file() and not self.has_content(entry))
        ]


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    made = Disk(tmp_path)
    fsync, replace, rename = os.fsync, os.replace, os.rename

    def noted_fsync(descriptor: Any) -> None:
        fsync(descriptor)
        made.fsync(descriptor if isinstance(descriptor, int) else descriptor.fileno())

    def noted_replace(source: Any, target: Any, **more: Any) -> None:
        made.rename(Path(source), Path(target))
        replace(source, target, **more)

    def noted_rename(source: Any, target: Any, **more: Any) -> None:
        made.rename(Path(source), Path(target))
        rename(source, target, **more)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "sync", made.sync)
    monkeypatch.setattr(os, "rename", noted_rename)
    monkeypatch.setattr(os, "replace", noted_replace)
    yield made
    assert made.renamed_too_early == []


def done(*arguments: object) -> None:
    result = CliRunner().invoke(cli, [*map(str, arguments)])
    assert result.exit_code == 0, result.output


# Runs --------------------------------------------------------------------------------------------

RUN = ("--provider", "baseline:random", "--scenario", "rod", "--limit", 2)


def test_a_run_survives_a_power_cut_after_its_end(disk: Disk, tmp_path: Path) -> None:
    done("run", *RUN, "--out", tmp_path / "new" / "results")
    assert disk.lost(tmp_path) == []
    assert {"run.json", "summary.json"} <= set(disk.renamed)


def test_episodes_survive_when_their_time_or_their_number_is_up(
    disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder(tmp_path / "run")
    with EpisodeWriter(folder) as writer:
        monkeypatch.setattr(run_folder, "SYNC_SECONDS", 1 << 60)
        monkeypatch.setattr(run_folder, "SYNC_RECORDS", 3)
        for number in range(3):
            assert not disk.has_content(folder.episodes_file) or not number
            writer.write(episode("right", sample_id=number))
        assert disk.has_content(folder.episodes_file)
        assert disk.has_name(folder.episodes_file)
        monkeypatch.setattr(run_folder, "SYNC_SECONDS", 0)
        writer.write(episode("right", sample_id=3))
        assert disk.has_content(folder.episodes_file)


@pytest.mark.parametrize(
    ("command", "written"),
    [
        ("judge {run} --judge rules", "{run}/judgements/rules-v2.jsonl"),
        ("export {run} --format csv -o {out}/tables", "{out}/tables/turns.csv"),
        ("report {run} -o {out}/report.html", "{out}/report.html"),
    ],
)
def test_what_is_written_from_a_run_survives(
    command: str, written: str, disk: Disk, tmp_path: Path
) -> None:
    done("run", *RUN, "--protocol", "oeg", "--out", tmp_path / "results")
    (run,) = (tmp_path / "results").iterdir()
    places = {"run": run, "out": tmp_path / "out"}
    done(*command.format(**places).split())
    assert Path(written.format(**places)).is_file()
    assert disk.lost(tmp_path) == []


@pytest.mark.parametrize("again", [False, True], ids=["new", "replaced"])
def test_a_build_survives(again: bool, disk: Disk, tmp_path: Path) -> None:
    photos, out = photo_folder(tmp_path / "photos"), tmp_path / "new" / "out"
    command = ["build", photos, "--scenario", "rod", "--out", out, "--workers", 1]
    if again:
        done(*command)
        (out / "mine.txt").write_text("mine")  # The folder stays, and the build is merged into it.
        disk.sync()
        command += ["--force", "--seed", 1]
    done(*command)
    assert disk.lost(tmp_path / "new") == []
    assert disk.has_name(tmp_path / "new")


# Trainings ---------------------------------------------------------------------------------------


def test_every_line_of_a_journal_survives(disk: Disk, tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for step in (1, 2):
        journal.write("grpo", step, {"loss": 0.5})
        assert disk.has_content(journal.file)
        assert disk.has_name(journal.file)


def test_the_marker_of_a_checkpoint_comes_after_all_its_files(disk: Disk, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints" / "checkpoint-1"
    (folder / "inner").mkdir(parents=True)
    for name in ("model.safetensors", "inner/optimizer.pt", "trainer_state.json"):
        (folder / name).write_text("{}")
    lost: list[str] = []
    disk.before_rename = lambda target: lost.extend(disk.lost(target.parent))
    mark_complete(folder)
    assert [name for name in lost if not name.startswith(".")] == []
    assert disk.renamed == [MARKER]
    assert disk.lost(folder.parent) == []


def test_a_trained_model_survives(disk: Disk, tmp_path: Path) -> None:
    unfinished = tmp_path / ".unfinished"
    (unfinished / "inner").mkdir(parents=True)
    (unfinished / "model.safetensors").write_text("weights")
    (unfinished / "inner" / "template.jinja").write_text("template")
    move_into_place(unfinished, tmp_path)
    assert disk.lost(tmp_path) == []


@pytest.mark.local
def test_a_whole_training_survives(disk: Disk, tmp_path: Path) -> None:
    pytest.importorskip("trl", reason="needs the extra `train`")
    from tests.proactive_agent.training.models import split
    from tests.providers import tiny_models

    out, journal = tmp_path / "out", tmp_path / "out" / "log.jsonl"
    lost: list[str] = []

    def at_marker(target: Path) -> None:
        if target.name == MARKER:
            lost.extend(name for name in disk.lost(target.parent) if name[0] != ".")
            assert disk.has_content(journal)

    disk.before_rename = at_marker
    done("train", "--model", tiny_models.folder("smolvlm"), "--data", split(), "--out", out,
         "--method", "sft", "--batch-size", 4, "--device-batch-size", 4, "--rollouts", 2,
         "--max-steps", 2, "--save-every", 1, "--keep", 1, "--eval-limit", 0)  # fmt: skip
    assert lost == []
    assert disk.renamed.count(MARKER) == 2
    # The trainer's own notes about its last checkpoint are of no use to a reader.
    assert [name for name in disk.lost(tmp_path) if not name.startswith("out/checkpoints/R")] == []
