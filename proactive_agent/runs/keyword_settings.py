"""The settings of a run, given as keywords of a Python call."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from proactive_agent.providers import ApiAccess
from proactive_agent.records.manifest import ProviderSettings, Settings
from proactive_agent.runs.settings_matrix import Model, every_run
from proactive_agent.runs.unused_settings import refuse_unused
from proactive_agent.scenarios import DataFolder
from proactive_agent.scenarios.registry import find_scenarios
from proactive_agent.settings import (
    LoadSettings,
    PlaySettings,
    ProtocolName,
    Sampling,
    declared,
)
from proactive_agent.tools import UserError
from proactive_agent.tools.suggestions import known_names

_PLAY = declared(PlaySettings)
_MODEL = declared(Sampling, LoadSettings)
_ACCESS = declared(ApiAccess)

T = TypeVar("T")


def refuse_unknown(function: str, keywords: Iterable[str]) -> None:
    """Raises UserError if one of the keywords is no setting. `function` is the name of the call."""
    known = [*_PLAY, *_MODEL, *_ACCESS]
    for name in keywords:
        if name not in known:
            raise UserError(f"{function} has no setting {name!r}; {known_names(name, known)}")


def settings_of(
    spec: str,
    scenarios: str | Sequence[str],
    protocol: ProtocolName,
    condition: str,
    data: str | Path | DataFolder | None,
    keywords: Mapping[str, Any],
) -> Settings:
    """Returns the validated settings of the run of one model. Raises UserError."""
    if isinstance(data, DataFolder):
        if data.unfiltered:
            keywords = {"unfiltered": True, **keywords}
        data = data.source
    names = [scenarios] if isinstance(scenarios, str) else scenarios
    loading = _validated(ProviderSettings, {n: keywords[n] for n in keywords if n in _MODEL})
    play = PlaySettings(**{name: keywords[name] for name in keywords if name in _PLAY})
    try:
        (chosen,) = every_run(
            [Model(spec, loading)],
            [protocol],
            [condition],
            find_scenarios(names),
            None if data is None else Path(data),
            play,
        )
    except ValidationError as error:
        raise _as_user_error(error) from None
    refuse_unused(list(keywords), [chosen])
    return chosen


def access_of(keywords: Mapping[str, Any]) -> ApiAccess:
    """Returns the validated settings of the access to an API. Raises UserError."""
    return _validated(ApiAccess, {n: keywords[n] for n in keywords if n in _ACCESS})


def _validated(cls: type[T], fields: dict[str, Any]) -> T:
    try:
        return TypeAdapter(cls).validate_python(fields)
    except ValidationError as error:
        raise _as_user_error(error) from None


def _as_user_error(error: ValidationError) -> UserError:
    first = error.errors()[0]
    name = ".".join(map(str, first["loc"]))
    return UserError(f"{name}={first['input']!r}: {first['msg']}")
