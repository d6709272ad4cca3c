"""`compare`: runs side by side."""

from pathlib import Path

import click


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option(
    "--out",
    "results",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    metavar="DIR",
    help="Where runs are looked up by id.",
)
def compare(runs: tuple[str, ...], results: Path) -> None:
    """Show runs side by side: acc and psr per scenario, averages, errors, tokens.

    RUN is a run's folder or its id.
    """
    from proactive_agent.comparison import differences, name_runs
    from proactive_agent.metrics import summarise
    from proactive_agent.run_folder import RunFolder
    from proactive_agent.tables import EMBEDDED_NOTE, comparison_table
    from proactive_agent.terminal import console, plain

    folders = [RunFolder.find(run, results) for run in runs]
    manifests = [folder.read_manifest() for folder in folders]
    summaries = [summarise(folder.episodes()) for folder in folders]
    names = name_runs(manifests)
    console.print(comparison_table("Comparison", list(zip(names, summaries, strict=True))))
    for difference in differences(manifests):
        console.print(plain(difference), markup=False)
    if any(manifest.data.embedded for manifest in manifests):
        console.print(EMBEDDED_NOTE, markup=False)
