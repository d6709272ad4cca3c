"""The paper's figures beside runs, never without saying on what data each was measured."""

from collections.abc import Collection, Sequence
from typing import Literal

from pydantic import BaseModel

from proactive_agent.records.manifest import Manifest
from proactive_agent.reports.departures import remarks
from proactive_agent.reports.paper.published import NOTE, PAPER, TABLES, TableName, table
from proactive_agent.reports.runs import OFFICIAL, PlayedRun, data_label
from proactive_agent.reports.tables import EMBEDDED_NOTE


class PublishedFigures(BaseModel):
    """A model's row in one of the paper's tables."""

    name: str
    """In table 3 with what the model was trained for: `original`, `rp=0.5`, …"""
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


def published_beside(runs: Sequence[PlayedRun]) -> list[PublishedFigures]:
    """The rows of the tables that are most like the runs' ways of asking.

    Table 3 (before and after training) stands beside runs of trained models and of the models that
    they were before.
    """
    manifests = [run.manifest for run in runs]
    studied = {model for manifest in manifests for model in _before_and_after(manifest)}
    names = {_most_alike(manifest, studied) for manifest in manifests}
    return [
        PublishedFigures(
            name=f"{row.model}, {row.config}" if row.config else row.model,
            table=name,
            protocol=TABLES[name].protocol,
            condition=TABLES[name].condition,
            scenarios=row.values,
            macro=row.printed,
        )
        for name in sorted(names)
        for row in table(name)
    ]


def caption(runs: Sequence[PlayedRun]) -> str:
    """What has to be said in every table that shows both."""
    others = sorted({data_label(run.manifest) for run in runs} - {OFFICIAL})
    warning = f"NOT COMPARABLE: runs on {' and '.join(others)} beside published figures."
    departures = [remark for remark in remarks(runs) if remark != EMBEDDED_NOTE]
    return " ".join([*([warning] if others else []), NOTE, *departures])


def _before_and_after(manifest: Manifest) -> tuple[object, ...]:
    """A trained model and the one that it began as; nothing for any other model."""
    training = manifest.provider.get("training")
    return (manifest.provider.get("model"), training.get("model")) if training else ()


def _most_alike(manifest: Manifest, studied: Collection[object]) -> TableName:
    """`studied` are the models that are compared before and after training."""
    if manifest.settings.protocol == "oeg":
        return "table2"
    conditions = manifest.settings.condition.split("+")
    if "reference" in conditions:
        return "table6"
    if "hint" in conditions:
        return "table7"
    return "table3" if manifest.provider.get("model") in studied else "table1"
