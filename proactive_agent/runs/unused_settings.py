"""Refuses settings that were given but would change nothing, before hours of playing."""

from collections.abc import Callable, Collection, Sequence

from proactive_agent.providers.registry import BUILT_IN, PYTHON
from proactive_agent.records.manifest import Settings
from proactive_agent.settings import (
    ApiAccess,
    LoadSettings,
    RunSettings,
    Sampling,
    declared,
)
from proactive_agent.tools import UserError

_KNOWN = {*BUILT_IN, PYTHON}
_ALL = declared(RunSettings, Sampling, LoadSettings, ApiAccess)


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
