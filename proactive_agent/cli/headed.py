"""A command whose `--help` groups its options under headings."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import click


class HeadedCommand(click.Command):
    """Base class: a subclass sets the options of each heading."""

    headings: ClassVar[Mapping[str, Sequence[click.Option]]]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the options, heading by heading."""
        general = [self.get_help_option(ctx)]
        for heading, options in {**self.headings, "Other": general}.items():
            rows = (option.get_help_record(ctx) for option in options if option)
            with formatter.section(heading):
                formatter.write_dl([row for row in rows if row])
