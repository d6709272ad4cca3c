"""Models × protocols × conditions, as the settings of single runs."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from proactive_agent.play.conditions import parse_condition
from proactive_agent.records.manifest import PlaySettings, ProtocolName, ProviderSettings, Settings
from proactive_agent.scenarios import SCENARIOS, DataFolder
from proactive_agent.tools import UserError


class Model(NamedTuple):
    """A `name:model`, and how it is loaded."""

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
    """Model by model.  No `scenarios` are all that are there and the condition is known for.

    Raises UserError.
    """
    there = DataFolder(data).scenarios()
    shared = {name: getattr(play, name) for name in PlaySettings.model_fields}
    return [
        Settings(
            provider=model.provider,
            data=None if data is None else str(data.resolve()),
            scenarios=tuple(_known(condition, protocol, scenarios, there)),
            protocol=protocol,
            condition=condition,
            provider_settings=model.how,
            **shared,
        )
        for model in models
        for protocol in protocols
        for condition in conditions
    ]


def split_names(texts: Iterable[str]) -> list[str]:
    """What a command line names with commas or one by one; nothing twice."""
    return list(dict.fromkeys(name.strip() for text in texts for name in text.split(",")))


def _known(
    condition: str, protocol: str, wanted: Sequence[str], there: Sequence[str]
) -> Sequence[str]:
    """Scenarios in the paper's order; that a wanted one is not there is said when it is opened."""
    if wanted:
        return [name for name in SCENARIOS if name in wanted]
    known = parse_condition(condition, protocol).scenarios
    found = [name for name in there if known is None or name in known]
    if not found:
        names = ", ".join(sorted(known or ()))
        raise UserError(f"condition {condition!r} is known for {names}; the data hold none of them")
    return found
