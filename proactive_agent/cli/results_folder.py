"""The option `--out`: the folder in which run ids are looked up."""

from pathlib import Path

import click

results_folder = click.option(
    "--out",
    "results",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    metavar="DIR",
    help="Folder in which run ids are looked up.",
)
