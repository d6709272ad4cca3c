"""The commands that `run` prints at its end, ready to be copied."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from proactive_agent.records.handles import list_runs
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.terminal.console import messages, safe
from proactive_agent.tools import UserError

PROGRAM = ("python", "-m", "proactive_agent")
MOST_IN_REPORT = 10
"""Runs that the command for a report names; `runs` lists the others."""


def say_what_next(folders: Sequence[RunFolder]) -> None:
    """Prints how to see the failures of the last of these runs, and a report about all of them."""
    if not folders:
        return
    places = {folder.path.parent for folder in folders}
    results = places.pop() if len(places) == 1 else None
    handles = _handles(folders, results)
    options = _out(results) if results else []
    last = "latest" if "latest" in handles else handles[-1]
    commands = [["why", last], ["trace", last], ["report", *handles[-MOST_IN_REPORT:]]]
    messages.print("next:", markup=False)
    for command in commands:
        line = shlex.join([*PROGRAM, *command, *options])
        messages.print(safe(f"  {line}", "cyan"), soft_wrap=True)


def arguments_of(folder: RunFolder, results: Path) -> list[str]:
    """Returns arguments that choose a run: `latest` if it is the latest in `results`, or its path.

    The number of another run is not used, because it changes with the next run.
    """
    try:
        listed = list_runs(results)
    except UserError:
        listed = []
    if listed and listed[0].manifest and listed[0].folder.path.resolve() == folder.path.resolve():
        return ["latest", *_out(results)]
    return [str(folder.path)]


def _out(results: Path) -> list[str]:
    return ["--out", str(results)] if results != Path("results") else []


def _handles(folders: Sequence[RunFolder], results: Path | None) -> list[str]:
    """Returns a handle for each run: `latest`, its number, or its path."""
    try:
        listed = [run.folder.path for run in list_runs(results)] if results else []
    except UserError:
        listed = []
    numbers = {path: str(number) for number, path in enumerate(listed, 1)}
    found = [numbers.get(folder.path, str(folder.path)) for folder in folders]
    return ["latest" if handle == "1" else handle for handle in found]
