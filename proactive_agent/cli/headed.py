"""Commands whose `--help` has more than a list of options."""

from collections.abc import Mapping, Sequence
from functools import cached_property
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
    """Base class: a subclass sets the options of each heading, and the common ones among them.

    `--help` lists the common options, `--help-all` lists all.
    """

    headings: ClassVar[Mapping[str, Sequence[click.Option]]]
    common: ClassVar[frozenset[str]]
    """The options that `--help` lists, such as `--limit`."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Returns all parameters, with `--help-all` before `--help`."""
        *params, help_option = super().get_params(ctx)
        return [*params, self._help_all, help_option]

    @cached_property
    def _help_all(self) -> click.Option:
        return click.Option(
            ["--help-all"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_show_all,
            help="Show all options and exit.",
        )

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the options, heading by heading."""
        general = [self._help_all, self.get_help_option(ctx)]
        in_full = ctx.meta.get(_IN_FULL, False)
        hidden = 0
        for heading, options in {**self.headings, "Other": general}.items():
            shown = [o for o in options if o and (in_full or o in general or self._is_common(o))]
            hidden += len(options) - len(shown)
            if rows := [row for o in shown if (row := o.get_help_record(ctx))]:
                with formatter.section(heading):
                    formatter.write_dl(rows)
        if hidden:
            formatter.write(f"\n  {hidden} more options: {ctx.command_path} --help-all\n")

    def _is_common(self, option: click.Option) -> bool:
        return not self.common.isdisjoint(option.opts)


_IN_FULL = "proactive_agent.help_all"


def _show_all(ctx: click.Context, _: click.Parameter, given: bool) -> None:
    if given and not ctx.resilient_parsing:
        ctx.meta[_IN_FULL] = True
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()
