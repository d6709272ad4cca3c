"""`run`: plays scenarios with one or several models and shows the results."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from proactive_agent.cli.run_options import (
    ACCESS_SETTINGS,
    MODEL_SETTINGS,
    OPTIONS,
    SETTINGS,
    RunCommand,
)

if TYPE_CHECKING:
    from proactive_agent.providers import ApiAccess
    from proactive_agent.records.manifest import Settings
    from proactive_agent.runs.planned_run import PlannedRun

RECORDED = {one.parameter for name, one in SETTINGS.items() if name not in ACCESS_SETTINGS}
"""Parameters that `run.json` records. A plan and a resumed run bring their own values."""
CHOOSING = RECORDED | {"plan", "resume", "trusted_hosts", "results", "dry_run"}
"""Parameters that choose what is played. The others must be given again to continue as before."""


@click.command(cls=RunCommand, params=[option for group in OPTIONS.values() for option in group])
@click.pass_context
def run(
    ctx: click.Context,
    /,
    *,
    results: Path,
    resume: tuple[str, ...],
    plan: Path | None,
    dry_run: bool,
    trusted_hosts: tuple[str, ...],
    concurrency: int | None,
    budget_usd: float | None,
    verbose: bool,
    log_level: str,
    **options: Any,
) -> None:
    """Play scenarios with one or several models and show the results."""
    from proactive_agent.cli.dry_run import show_dry_run, show_resumed
    from proactive_agent.cli.log_options import logged
    from proactive_agent.cli.play import play_runs
    from proactive_agent.play.budget import Budget
    from proactive_agent.records.handles import find_runs
    from proactive_agent.runs.plan import planned_runs
    from proactive_agent.runs.planned_run import PlannedRun
    from proactive_agent.runs.trust import Trust
    from proactive_agent.runs.unused_settings import refuse_unused, refuse_unused_limits
    from proactive_agent.tools import UserError

    given = _given(ctx)
    checked = list(SETTINGS)
    own: set[str] = set()
    access = api_access(**{name: options.pop(name) for name in ACCESS_SETTINGS})
    again: list[str] = []
    trust = Trust(options["trust_remote_code"], frozenset(trusted_hosts))
    if resume:
        # Consent to run a model's code is never taken from the folder of a run.
        _refuse_others(ctx, "--resume", (RECORDED | {"plan"}) - {"trust_remote_code"})
        checked = list(ACCESS_SETTINGS)
        folders = find_runs(tuple(dict.fromkeys(resume)), results)
        planned = [
            # A dry run also shows what the user has not allowed.
            PlannedRun(folder.read_manifest().settings, folder, access)
            if dry_run
            else PlannedRun.resumed(folder, access, trust)
            for folder in folders
        ]
    elif trusted_hosts:
        raise UserError(
            "--trust-host is for --resume; a server that you name yourself gets the key anyway"
        )
    elif plan:
        _refuse_others(ctx, "--plan", RECORDED)
        out = results if "results" in given | _own_defaults(ctx) else None
        planned = planned_runs(plan, out, access)
        again = ["--plan", str(plan)] + (["--out", str(out)] if out else [])
    else:
        own = _own_defaults(ctx)
        planned = _asked_for(own, results, access, **options)
    named = [name for name in checked if SETTINGS[name].parameter in given]
    refuse_unused(named, [run.settings for run in planned], lambda name: SETTINGS[name].option)
    refuse_unused_limits(given, planned, "--{}".format)
    if own:
        names = [one.opts[0] for one in ctx.command.params if one.name in own]
        click.echo(f"{ctx.obj} sets {', '.join(names)}", err=True)
    if resume and dry_run:
        show_resumed(planned, trust)
        return
    if dry_run:
        show_dry_run(planned)
        return
    budget = None if budget_usd is None else Budget(budget_usd)
    with logged(log_level, verbose=verbose):
        play_runs(planned, concurrency, budget, again, _to_repeat(ctx), verbose=verbose)


def api_access(*, price: str | None, cache: Path | None, **limits: Any) -> "ApiAccess":
    """Makes the API access that the options describe. Raises UserError."""
    from proactive_agent.providers import ApiAccess
    from proactive_agent.providers.api.prices import parse_price

    return ApiAccess(
        **limits,
        price=None if price is None else parse_price(price),
        cache=None if cache is None else str(cache),
    )


def _asked_for(
    own: set[str],
    results: Path,
    access: "ApiAccess",
    *,
    providers: tuple[str, ...],
    protocol: Any,
    conditions: tuple[str, ...],
    scenarios: tuple[str, ...],
    data: Path | None,
    **options: Any,
) -> "list[PlannedRun]":
    from proactive_agent.providers.baselines import DEFAULT_BASELINES
    from proactive_agent.providers.registry import check_spec
    from proactive_agent.records.manifest import ProviderSettings
    from proactive_agent.runs.planned_run import new_runs
    from proactive_agent.runs.settings_matrix import Model, every_run, split_names
    from proactive_agent.runs.unused_settings import unused
    from proactive_agent.scenarios.registry import find_scenarios
    from proactive_agent.settings import PlaySettings

    specs = providers or tuple(f"baseline:{name}" for name in DEFAULT_BASELINES)
    for spec in specs:
        check_spec(spec)
    how = {name: options.pop(name) for name in MODEL_SETTINGS}

    def runs() -> "list[Settings]":
        return every_run(
            [Model(spec, ProviderSettings(**how)) for spec in specs],
            [protocol],
            split_names(conditions),
            find_scenarios(scenarios),
            data,
            PlaySettings(**options),
        )

    for name in unused(runs()):
        place = how if name in how else options
        if name in place and SETTINGS[name].parameter in own:
            place[name] = SETTINGS[name].default  # the user's default is for other runs
            own.discard(SETTINGS[name].parameter)
    return new_runs(runs(), results, access)


def _to_repeat(ctx: click.Context) -> dict[str, list[str]]:
    """Returns the options in force that no run folder holds, as a user types them, by parameter."""
    names = (_given(ctx) | _own_defaults(ctx)) - CHOOSING
    values = {one: ctx.params[one.name] for one in ctx.command.params if one.name in names}
    return {
        one.name or "": [one.opts[0]] if value is True else [one.opts[0], str(value)]
        for one, value in values.items()
        if value is not False
    }


def _given(ctx: click.Context) -> set[str]:
    """Returns the parameters that were given on the command line."""
    return _from(ctx, click.core.ParameterSource.COMMANDLINE)


def _own_defaults(ctx: click.Context) -> set[str]:
    """Returns the parameters whose value is the user's own default."""
    return _from(ctx, click.core.ParameterSource.DEFAULT_MAP)


def _from(ctx: click.Context, source: click.core.ParameterSource) -> set[str]:
    names = (option.name or "" for option in ctx.command.params)
    return {name for name in names if ctx.get_parameter_source(name) == source}


def _refuse_others(ctx: click.Context, option: str, refused: set[str]) -> None:
    """Refuses options that would change the settings of a started run or of a plan."""
    others = _given(ctx) & refused
    if others:
        from proactive_agent.tools import UserError

        named = [one.opts[0] for one in ctx.command.params if one.name in others]
        raise UserError(f"{option} has its own settings; drop {', '.join(named)}")
