"""`report`: writes runs as one HTML file."""

from pathlib import Path

import click

from proactive_agent.cli.run_handles import asked_runs, results_folder, runs_argument


@click.command()
@runs_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("report.html"),
    show_default=True,
    metavar="FILE",
    help="File to write; .html is added if it has no suffix.",
)
@click.option(
    "--episodes",
    type=click.IntRange(min=0),
    default=200,
    show_default=True,
    metavar="N",
    help="Number of episodes shown per run, failures of all kinds first.",
)
@results_folder
def report(runs: tuple[str, ...], output: Path, episodes: int, results: Path) -> None:
    """Write tables, plots, failures and episodes as one HTML file that needs no network.

    RUN is `latest`, a number that `runs` lists, part of a run's name, or its folder.
    """
    from proactive_agent.terminal.console import messages
    from proactive_agent.views.html import write_report

    if not output.suffix:
        output = output.with_suffix(".html")
    write_report(asked_runs(runs, results), output, episodes)
    messages.print(f"wrote {output}", markup=False, soft_wrap=True)
