"""Refuses settings that were given but would change nothing, before hours of playing."""

from collections.abc import Callable, Collection, Mapping, Sequence

from proactive_agent.providers.registry import BUILT_IN, PYTHON
from proactive_agent.records.manifest import Settings
from proactive_agent.runs.planned_run import PlannedRun
from proactive_agent.runs.trust import models_of
from proactive_agent.settings import (
    ApiAccess,
    LoadSettings,
    RunSettings,
    Sampling,
    declared,
)
from proactive_agent.settings.model_spec import split_spec
from proactive_agent.tools import UserError

_KNOWN = {*BUILT_IN, PYTHON}
_ALL = declared(RunSettings, Sampling, LoadSettings, ApiAccess)
_BATCH_PROVIDERS = _ALL["batch_api"].setting.providers

LIMITS: Mapping[str, Collection[str]] = {
    "concurrency": (),
    **{name: _ALL[name].setting.providers for name in ("rpm", "tpm")},
}
"""Limits of requests that are sent one by one, with the providers that have them; () for all."""

NOT_IN_BATCHES = (
    "has no effect on a batch API, to which all requests of a turn are submitted together; leave "
    "it out"
)
"""Why a limit is refused. Follows its name."""


def refuse_unused(
    given: Collection[str], runs: Sequence[Settings], shown: Callable[[str], str] = str
) -> None:
    """Raises UserError if a setting that was given affects none of the runs.

    A provider that is not built in may use every setting. `shown` returns a setting's name as the
    user wrote it.
    """
    for name in unused(runs):
        if name in given:
            needs = _ALL[name].setting.needs
            raise UserError(f"{shown(name)} needs {needs}; otherwise it changes nothing")


def unused(runs: Sequence[Settings]) -> list[str]:
    """Returns the settings that affect none of the runs."""
    return [
        name
        for name, declaration in _ALL.items()
        if not any(declaration.setting.affects(run, _KNOWN) for run in runs)
    ]


def refuse_unused_limits(
    given: Collection[str], runs: Sequence[PlannedRun], shown: Callable[[str], str] = str
) -> None:
    """Raises UserError if a limit that was given affects no run, as all requests are in batches."""
    for name in unused_limits(runs):
        if name in given:
            raise UserError(f"{shown(name)} {NOT_IN_BATCHES}")


def unused_limits(runs: Sequence[PlannedRun]) -> list[str]:
    """Returns the limits that affect none of the runs, because of their batch APIs."""
    return [name for name in LIMITS if all(_is_unused(name, run) for run in runs)]


def _is_unused(limit: str, run: PlannedRun) -> bool:
    if not run.access.batch_api:
        return False
    having = LIMITS[limit]
    others = {split_spec(spec).provider for spec in models_of(run.settings)} - {*_BATCH_PROVIDERS}
    return not any(not having or one in having or one not in _KNOWN for one in others)
