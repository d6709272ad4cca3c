"""`why`: groups the failures of a run, with counts and examples to open."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from proactive_agent.cli.completion import complete_scenario
from proactive_agent.cli.headed import WithFailureGroups
from proactive_agent.cli.run_handles import asked_run, results_folder, run_argument

if TYPE_CHECKING:
    from proactive_agent.records.episode import EpisodeKey
    from proactive_agent.reports.failure_tables import Failures


@click.command(cls=WithFailureGroups)
@run_argument
@click.option(
    "--scenario",
    "scenarios",
    multiple=True,
    shell_complete=complete_scenario,
    metavar="NAME",
    help="Only this scenario; repeat for several.",
)
@click.option(
    "--format",
    "output",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="Output format.",
)
@results_folder
def why(run: str | None, scenarios: tuple[str, ...], output: str, results: Path) -> None:
    """Group the failures of a run by their cause.

    Every failure is in exactly one group.

    RUN is `latest`, a number that `runs` lists, part of a run's name, or its folder.
    """
    from proactive_agent.cli.what_next import arguments_of
    from proactive_agent.reports.agents import agent_notes
    from proactive_agent.reports.failure_tables import failures_grid, find_failures
    from proactive_agent.reports.tables import TerminalTable
    from proactive_agent.reports.tables.text_forms import markdown
    from proactive_agent.scenarios.registry import find_scenarios
    from proactive_agent.terminal.console import console, safe
    from proactive_agent.views.selection import in_order
    from proactive_agent.views.text.listing import title_of

    folder = asked_run(run, results)
    manifest = folder.read_manifest()
    wanted = find_scenarios(scenarios)
    episodes = in_order(folder.outlines())
    failures = find_failures(e for e in episodes if not wanted or e.scenario in wanted)
    if output == "json":
        print(failures.model_dump_json(indent=2))
        return
    grid, notes = failures_grid(title_of(manifest), failures), agent_notes([manifest])
    if output == "markdown":
        print("\n\n".join([markdown(grid).rstrip("\n"), *notes]))
        return
    console.print(TerminalTable(grid))
    for note in notes:
        console.print(safe(note))
    _show_groups(arguments_of(folder, results), failures)


def _show_groups(run: list[str], failures: "Failures") -> None:
    """`run` are the arguments of a command that choose the run."""
    from proactive_agent.reports.tables import percent
    from proactive_agent.terminal.console import console, safe

    if not failures.groups:
        console.print("Nothing failed." if failures.episodes else "Nothing was played.")
    for one in failures.groups:
        share = f"{one.episodes:,} of {failures.failed:,} failures, {percent(one.share)} %"
        console.print(safe(f"{one.title}: {share}", "bold"), soft_wrap=True)
        console.print(safe(f"  {one.meaning}"), soft_wrap=True)
        for key in one.examples:
            console.print(safe(f"  {_command(run, *_sample(key))}", "cyan"), soft_wrap=True)
        if one.episodes > len(one.examples):
            command = _command(run, "--group", one.name)
            console.print(safe(f"  {command}", "cyan"), soft_wrap=True)
        console.print()


def _sample(key: "EpisodeKey") -> list[str]:
    sample = ["--sample", f"{key.scenario}:{key.sample_id}"]
    return [*sample, "--repeat", str(key.repeat + 1)] if key.repeat else sample


def _command(run: list[str], *options: str) -> str:
    from shlex import join

    return join(["python", "-m", "proactive_agent", "trace", *run, *options])
