"""`trace`: what a model did, episode by episode and turn by turn."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from proactive_agent.cli.results_folder import results_folder

if TYPE_CHECKING:
    from proactive_agent.records.run_folder import RunFolder
    from proactive_agent.views.selection import Order, Selection

ORDERS = ("sample", "ended", "turns", "asked", "input", "output", "cost", "seconds")


@click.command()
@click.argument("run", metavar="RUN")
@click.option("--sample", metavar="SCENARIO:ID", help="One episode, turn by turn.")
@click.option("--repeat", type=click.IntRange(min=1), metavar="N", help="Its N-th repetition only.")
@click.option("--scenario", "scenarios", multiple=True, metavar="NAME", help="Only these.")
@click.option("--wrong", is_flag=True, help="Only episodes that did not end right.")
@click.option("--correct", is_flag=True, help="Only episodes that ended right.")
@click.option("--errors", is_flag=True, help="Only episodes that met an error.")
@click.option("--group", metavar="NAME", help="Only failures of a group, as `why` names them.")
@click.option(
    "--search",
    default="",
    metavar="QUERY",
    help="Only episodes that a query means: 'rod ask_clarification turns>3 -abstain \"a text\"'.",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many episodes.")
@click.option(
    "--sort",
    type=click.Choice(ORDERS),
    default="sample",
    show_default=True,
    help="By sample, by when they ended, or the largest number first.",
)
@click.option("--diff", "other", metavar="RUN2", help="The same samples in another run, beside.")
@click.option("--follow", is_flag=True, help="Watch a run that is going on.")
@click.option("--turns", is_flag=True, help="Print every episode turn by turn.")
@click.option("--plain", is_flag=True, help="Print; open no browser.")
@click.option("--json", "as_json", is_flag=True, help="Print whole records, one a line.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the run's pictures are now. Default: where they were.",
)
@results_folder
def trace(
    run: str,
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

    In a terminal this opens a browser (extra `view`; press ? in it); where the output goes into a
    pipe or a file, and with --plain, it prints. RUN is a run's folder or its id.
    """
    from proactive_agent.records.run_folder import RunFolder
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
    folder = RunFolder.find(run, results)
    second = RunFolder.find(other, results) if other else None
    if not (plain or as_json or turns) and _opens_browser():
        from proactive_agent.views.tui import browse

        browse(
            folder, wanted,
            second=second, order=sort, follow=follow, data=data, results=results,
        )  # fmt: skip
        return
    _print(folder, second, wanted, sort, follow=follow, turns=turns, as_json=as_json)


def _opens_browser() -> bool:
    """Whether there is a terminal, and the extra; says on stderr what one misses."""
    from importlib.util import find_spec

    from proactive_agent.terminal.console import console, messages

    # The browser reads from the first, and draws on the others.
    streams = (sys.stdin, sys.stdout, sys.stderr)
    if not all(stream.isatty() for stream in streams) or console.is_dumb_terminal:
        if messages.is_terminal:
            messages.print("In a terminal, `trace` opens a browser.", style="dim")
        return False
    if find_spec("textual") is None:
        messages.print(
            "pip install 'proactive-agent[view]' to browse this run with its pictures.",
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
    from proactive_agent.tools import UserError
    from proactive_agent.views.selection import in_order
    from proactive_agent.views.text.printing import Printer

    printer = Printer(folder, turns=turns or wanted.sample is not None, as_json=as_json)
    if second is not None and follow:
        raise UserError("--diff compares what was played; --follow has no place beside it")
    if second is not None:
        printer.print_diff(second, wanted, order)
    elif follow:
        try:
            printer.print_as_they_come(wanted.apply(folder.follow(), folder.read_line))
        except KeyboardInterrupt:
            sys.exit(130)
    else:
        episodes = in_order(folder.outlines(), order)
        printer.print_all(list(wanted.apply(episodes, folder.read_line)), wanted)
