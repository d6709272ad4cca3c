"""The option that says where the runs lie that a command is given by their ids."""

from pathlib import Path

import click

results_folder = click.option(
    "--out",
    "results",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    metavar="DIR",
    help="Where runs are looked up by id.",
)
