"""The argument RUN of many commands, and the option `--out` that says where runs are."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from proactive_agent.records.run_folder import RunFolder


def complete_run(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Completes `latest` and the names in the results folder; otherwise files."""
    from proactive_agent.records.handles import run_folders
    from proactive_agent.tools import UserError

    try:
        folders = run_folders(Path(ctx.params.get("results") or "results"))
    except UserError:
        folders = []
    names = ["latest", *(folder.path.name for folder in reversed(folders))]
    fitting = [name for name in names if name.startswith(incomplete) and name.isprintable()]
    return list(map(CompletionItem, fitting)) or [CompletionItem(incomplete, type="file")]


results_folder = click.option(
    "--out",
    "results",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    metavar="DIR",
    help="Folder of the runs.",
)
run_argument = click.argument("run", metavar="[RUN]", required=False, shell_complete=complete_run)
runs_argument = click.argument("runs", nargs=-1, metavar="[RUN]...", shell_complete=complete_run)


def can_browse() -> bool:
    """Whether the extra `view` can read from the terminal and draw on it."""
    from importlib.util import find_spec

    from proactive_agent.terminal.console import console

    streams = (sys.stdin, sys.stdout, sys.stderr)
    on_terminal = all(stream.isatty() for stream in streams) and not console.is_dumb_terminal
    return on_terminal and find_spec("textual") is not None


def asked_run(handle: str | None, results: Path) -> "RunFolder":
    """Finds the run that RUN asks for. Without RUN, the user picks one in the terminal.

    Raises UserError. Exits if the user picks none.
    """
    from proactive_agent.records.handles import find_run
    from proactive_agent.tools import UserError

    if handle is not None:
        return find_run(handle, results)
    if not can_browse():
        raise UserError("RUN is missing: give `latest`, or a run that `runs` lists")
    from proactive_agent.views.tui import pick_run

    if (picked := pick_run(results)) is None:
        sys.exit(0)
    return picked


def asked_runs(handles: Sequence[str], results: Path) -> "list[RunFolder]":
    """Finds the runs that RUN... asks for. Raises UserError.

    Prints the paths that are not runs.
    """
    from proactive_agent.records.handles import find_runs
    from proactive_agent.terminal.console import messages, safe

    if not handles:
        return [asked_run(None, results)]
    left_out: list[str] = []
    folders = find_runs(handles, results, left_out.append)
    if left_out:
        messages.print(
            safe(f"left out, because they are not runs: {', '.join(left_out)}", "dim"),
            soft_wrap=True,
        )
    return folders
