"""Settings that were given and would change nothing: better said before hours of playing."""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from proactive_agent.records.manifest import Settings
from proactive_agent.tools import UserError


class _Use(NamedTuple):
    """When a setting is of use."""

    needs: str
    of_use: Callable[[Settings], bool]


def _with_condition(name: str) -> Callable[[Settings], bool]:
    return lambda settings: any(
        part.split(":")[0] == name for part in settings.condition.split("+")
    )


def _with_protocol(name: str) -> Callable[[Settings], bool]:
    return lambda settings: settings.protocol == name


_USES: dict[str, _Use] = {
    "toolset": _Use("protocol tools", _with_protocol("tools")),
    "parser": _Use("protocol mcqa", _with_protocol("mcqa")),
    "history_size": _Use("condition history", _with_condition("history")),
    "icl_reasoning": _Use("a condition icl:N", _with_condition("icl")),
    "multi_turn": _Use("protocol oeg", _with_protocol("oeg")),
    "judge": _Use("protocol oeg", _with_protocol("oeg")),
    "judge_prompt": _Use(
        "protocol oeg and a model as the judge",
        lambda settings: settings.protocol == "oeg" and settings.judge != "rules",
    ),
}


def refuse_useless(
    given: Collection[str], every: Sequence[Settings], shown: Callable[[str], str] = str
) -> None:
    """Raises UserError where a given setting is of use to none of the runs.

    `shown` says how the user wrote a setting of that name.
    """
    for name, (needs, of_use) in _USES.items():
        if name in given and not any(map(of_use, every)):
            raise UserError(f"{shown(name)} needs {needs}")
