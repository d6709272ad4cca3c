"""The output folder of a build, and its manifest `build.json`.

The folder is written under a temporary name and moved into place at the end. The manifest records
sources and settings. It contains no time and no absolute path, so that the same build gives the
same bytes. `--force` removes only the files that the manifest lists.
"""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from proactive_agent.disk.durable import make_folder
from proactive_agent.disk.inner_folders import refuse_links
from proactive_agent.disk.locks import HeldLock, LockedError
from proactive_agent.disk.os_errors import is_full
from proactive_agent.disk.regular_file import read_regular
from proactive_agent.disk.whole_files import not_written, write_whole
from proactive_agent.scenarios.builder.items import BuildError
from proactive_agent.scenarios.builder.writer import SUFFIX
from proactive_agent.scenarios.dataset import BUILD_FILE
from proactive_agent.scenarios.registry import SCENARIOS

TEST = "test"
TRAIN = "data"
_LOCK = ".lock"
_SHARD = re.compile(r"train-\d{5}-of-\d{5}\.parquet")


class ScenarioCounts(BaseModel):
    """Counts of one scenario of a build."""

    source: str
    """Name of the source folder or list."""
    sources_sha256: str
    """Hash of the key, label and box of every item."""
    items: int
    samples: int
    train_rows: int
    skipped: int


class BuildManifest(BaseModel):
    """The content of `build.json`."""

    program: str
    libraries: dict[str, str]
    seed: int
    settings: dict[str, Any]
    scenarios: dict[str, ScenarioCounts]
    shards: list[str]
    """Files of the train split."""


def check_place(out: Path, *, force: bool) -> None:
    """Raises UserError if a build must not write to `out`."""
    if out.exists() and not out.is_dir():
        raise BuildError(f"{out} is not a folder")
    if not out.is_dir() or not any(out.iterdir()):
        return
    if not force:
        raise BuildError(f"{out} is not empty; --force replaces an earlier build")
    read_manifest(out)
    refuse_links(out)  # Otherwise files outside the folder would be removed and replaced.


def read_manifest(out: Path) -> BuildManifest:
    """Reads the manifest of an earlier build. Raises BuildError if there is none."""
    try:
        # The name of a source may be no UTF-8. Pydantic refuses such a text in JSON.
        return BuildManifest.model_validate(json.loads(read_regular(out / BUILD_FILE)))
    except OSError:
        raise BuildError(
            f"{out} is not empty and has no {BUILD_FILE}, so it is not an earlier build; "
            "nothing is removed"
        ) from None
    except (ValueError, RecursionError) as error:
        reason = str(error).partition("\n")[0]
        raise BuildError(f"{out / BUILD_FILE}: not a manifest of a build ({reason})") from None


def write_manifest(folder: Path, manifest: BuildManifest) -> None:
    """Writes `build.json`."""
    text = json.dumps(manifest.model_dump(), indent=2, ensure_ascii=False)
    write_whole(folder / BUILD_FILE, text + "\n")


@contextmanager
def staged(out: Path) -> Iterator[Path]:
    """A temporary folder that replaces `out` at the end.

    If the body raises, the folder is removed and `out` stays unchanged.
    """
    make_folder(out.parent)
    folder, lock = _new_stage(out)
    try:
        yield folder
        _force_all_to_disk()
        lock.release()
        _put_in_place(folder, out)
        _force_all_to_disk()
    except OSError as error:
        if is_full(error):
            raise not_written(out, error) from error
        raise
    finally:
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)


def _new_stage(out: Path) -> tuple[Path, HeldLock]:
    """Makes a temporary folder, with a lock that says that its process is alive.

    Removes the folders that killed builds of the same name left.
    """
    prefix, suffix = f".{out.name}.", ".building"
    folder = Path(tempfile.mkdtemp(prefix=prefix, suffix=suffix, dir=out.parent))
    lock = HeldLock(folder / _LOCK)
    for other in out.parent.iterdir():
        named = other.name.startswith(prefix) and other.name.endswith(suffix)
        if named and other != folder and other.is_dir() and not other.is_symlink():
            with suppress(LockedError, OSError), HeldLock(other / _LOCK):
                shutil.rmtree(other)
    return folder, lock


def _force_all_to_disk() -> None:
    # One call for all: a build has thousands of files.
    if hasattr(os, "sync"):
        os.sync()


def _put_in_place(folder: Path, out: Path) -> None:
    # mkdtemp creates a private folder; the finished one gets ordinary permissions.
    folder.chmod(0o777 & ~_umask())
    if out.is_dir() and any(out.iterdir()):
        _remove_build(out, read_manifest(out))
    if out.is_dir() and not any(out.iterdir()):
        out.rmdir()
    if out.exists():
        _merge(folder, out)
    else:
        folder.rename(out)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _remove_build(out: Path, manifest: BuildManifest) -> None:
    """Removes the files of a build. The manifest's names are not trusted as paths."""
    for name in manifest.scenarios:
        if name in SCENARIOS:
            stem = SCENARIOS[name].stem
            (out / TEST / f"{stem}_preprocessed.jsonl").unlink(missing_ok=True)
            for frame in (out / TEST / stem).glob(f"*/*{SUFFIX}"):
                frame.unlink()
            _remove_empty(out / TEST / stem)
    for shard in manifest.shards:
        if _SHARD.fullmatch(shard):
            (out / TRAIN / shard).unlink(missing_ok=True)
    (out / BUILD_FILE).unlink()
    for folder in (out / TEST, out / TRAIN):
        _remove_empty(folder)


def _remove_empty(folder: Path) -> None:
    """Removes empty subfolders, and the folder itself if it is then empty."""
    if folder.is_dir() and not folder.is_symlink():
        for entry in folder.iterdir():
            _remove_empty(entry)
        if not any(folder.iterdir()):
            folder.rmdir()


def _merge(source: Path, target: Path) -> None:
    """Moves everything from `source` into the existing folder `target`."""
    for entry in source.iterdir():
        if entry.is_dir() and (target / entry.name).is_dir():
            _merge(entry, target / entry.name)
        else:
            entry.replace(target / entry.name)
