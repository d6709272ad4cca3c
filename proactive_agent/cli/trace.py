"""`trace`: shows the episodes of a run, turn by turn."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from proactive_agent.cli.completion import complete_scenario
from proactive_agent.cli.headed import WithFailureGroups
from proactive_agent.cli.run_handles import asked_run, complete_run, results_folder, run_argument

if TYPE_CHECKING:
    from proactive_agent.records.run_folder import RunFolder
    from proactive_agent.views.selection import Order, Selection

ORDERS = ("sample", "ended", "turns", "asked", "input", "output", "cost", "seconds")


@click.command(cls=WithFailureGroups)
@run_argument
@click.option("--sample", metavar="SCENARIO:ID", help="Show one episode, turn by turn.")
@click.option(
    "--repeat",
    type=click.IntRange(min=1),
    metavar="N",
    help="Only the N-th repetition of a sample.",
)
@click.option(
    "--scenario",
    "scenarios",
    multiple=True,
    shell_complete=complete_scenario,
    metavar="NAME",
    help="Only this scenario; repeat for several.",
)
@click.option("--wrong", is_flag=True, help="Only episodes without a right answer.")
@click.option("--correct", is_flag=True, help="Only episodes with a right answer.")
@click.option("--errors", is_flag=True, help="Only episodes with an error.")
@click.option("--group", metavar="NAME", help="Only failures of this group of `why`.")
@click.option(
    "--search",
    default="",
    metavar="QUERY",
    help="Only episodes that match a query: 'rod ask_clarification turns>3 -abstain \"a text\"'.",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most N episodes.")
@click.option(
    "--sort",
    type=click.Choice(ORDERS),
    default="sample",
    show_default=True,
    help="By sample, by the time of their end, or the largest number first.",
)
@click.option(
    "--diff",
    "other",
    shell_complete=complete_run,
    metavar="RUN2",
    help="Compare with the same samples of another run.",
)
@click.option("--follow", is_flag=True, help="Watch a run while it plays.")
@click.option("--turns", is_flag=True, help="Print every episode turn by turn.")
@click.option("--plain", is_flag=True, help="Print instead of opening the browser.")
@click.option("--json", "as_json", is_flag=True, help="Print whole records, one per line.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the pictures, if it has moved since the run.",
)
@results_folder
def trace(
    run: str | None,
    sample: str | None,
    repeat: int | None,
    scenarios: tuple[str, ...],
    wrong: bool,
    correct: bool,
    errors: bool,
    group: str | None,
    search: str,
    limit: int | None,
    sort: "Order",
    other: str | None,
    follow: bool,
    turns: bool,
    plain: bool,
    as_json: bool,
    data: Path | None,
    results: Path,
) -> None:
    """Show a run's episodes, turn by turn.

    In a terminal this opens a browser (extra `view`; press ? for its keys). With --plain, or if the
    output is a pipe or a file, it prints.

    RUN is `latest`, a number that `runs` lists, part of a run's name, or its folder.
    """
    from proactive_agent.records.handles import find_run
    from proactive_agent.scenarios.registry import find_scenarios, split_sample
    from proactive_agent.views.selection import Selection

    outcomes = {"wrong": wrong, "correct": correct, "error": errors}
    wanted = Selection(
        scenarios=tuple(find_scenarios(scenarios)),
        outcomes=tuple(name for name, asked in outcomes.items() if asked),
        sample=split_sample(sample) if sample else None,
        repeat=repeat,
        group=group,
        search=search,
        limit=limit,
        with_changes=other is not None,
    )
    wanted.check()
    folder = asked_run(run, results)
    second = find_run(other, results) if other else None
    if not (plain or as_json or turns) and _opens_browser():
        from proactive_agent.views.tui import browse

        browse(
            folder, wanted,
            second=second, order=sort, follow=follow, data=data, results=results,
        )  # fmt: skip
        return
    _print(folder, second, wanted, sort, follow=follow, turns=turns, as_json=as_json)


def _opens_browser() -> bool:
    """Whether there are a terminal and the extra `view`; prints a hint if not."""
    from importlib.util import find_spec

    from proactive_agent.terminal.console import console, messages
    from proactive_agent.tools.install import install_command

    # The browser reads from standard input and draws on the other two.
    streams = (sys.stdin, sys.stdout, sys.stderr)
    if not all(stream.isatty() for stream in streams) or console.is_dumb_terminal:
        if messages.is_terminal:
            messages.print("In a terminal, `trace` opens a browser.", style="dim")
        return False
    if find_spec("textual") is None:
        messages.print(
            f"{install_command('view')} to browse this run with its pictures.",
            style="dim", markup=False, soft_wrap=True,
        )  # fmt: skip
        return False
    return True


def _print(
    folder: "RunFolder",
    second: "RunFolder | None",
    wanted: "Selection",
    order: "Order",
    *,
    follow: bool,
    turns: bool,
    as_json: bool,
) -> None:
    from proactive_agent.cli.ending import exit_code
    from proactive_agent.tools import UserError
    from proactive_agent.views.selection import in_order
    from proactive_agent.views.text.printing import Printer

    printer = Printer(folder, turns=turns or wanted.sample is not None, as_json=as_json)
    if second is not None and follow:
        raise UserError("--diff compares played episodes and cannot be used with --follow")
    if second is not None:
        printer.print_diff(second, wanted, order)
    elif follow:
        try:
            printer.print_as_they_come(wanted.apply(folder.follow(), folder.read_line))
        except KeyboardInterrupt as error:
            sys.exit(exit_code(error))
    else:
        episodes = in_order(folder.outlines(), order)
        printer.print_all(list(wanted.apply(episodes, folder.read_line)), wanted)
