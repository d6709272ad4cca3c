"""The options of `run`, by the headings under which `run --help` lists them.

The options of settings are generated from their declarations in `proactive_agent.settings`. Only
the options that belong to the command itself are written here.
"""

import dataclasses
import typing
from pathlib import Path
from typing import Any, Literal

import click

from proactive_agent.cli.completion import COMPLETED
from proactive_agent.cli.defaults import read_defaults
from proactive_agent.cli.headed import HeadedCommand
from proactive_agent.cli.run_handles import complete_run
from proactive_agent.settings import (
    ApiAccess,
    Declared,
    Heading,
    LoadSettings,
    PlaySettings,
    RunSettings,
    Sampling,
    declared,
)
from proactive_agent.settings.declaration import MOST

MODEL_SETTINGS = declared(Sampling, LoadSettings)
"""Settings of a model's generation and loading; recorded in `run.json`."""
ACCESS_SETTINGS = declared(ApiAccess)
"""Settings of the access to APIs; never recorded."""
SETTINGS = {**declared(RunSettings), **MODEL_SETTINGS, **ACCESS_SETTINGS}

_OWN: dict[Heading, tuple[click.Option, ...]] = {
    Heading.PLAYED: (
        click.Option(
            ["--plan"],
            type=click.Path(dir_okay=False, path_type=Path),
            metavar="FILE",
            help="YAML file of a whole study: models x protocols x conditions. The same command "
            "again plays what is missing.",
        ),
    ),
    Heading.RUN: (
        click.Option(
            ["--concurrency"],
            type=click.IntRange(min=1),
            metavar="N",
            help="Episodes in flight; with an API, requests. Default: chosen by the provider. A "
            "batch API takes all at once.",
        ),
        click.Option(
            ["--out", "results"],
            type=click.Path(path_type=Path),
            default=Path("results"),
            show_default=True,
            metavar="DIR",
            help="Folder in which the run's own folder is created.",
        ),
        click.Option(
            ["--resume"],
            multiple=True,
            shell_complete=complete_run,
            metavar="RUN",
            help="Continue a run, such as `latest` (see `runs`); repeat for several.",
        ),
        click.Option(
            ["--trust-host", "trusted_hosts"],
            multiple=True,
            metavar="HOST",
            help="With --resume: send the key to this host, which run.json names; HOST:PORT for "
            "one port. Repeat for several.",
        ),
        click.Option(
            ["--dry-run"],
            is_flag=True,
            help="Show the first prompt and estimate requests and cost; send no request. With "
            "--resume, also show what would be loaded and which servers would be asked.",
        ),
        click.Option(
            ["-v", "--verbose"],
            is_flag=True,
            help="Also print the records of log.txt, which is in the run's folder.",
        ),
        click.Option(
            ["--log-level"],
            type=click.Choice(["debug", "info", "warning", "error"]),
            default="info",
            show_default=True,
            help="Least level that log.txt keeps. Retries and failed episodes are info.",
        ),
    ),
    Heading.API: (
        click.Option(
            ["--budget-usd"],
            type=click.FloatRange(min=0, min_open=True),
            metavar="USD",
            help="Limit on the cost of all models together; the run stops before it.",
        ),
    ),
}


class _WholeNumber(click.IntRange):
    """A range whose description leaves out an upper bound that is only a guard."""

    def _describe_range(self) -> str:
        if self.max == MOST:
            return "" if self.min is None else f"x>={self.min}"
        return super()._describe_range()


def option_of(setting: Declared, *, scoped: bool = True) -> click.Option:
    """Returns the command line option of a setting.

    `scoped` puts the setting's scope before the help text, as in "mcqa: …".
    """
    repeats = bool(setting.setting.parameter)
    default = None if setting.default is dataclasses.MISSING else setting.default
    if repeats and not isinstance(default, tuple):
        default = () if default is None else (default,)
    scope = f"{setting.setting.scope}: " if scoped and setting.setting.scope else ""
    text = scope + setting.setting.help
    flag = setting.type is bool
    return click.Option(
        [setting.option, setting.parameter],
        type=click.BOOL if flag else _click_type(setting),
        is_flag=flag,
        multiple=repeats,
        default=default,
        show_default=not flag and default not in (None, ()),
        metavar=setting.setting.metavar or None,
        shell_complete=COMPLETED.get(setting.parameter),
        help=text if scope else text[:1].upper() + text[1:],
    )


def options_of(*names: str, scoped: bool = False) -> tuple[click.Option, ...]:
    """Returns the options of some settings, for another command."""
    return tuple(option_of(SETTINGS[name], scoped=scoped) for name in names)


def _click_type(setting: Declared) -> "click.ParamType[Any]":
    if setting.setting.path:
        return click.Path(file_okay=setting.setting.path == "any", path_type=Path)
    choices = setting.setting.choices
    if typing.get_origin(setting.type) is Literal:
        choices = typing.get_args(setting.type)
    if choices:
        return click.Choice(choices)
    low = setting.minimum if setting.above is None else setting.above
    bounds: dict[str, Any] = {
        "min": low,
        "max": setting.maximum,
        "min_open": setting.above is not None,
    }
    bounded = low is not None or setting.maximum is not None
    if setting.type is int:
        return _WholeNumber(**bounds) if bounded else click.INT
    if setting.type is float:
        return click.FloatRange(**bounds) if bounded else click.FLOAT
    return click.STRING


def _under(heading: Heading) -> tuple[click.Option, ...]:
    # Settings of the run come before those of playing, as a user would type them.
    settings = sorted(SETTINGS.values(), key=lambda one: one.name in declared(PlaySettings))
    generated = (option_of(one) for one in settings if one.setting.heading is heading)
    return (*generated, *_OWN.get(heading, ()))


OPTIONS: dict[str, tuple[click.Option, ...]] = {
    heading.value: _under(heading) for heading in Heading
}


class RunCommand(HeadedCommand):
    """The command `run`: lists these options by heading, and takes defaults from a file."""

    headings = OPTIONS
    common = frozenset(
        (
            "--provider", "--data", "--scenario", "--protocol", "--condition", "--limit",
            "--repeats", "--plan", "--out", "--resume", "--dry-run", "--temperature",
            "--batch-size", "--budget-usd",
        )
    )  # fmt: skip

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Makes the context, with the user's own defaults. Raises UserError if they are wrong."""
        file, values = read_defaults(self)
        context = super().make_context(info_name, args, parent, default_map=values, **extra)
        context.obj = file
        return context
