"""Archives and downloads from someone else.

Unpacking writes nothing outside the folder and no more than an archive declares. A download is
compared with the hash that the Hub gives.
"""

import hashlib
import random
import shutil
import stat
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from proactive_agent.scenarios import download as download_module
from proactive_agent.scenarios.download import unpack
from proactive_agent.tools import UserError
from tests.hostile.attacking import no_stall
from tests.scenarios.local_hub import LocalHub, Space, write_release


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


OUTSIDE = [
    "../x", "/tmp/x", "good/../../x", "..\\x", "C:\\x", "\\\\host\\x", "..", "../" * 20_000,
]  # fmt: skip


@pytest.mark.parametrize("name", OUTSIDE, ids=range(len(OUTSIDE)))
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


@pytest.mark.parametrize("name", ["", ".", "./", "\0x"])
def test_an_entry_without_a_name_stops_all(
    archive: zipfile.ZipFile, tmp_path: Path, name: str
) -> None:
    # zipfile cannot write some of these names, so another one is written and replaced.
    archive.writestr("####", "x")
    for entry in archive.infolist():
        entry.filename = entry.filename.replace("####", name)  # in the directory at the end
    assert "has no name" in refusal(archive, tmp_path)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("at", [0, 1, 4, 10, 30])
def test_damaged_content_is_told(tmp_path: Path, method: int, at: int) -> None:
    file = tmp_path / "a.zip"
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("x", random.Random(0).randbytes(5000))
    content = bytearray(file.read_bytes())
    start = 31 + at  # behind the entry's head and its name of one letter
    content[start : start + 20] = bytes(byte ^ 0xFF for byte in content[start : start + 20])
    file.write_bytes(content)
    with no_stall(), pytest.raises(UserError, match=r"a\.zip is damaged .*; delete it and run"):
        list(unpack(file, tmp_path))


@pytest.mark.parametrize("damage", ["cut", "flip", "none"])
def test_a_damaged_archive_is_told(archive: zipfile.ZipFile, tmp_path: Path, damage: str) -> None:
    archive.close()
    file = tmp_path / "a.zip"
    content = bytearray(file.read_bytes())
    content[45] ^= 0xFF if damage == "flip" else 0
    file.write_bytes({"cut": content[:-30], "flip": content, "none": b""}[damage])
    with pytest.raises(UserError, match=r"a\.zip is damaged .*; delete it and run again"):
        unpack_all(archive, tmp_path)


COCO = "test/coco2014_preprocessed.jsonl"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalHub:
    monkeypatch.setattr(download_module, "write_pack", lambda *_: None)
    return write_release(tmp_path / "hub", {"coco": "coco2014.zip"})


def download_coco(folder: Path, hub: LocalHub) -> None:
    list(download_module.download(folder, hub, scenarios=["coco"]))


def altered(content: bytes) -> bytes:
    return b"\0" + content[1:]


def test_a_download_that_differs_from_its_hash_is_deleted(tmp_path: Path, hub: LocalHub) -> None:
    listed = hub.files()
    hub.files = lambda: listed  # type: ignore[method-assign]
    (hub.root / COCO).write_bytes(altered((hub.root / COCO).read_bytes()))
    with pytest.raises(UserError, match=f"{COCO}: the downloaded file has the hash"):
        download_coco(tmp_path / "data", hub)
    assert [file for file in (tmp_path / "data").rglob("*") if file.is_file()] == []


@pytest.mark.parametrize("start", [b"\0" * 10, b"\0" * 10**6])
def test_a_part_that_was_altered_on_disk_is_noticed(
    tmp_path: Path, hub: LocalHub, start: bytes
) -> None:
    (file,) = (file for file in hub.files() if file.path == COCO)
    version = hashlib.sha256(file.etag.encode()).hexdigest()[:16]
    part = tmp_path / f"data/test/.download/{Path(COCO).name}.{version}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(start)
    with pytest.raises(UserError, match="It was deleted; run again"):
        download_coco(tmp_path / "data", hub)
    download_coco(tmp_path / "data", hub)
    assert (tmp_path / "data" / COCO).read_bytes() == (hub.root / COCO).read_bytes()


@pytest.mark.parametrize("etag", ["", "x" * 10_000])
def test_a_file_without_a_hash_is_refused(tmp_path: Path, hub: LocalHub, etag: str) -> None:
    listed = [file._replace(etag=etag) for file in hub.files()]
    hub.files = lambda: listed  # type: ignore[method-assign]
    with pytest.raises(UserError, match=f"{COCO}: the Hub gives no hash"):
        download_coco(tmp_path / "data", hub)


def declare(archive: zipfile.ZipFile, file: Path, true_size: int, size: int) -> None:
    """Falsifies an entry's size in both places where an archive records it."""
    archive.close()
    content = file.read_bytes()
    old, new = struct.pack("<I", true_size), struct.pack("<I", size)
    assert content.count(old) == 2
    file.write_bytes(content.replace(old, new))
