"""The paper's figures beside runs, never without saying on what data each was measured."""

from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import BaseModel

from proactive_agent.comparison.played import OFFICIAL, Played, data_label
from proactive_agent.manifest import Settings
from proactive_agent.published import NOTE, PAPER, TABLES, TableName, table
from proactive_agent.remarks import remarks
from proactive_agent.tables import EMBEDDED_NOTE


class PublishedFigures(BaseModel):
    """A model's row in one of the paper's tables."""

    name: str
    source: Literal["published"] = "published"
    paper: str = PAPER
    table: TableName
    protocol: str
    condition: str
    data: str = OFFICIAL
    scenarios: dict[str, dict[str, float]]
    """By scenario, then by metric; shares are 0 to 1."""
    macro: dict[str, float]
    """The averages that the paper prints, by metric."""


def published_beside(runs: Iterable[Played]) -> list[PublishedFigures]:
    """The rows of the tables that are most like the runs' ways of asking."""
    names = dict.fromkeys(_most_alike(run.manifest.settings) for run in runs)
    return [
        PublishedFigures(
            name=row.model,
            table=name,
            protocol=TABLES[name].protocol,
            condition=TABLES[name].condition,
            scenarios=row.values,
            macro=row.printed,
        )
        for name in sorted(names)
        for row in table(name)
    ]


def caption(runs: Sequence[Played]) -> str:
    """What has to be said in every table that shows both."""
    others = sorted({data_label(run.manifest) for run in runs} - {OFFICIAL})
    warning = f"NOT COMPARABLE: runs on {' and '.join(others)} beside published figures."
    departures = [remark for remark in remarks(runs) if remark != EMBEDDED_NOTE]
    return " ".join([*([warning] if others else []), NOTE, *departures])


def _most_alike(settings: Settings) -> TableName:
    if settings.protocol == "oeg":
        return "table2"
    conditions = settings.condition.split("+")
    if "reference" in conditions:
        return "table6"
    return "table7" if "hint" in conditions else "table1"
