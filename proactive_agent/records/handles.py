"""Finds runs by what a user types for RUN.

A handle is one of

- a path, or the name of a folder in the results folder;
- `latest`, or `latest~2` for the run that was started two runs earlier;
- a number of the list that `runs` prints, in which 1 is the latest run;
- a part of a folder's name that no other run has.

`other/latest` looks in the folder `other`. Commands that read several runs also accept patterns
such as `'*oracle*'`, and leave out paths that are not runs, so that `results/*` works.
"""

import os
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from proactive_agent.records.manifest import Manifest
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.tools import UserError
from proactive_agent.tools.suggestions import similar_name

MOST_CANDIDATES = 10
"""Candidates that the error for an ambiguous handle lists."""

MOST_LISTED_BYTES = 16 * 2**20
"""Most bytes of `run.json` in a list of runs. Real ones have some kilobytes."""

_LATEST = re.compile(r"latest(?:~(\d{1,9}))?")
_NUMBER = re.compile(r"[0-9]{1,9}")
_PATTERN = re.compile(r"[*?\[]")


class ListedRun(NamedTuple):
    """A run in the list of a results folder."""

    folder: RunFolder
    manifest: Manifest | None
    """Null if it cannot be read."""
    problem: str = ""
    """Why the manifest cannot be read."""


def run_folders(results: Path) -> list[RunFolder]:
    """Returns the run folders in a folder, by name. Reads none of their files.

    Includes broken ones, which lack `run.json` or cannot be read. Raises UserError.
    """
    try:
        paths = sorted(results.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise UserError(f"{results} cannot be listed: {error.strerror}") from None
    return [folder for folder in map(RunFolder, paths) if _is_run(folder)]


def list_runs(results: Path) -> list[ListedRun]:
    """Lists the runs of a folder: the latest first, unreadable ones at the end.

    Raises UserError only if the folder itself cannot be listed.
    """
    listed = [_listed(folder) for folder in run_folders(results)]
    readable = [run for run in listed if run.manifest is not None]
    readable.sort(key=_age, reverse=True)
    return [*readable, *(run for run in listed if run.manifest is None)]


def find_run(handle: str, results: Path = Path("results")) -> RunFolder:
    """Finds a run by its handle. Raises UserError, with the candidates if there are several."""
    if found := _at_path(handle, results):
        return found
    folders = _matches(handle, results)
    if len(folders) == 1:
        return folders[0]
    if folders:
        names = ", ".join(folder.path.name for folder in folders[:MOST_CANDIDATES])
        more = len(folders) - MOST_CANDIDATES
        raise UserError(
            f"{handle!r} matches {len(folders)} runs: {names}"
            + (f" and {more} more" if more > 0 else "")
            + "; use a longer part of the name"
        )
    counted = _LATEST.fullmatch(handle) or _NUMBER.fullmatch(handle)
    near = (
        None
        if counted
        else similar_name(handle, ["latest", *(run.path.name for run in run_folders(results))])
    )
    if near:
        raise UserError(
            f"no run {handle!r}; did you mean {near!r}? `runs` lists those in {results}"
        )
    raise UserError(
        f"no run {handle!r}: neither {handle}/run.json nor {results / handle}/run.json exists, and "
        f"it is not a number or part of the name of a run in {results} (`runs` lists them)"
    )


def find_runs(
    handles: Sequence[str],
    results: Path = Path("results"),
    left_out: Callable[[str], None] = lambda path: None,
) -> list[RunFolder]:
    """Finds runs by handles and patterns, in the order given; a pattern's runs by name.

    A pattern repeats no run. `left_out` is called with each path that holds no run. Raises
    UserError, also if nothing remains.
    """
    found: set[str] = set()
    several: list[RunFolder] = []
    for handle in handles:
        if _at_path(handle, results) is None and _holds_no_run(handle, results):
            left_out(handle)
            continue
        patterned = bool(_PATTERN.search(handle)) and _at_path(handle, results) is None
        for folder in _matches(handle, results) if patterned else [find_run(handle, results)]:
            place = os.path.realpath(folder.path)
            if not (patterned and place in found):
                several.append(folder)
            found.add(place)
        if patterned and not found:
            raise UserError(f"no run matches {handle!r}: neither a name in {results} nor a path")
    if not several:
        raise UserError(f"no run among {', '.join(handles)}: none of them holds run.json")
    return several


def _at_path(handle: str, results: Path) -> RunFolder | None:
    for path in (Path(handle), results / handle):
        # `os.path.isfile` is False for a name that is too long, where `Path.is_file` raises.
        if os.path.isfile(path / "run.json"):  # noqa: PTH113
            return RunFolder(path)
    return None


def _holds_no_run(handle: str, results: Path) -> bool:
    """Whether a handle is the path of something else, as in `results/*` of a shell."""
    if not os.path.lexists(handle) or _is_run(RunFolder(Path(handle))):
        return False
    return os.sep in handle.rstrip(os.sep) or not _matches(handle, results)


def _is_run(folder: RunFolder) -> bool:
    """Whether a folder holds a run, possibly a broken one."""
    return os.path.lexists(folder.manifest_file) or os.path.lexists(folder.episodes_file)


def _matches(handle: str, results: Path) -> list[RunFolder]:
    """Returns the runs that a handle other than a path fits."""
    parent, name = os.path.split(handle)
    if parent and name:
        results, handle = Path(parent), name
    if match := _LATEST.fullmatch(handle):
        return _numbered(int(match[1] or 0), results)
    if _NUMBER.fullmatch(handle) and (one := _numbered(int(handle) - 1, results)):
        return one
    folders = run_folders(results)
    if _PATTERN.search(handle):
        return [folder for folder in folders if fnmatchcase(folder.path.name, handle)]
    exact = [folder for folder in folders if folder.path.name == handle]
    return exact or [folder for folder in folders if handle and handle in folder.path.name]


def _numbered(index: int, results: Path) -> list[RunFolder]:
    readable = [run.folder for run in list_runs(results) if run.manifest is not None]
    return readable[index : index + 1] if index >= 0 else []


def _listed(folder: RunFolder) -> ListedRun:
    try:
        if folder.manifest_file.stat().st_size > MOST_LISTED_BYTES:
            return ListedRun(folder, None, f"run.json is larger than {MOST_LISTED_BYTES:,} bytes")
        return ListedRun(folder, folder.read_manifest())
    except OSError as error:
        return ListedRun(folder, None, f"run.json: {error.strerror}")
    except UserError as error:
        return ListedRun(folder, None, str(error).replace(str(folder.manifest_file), "run.json"))


def _age(run: ListedRun) -> tuple[datetime, str]:
    started = run.manifest.started if run.manifest else datetime.min
    return started if started.tzinfo else started.replace(tzinfo=UTC), run.folder.path.name
