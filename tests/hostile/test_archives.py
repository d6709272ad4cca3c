"""Unpacking writes nothing outside the folder and no more than an archive declares."""

import shutil
import stat
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from proactive_agent.scenarios.download import unpack
from proactive_agent.tools import UserError
from tests.scenarios.local_hub import Space


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[zipfile.ZipFile]:
    (tmp_path / "inside").mkdir()
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("good/first.txt", "first")
        yield archive


def unpack_all(archive: zipfile.ZipFile, tmp_path: Path) -> list[tuple[int, int]]:
    archive.close()
    return list(unpack(tmp_path / "a.zip", tmp_path / "inside"))


def refusal(archive: zipfile.ZipFile, tmp_path: Path) -> str:
    """Checks that nothing was written and returns the reason."""
    with pytest.raises(UserError) as caught:
        unpack_all(archive, tmp_path)
    there = [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")]
    assert [name for name in there if name not in ("a.zip", "inside", "inside/link")] == []
    return str(caught.value)


def test_writes_files_and_folders(archive: zipfile.ZipFile, tmp_path: Path) -> None:
    archive.mkdir("empty")
    archive.writestr("good/second.txt", "two")
    assert unpack_all(archive, tmp_path) == [(5, 8), (5, 8), (8, 8)]
    assert (tmp_path / "inside/good/second.txt").read_text(encoding="utf-8") == "two"
    assert (tmp_path / "inside/empty").is_dir()


@pytest.mark.parametrize(
    "name", ["../x", "/tmp/x", "good/../../x", "..\\x", "C:\\x", "\\\\host\\x", ".."]
)
def test_a_path_that_leads_out_stops_all(
    archive: zipfile.ZipFile, tmp_path: Path, name: str
) -> None:
    archive.writestr(name, "x")
    assert "leads outside the data folder" in refusal(archive, tmp_path)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_a_link_or_device_stops_all(archive: zipfile.ZipFile, tmp_path: Path, kind: int) -> None:
    entry = zipfile.ZipInfo("odd")
    entry.external_attr = (kind | 0o777) << 16
    archive.writestr(entry, "/etc")
    assert "'odd' is not a regular file" in refusal(archive, tmp_path)


def test_a_link_that_is_there_already_is_not_followed_out(
    archive: zipfile.ZipFile, tmp_path: Path
) -> None:
    (tmp_path / "inside/link").symlink_to(tmp_path)
    archive.writestr("link/x", "x")
    assert "'link/x' leads outside" in refusal(archive, tmp_path)


def test_more_than_the_free_space_stops_all(
    archive: zipfile.ZipFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.writestr("bomb", bytes(10_000_000))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Space(0, 0, 9_999_999))
    assert "a.zip need 0.0 GB" in refusal(archive, tmp_path)


def test_no_more_is_written_than_was_declared(archive: zipfile.ZipFile, tmp_path: Path) -> None:
    archive.writestr("bomb", bytes(10_000_000))
    declare(archive, tmp_path / "a.zip", 10_000_000, 1000)
    with pytest.raises(UserError, match="is damaged"):
        unpack_all(archive, tmp_path)
    assert (tmp_path / "inside/bomb").stat().st_size <= 1000


def test_an_encrypted_entry_stops_all(archive: zipfile.ZipFile, tmp_path: Path) -> None:
    archive.close()
    content = bytearray((tmp_path / "a.zip").read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    assert "is encrypted" in refusal(archive, tmp_path)


@pytest.mark.parametrize("damage", ["cut", "flip", "none"])
def test_a_damaged_archive_is_told(archive: zipfile.ZipFile, tmp_path: Path, damage: str) -> None:
    archive.close()
    file = tmp_path / "a.zip"
    content = bytearray(file.read_bytes())
    content[45] ^= 0xFF if damage == "flip" else 0
    file.write_bytes({"cut": content[:-30], "flip": content, "none": b""}[damage])
    with pytest.raises(UserError, match=r"a\.zip is damaged .*; delete it and run again"):
        unpack_all(archive, tmp_path)


def declare(archive: zipfile.ZipFile, file: Path, true_size: int, size: int) -> None:
    """Falsifies an entry's size in both places where an archive records it."""
    archive.close()
    content = file.read_bytes()
    old, new = struct.pack("<I", true_size), struct.pack("<I", size)
    assert content.count(old) == 2
    file.write_bytes(content.replace(old, new))
