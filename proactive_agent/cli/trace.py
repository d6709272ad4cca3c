"""`trace`: what a model did, episode by episode and turn by turn."""

from pathlib import Path

import click


@click.command()
@click.argument("run", metavar="RUN")
@click.option("--sample", metavar="SCENARIO:ID", help="Show one episode turn by turn.")
@click.option("--scenario", "scenarios", multiple=True, metavar="NAME", help="Only these.")
@click.option("--wrong", is_flag=True, help="Only episodes that did not end right.")
@click.option("--correct", is_flag=True, help="Only episodes that ended right.")
@click.option("--errors", is_flag=True, help="Only episodes that met an error.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many episodes.")
@click.option("--turns", is_flag=True, help="Show every listed episode turn by turn.")
@click.option(
    "--out",
    "results",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    metavar="DIR",
    help="Where runs are looked up by id.",
)
def trace(
    run: str,
    sample: str | None,
    scenarios: tuple[str, ...],
    wrong: bool,
    correct: bool,
    errors: bool,
    limit: int | None,
    turns: bool,
    results: Path,
) -> None:
    """List a run's episodes, or show one turn by turn.

    RUN is a run's folder or its id.
    """
    from proactive_agent.run_folder import RunFolder
    from proactive_agent.terminal import console
    from proactive_agent.trace import Filter, episode_list, episode_view, in_order
    from scenarios.registry import find_scenario, split_sample

    folder = RunFolder.find(run, results)
    manifest = folder.read_manifest()
    wanted = Filter(
        scenarios=frozenset(find_scenario(name).name for name in scenarios),
        wrong=wrong,
        correct=correct,
        errors=errors,
        sample=split_sample(sample) if sample else None,
        limit=limit,
    )
    episodes = in_order(wanted.apply(folder.episodes()))
    if sample and not episodes:
        from tools import UserError

        raise UserError(f"{folder.path} holds no episode {sample}")
    if sample or turns:
        for episode in episodes:
            console.print(episode_view(episode))
    else:
        console.print(episode_list(manifest, episodes))
