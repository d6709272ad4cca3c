"""Commands whose `--help` has more than a list of options."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import click


class WithFailureGroups(click.Command):
    """A command whose `--help` lists the groups of failures."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the groups and their meanings."""
        from proactive_agent.records.failure_groups import GROUPS

        with formatter.section("Groups of failures"):
            rows = [(one.name, one.meaning) for one in GROUPS]
            formatter.write_dl([*rows, ("error:KIND", "The episode ended with this error.")])


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
