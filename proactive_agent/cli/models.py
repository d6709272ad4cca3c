"""`models`: lists the models that have a short name."""

import click


@click.command()
def models() -> None:
    """List the models that have a short name: local models and baselines.

    Any other model is named by its id, as in local:OWNER/NAME, openai:MODEL or anthropic:MODEL.
    `providers` lists what is before the colon.
    """
    from rich import box
    from rich.table import Table

    from proactive_agent.providers.baselines import BASELINES
    from proactive_agent.providers.local.aliases import ALIASES, BUNDLED
    from proactive_agent.terminal.console import console

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("--provider", no_wrap=True)
    table.add_column("model", overflow="fold")
    for name in BUNDLED:
        table.add_row(f"local:{name}", "in this package, see docs/nano.md")
    for name, repository in ALIASES.items():
        table.add_row(f"local:{name}", repository)
    for name in BASELINES:
        table.add_row(f"baseline:{name}", "scripted baseline")
    table.add_row("human", "you, at the terminal")
    console.print(table)
