"""The commit of the program's checkout in `run.json`."""

import subprocess
from pathlib import Path

import pytest

from proactive_agent.records import manifest


def test_git_writes_nothing_when_it_is_asked_for_the_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`git describe --dirty` would refresh the index, and a kill would leave `index.lock`."""
    home = tmp_path / "program"
    for words in (["init", "-q", str(home)], ["-C", str(home), "config", "user.email", "a@b"],
                  ["-C", str(home), "config", "user.name", "a"]):  # fmt: skip
        subprocess.run(["git", *words], check=True)
    (home / "x").write_text("x")
    for words in (["add", "x"], ["commit", "-q", "-m", "x"]):
        subprocess.run(["git", "-C", str(home), *words], check=True)
    index = home / ".git" / "index"
    (home / "x").touch()  # The index is stale now.
    before = index.read_bytes(), index.stat().st_mtime_ns
    monkeypatch.setattr(manifest, "__file__", str(home / "a" / "b" / "manifest.py"))
    commit = manifest.git_commit()
    assert commit is not None
    assert len(commit) == 40
    assert (index.read_bytes(), index.stat().st_mtime_ns) == before
    (home / "x").write_text("changed")
    assert manifest.git_commit() == f"{commit}-dirty"
