"""The folder of a build: written aside and put in place at the end, with a manifest.

`build.json` tells what was built from what, and how.  It holds no time and no absolute path, so
that the same build gives the same bytes.  `--force` removes what the manifest says was built, and
nothing else.
"""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from proactive_agent.scenarios.builder.items import BuildError
from proactive_agent.scenarios.builder.writer import SUFFIX
from proactive_agent.scenarios.registry import SCENARIOS

MANIFEST = "build.json"
TEST = "test"
TRAIN = "data"
_SHARD = re.compile(r"train-\d{5}-of-\d{5}\.parquet")


class ScenarioCounts(BaseModel):
    """What became of a scenario's source."""

    source: str
    """Name of the folder or list."""
    sources_sha256: str
    """Over the key, label and box of every item."""
    items: int
    samples: int
    train_rows: int
    skipped: int


class BuildManifest(BaseModel):
    """What `build.json` holds."""

    program: str
    libraries: dict[str, str]
    seed: int
    settings: dict[str, Any]
    scenarios: dict[str, ScenarioCounts]
    shards: list[str]
    """Files of the train split."""


def check_place(out: Path, *, force: bool) -> None:
    """Raises BuildError where a build must not write."""
    if out.exists() and not out.is_dir():
        raise BuildError(f"{out} is no folder")
    if not out.is_dir() or not any(out.iterdir()):
        return
    if not force:
        raise BuildError(f"{out} is not empty; --force replaces an earlier build")
    read_manifest(out)


def read_manifest(out: Path) -> BuildManifest:
    """The manifest of an earlier build.  Raises BuildError where there is none."""
    try:
        return BuildManifest.model_validate_json((out / MANIFEST).read_bytes())
    except OSError:
        raise BuildError(
            f"{out} is not empty and holds no {MANIFEST}, so no build made it: nothing is removed"
        ) from None
    except ValidationError as error:
        raise BuildError(f"{out / MANIFEST}: no manifest of a build ({error})") from None


def write_manifest(folder: Path, manifest: BuildManifest) -> None:
    """Writes `build.json`."""
    text = json.dumps(manifest.model_dump(), indent=2, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


@contextmanager
def staged(out: Path) -> Iterator[Path]:
    """A folder beside `out` that takes its place at the end.

    Where the body raises, it is removed and `out` is as it was.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".building", dir=out.parent))
    try:
        yield folder
        _put_in_place(folder, out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _put_in_place(folder: Path, out: Path) -> None:
    # mkdtemp keeps others out; the finished folder is an ordinary one.
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
    """Removes a build's own files; the names in a manifest are not trusted as paths."""
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
    (out / MANIFEST).unlink()
    for folder in (out / TEST, out / TRAIN):
        _remove_empty(folder)


def _remove_empty(folder: Path) -> None:
    """Removes a folder and those in it, as far as they are empty."""
    if folder.is_dir() and not folder.is_symlink():
        for entry in folder.iterdir():
            _remove_empty(entry)
        if not any(folder.iterdir()):
            folder.rmdir()


def _merge(source: Path, target: Path) -> None:
    """Moves everything beside what is there already."""
    for entry in source.iterdir():
        if entry.is_dir() and (target / entry.name).is_dir():
            _merge(entry, target / entry.name)
        else:
            entry.replace(target / entry.name)
