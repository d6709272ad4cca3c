"""The runs of models × protocols × conditions, each as its settings."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from proactive_agent.play.conditions import parse_condition
from proactive_agent.records.manifest import ProviderSettings, Settings
from proactive_agent.scenarios import SCENARIOS
from proactive_agent.scenarios.open_data import canonical_name, open_data
from proactive_agent.settings import PlaySettings, ProtocolName, declared
from proactive_agent.tools import UserError


class Model(NamedTuple):
    """A model, as `NAME:MODEL`, with its settings."""

    provider: str
    how: ProviderSettings


def every_run(
    models: Sequence[Model],
    protocols: Sequence[ProtocolName],
    conditions: Sequence[str],
    scenarios: Sequence[str],
    data: Path | None,
    play: PlaySettings,
) -> list[Settings]:
    """Returns the settings of every run, model by model.

    No `scenarios` means all in the data for which the condition is defined. Raises UserError.
    """
    there = open_data(data).scenarios()
    same = {name: getattr(play, name) for name in declared(PlaySettings)}
    return [
        Settings(
            provider=model.provider,
            data=canonical_name(data),
            scenarios=tuple(_known(condition, protocol, scenarios, there)),
            protocol=protocol,
            condition=condition,
            provider_settings=model.how,
            **same,
        )
        for model in models
        for protocol in protocols
        for condition in conditions
    ]


def split_names(texts: Iterable[str]) -> list[str]:
    """Splits values that were given one by one or separated by commas. Drops repeats."""
    return list(dict.fromkeys(name.strip() for text in texts for name in text.split(",")))


def _known(
    condition: str, protocol: str, wanted: Sequence[str], there: Sequence[str]
) -> Sequence[str]:
    """Returns the scenarios of a run in the paper's order.

    A wanted scenario that is not in the data is reported when the data are opened.
    """
    if wanted:
        return [name for name in SCENARIOS if name in wanted]
    known = parse_condition(condition, protocol).scenarios
    found = [name for name in there if known is None or name in known]
    if not found:
        names = ", ".join(sorted(known or ()))
        raise UserError(
            f"condition {condition!r} is defined for {names}; the data have none of them"
        )
    return found
