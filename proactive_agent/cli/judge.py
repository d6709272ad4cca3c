"""`judge`: judges the open-ended replies of a run again, or measures a judge's agreement."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from proactive_agent.cli.run_handles import asked_run, can_browse, results_folder, run_argument
from proactive_agent.cli.run_options import ACCESS_SETTINGS, MODEL_SETTINGS, OPTIONS, options_of

_OWN = ("concurrency", "budget_usd")
_LOADING = [name for name, one in MODEL_SETTINGS.items() if one.setting.for_judge]
_ACCESS = [name for name, one in ACCESS_SETTINGS.items() if one.setting.for_judge]
SHIPPED = "-"


@click.command(
    params=[
        *(
            option
            for group in OPTIONS.values()
            for option in group
            if option.name in (*_OWN, *_LOADING, *_ACCESS)
        ),
        *options_of("judge", "judge_prompt"),
    ]
)
@run_argument
@click.option(
    "--agreement",
    is_flag=False,
    flag_value=SHIPPED,
    metavar="[FILE]",
    help="Measure agreement with labels: those of FILE, or those shipped with the program.",
)
@click.option(
    "--user",
    metavar="NAME:MODEL",
    help="With --agreement: measure a simulated user instead, the rules or a model, on the "
    "labelled requests shipped with the program.",
)
@results_folder
def judge(
    run: str | None,
    judge: str,
    judge_prompt: str,
    agreement: str | None,
    user: str | None,
    results: Path,
    **options: Any,
) -> None:
    """Judge the open-ended replies of a run again, or measure a judge's agreement with labels.

    RUN is `latest`, a number that `runs` lists, part of a run's name, or its folder. The judgements
    are kept in the run's folder. After an interruption, repeat the command to continue.
    """
    from proactive_agent.cli.judging import Judging, judge_run, measure, measure_user
    from proactive_agent.cli.run import api_access
    from proactive_agent.records.manifest import ProviderSettings
    from proactive_agent.runs.unused_settings import LIMITS, NOT_IN_BATCHES
    from proactive_agent.tools import UserError

    picks = run is None and agreement is None and can_browse()
    if (run is None) is (agreement is None) and not picks:
        raise UserError("judge needs either a RUN or --agreement")
    if user is not None and agreement != SHIPPED:
        raise UserError("--user needs --agreement without a RUN or a FILE")
    concurrency, budget_usd = options.pop("concurrency"), options.pop("budget_usd")
    how = ProviderSettings(**{name: options.pop(name) for name in _LOADING})
    access = api_access(**options)
    if access.batch_api:
        _check_batches(judge if user is None else user, agreement)
        given = {**asdict(access), "concurrency": concurrency}
        if useless := [name for name in LIMITS if given[name] is not None]:
            raise UserError(f"--{useless[0]} {NOT_IN_BATCHES}")
    judging = Judging(judge, judge_prompt, how, access, concurrency, budget_usd)
    if user is not None:
        measure_user(user, judging)
    elif agreement is None:
        judge_run(asked_run(run, results), judging)
    else:
        measure(None if agreement == SHIPPED else Path(agreement), judging)


def _check_batches(spec: str, agreement: str | None) -> None:
    """Refuses `--batch-api` where it has no use. Raises UserError."""
    from proactive_agent.settings.model_spec import split_spec
    from proactive_agent.tools import UserError

    if agreement is not None:
        raise UserError("--batch-api has no use with --agreement, which asks few requests")
    setting = ACCESS_SETTINGS["batch_api"].setting
    if split_spec(spec).provider not in setting.providers:
        raise UserError(f"--batch-api needs {setting.needs}; {spec} has no batch API")
