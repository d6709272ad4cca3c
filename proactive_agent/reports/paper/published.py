"""The paper's own figures (arXiv 2603.19466v2), as data that can stand beside ours.

All of them were measured on the official, filtered data; figures on other data do not compare with
them.  They lie in `results/published/`, and inside the package where it is installed from a wheel.

    for row in table("table1"):
        print(row.model, row.values["rod"]["acc"], row.macro("acc"), row.printed["acc"])

Shares (acc, cc, ps) are 0 to 1, as in `metrics`; psr is a mean of counts.
"""

import csv
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from proactive_agent.providers.local.aliases import ALIASES
from proactive_agent.scenarios import find_scenario
from proactive_agent.tools import UserError

PAPER = "arXiv 2603.19466v2"

NOTE = f"Published figures are of {PAPER}, on the official data."
"""What stands below everything that shows them."""

LABEL = "published, official data"
"""What they are called in a legend or heading."""

TableName = Literal["table1", "table2", "table3", "table6", "table7"]

TABLE_NAMES: tuple[TableName, ...] = get_args(TableName)

_AVERAGE = "avg"
"""The data set under which the files hold the paper's averages."""

_HOMES = (
    Path(__file__).parents[2] / "published_data",
    Path(__file__).parents[3] / "results" / "published",
)
"""In an installed package, and in a checkout."""


class TableInfo(NamedTuple):
    """What a table of the paper holds."""

    file: str
    title: str
    protocol: Literal["mcqa", "oeg"]
    condition: str
    metrics: tuple[str, ...]


TABLES: Mapping[TableName, TableInfo] = {
    "table1": TableInfo(
        "table1_mcqa.csv", "Multiple choice", "mcqa", "zero-shot", ("acc", "psr")
    ),
    "table2": TableInfo(
        "table2_oeg.csv", "Open-ended generation", "oeg", "zero-shot", ("cc", "ps")
    ),
    "table3": TableInfo(
        "table3_rl.csv", "Before and after training", "mcqa", "zero-shot", ("acc", "psr")
    ),
    "table6": TableInfo(
        "table6_reference.csv", "Only the reference frame", "mcqa", "reference", ("acc",)
    ),
    "table7": TableInfo(
        "table7_mcqa_hint.csv", "Multiple choice with a hint", "mcqa", "hint", ("acc", "psr")
    ),
}  # fmt: skip


class PublishedModel(NamedTuple):
    """A row of a published table."""

    model: str
    config: str
    """In table 3 `original`, or the reward of a suggestion (`rp=0.5`); else empty."""
    values: dict[str, dict[str, float]]
    """By scenario (short name, in the table's order), then by metric."""
    printed: dict[str, float]
    """The average that the paper prints, by metric."""

    def macro(self, metric: str, scenarios: Collection[str] | None = None) -> float:
        """The mean over those scenarios; over all it is the printed average but for rounding."""
        values = [self.values[name][metric] for name in scenarios or self.values]
        return sum(values) / len(values)


class HistoryEffect(NamedTuple):
    """Means over models, as the paper's text has them."""

    psr_without: float
    psr_with: float
    acc_change: float


HISTORY = HistoryEffect(psr_without=0.5, psr_with=1.8, acc_change=-0.07)
"""What earlier turns in the conversation change."""

HINT_TURN_LIMIT = 0.16
"""Share of the episodes with a hint that end at the turn limit."""


def table(name: TableName) -> list[PublishedModel]:
    """The rows of a published table, in the paper's order."""
    return list(_read(name))


def find(name: TableName, model: str, config: str = "") -> PublishedModel | None:
    """The row of a model: by its name in the paper in any case, or of a `name:model`."""
    wanted = published_name(model)
    for row in _read(name):
        if row.model == wanted and row.config == config:
            return row
    return None


def published_name(model: str) -> str | None:
    """What the paper calls a model, or the model of a provider `name:model`; None if unknown.

    A hub id counts, in whatever organisation's hands; a fine-tuned model has a name of its own.
    """
    name = (model.partition(":")[2] or model).partition("@")[0].lower()
    last = name.rpartition("/")[2]
    return _names().get(name) or _names().get(last)


@cache
def _names() -> dict[str, str]:
    """The paper's name for each name in lower case that means the same model."""
    known = {row.model.lower(): row.model for name in TABLE_NAMES for row in _read(name)}
    for alias, hub_id in ALIASES.items():
        if alias in known:
            known[hub_id.lower()] = known[hub_id.rpartition("/")[2].lower()] = known[alias]
    return known


@cache
def _read(name: TableName) -> tuple[PublishedModel, ...]:
    info = TABLES[name]
    file = _home() / info.file
    rows: dict[tuple[str, str], PublishedModel] = {}
    for line in _lines(file):
        key = line["model"], line.get("config", "")
        row = rows.setdefault(key, PublishedModel(*key, {}, {}))
        values = {metric: _value(metric, line[metric]) for metric in info.metrics}
        if line["dataset"] == _AVERAGE:
            row.printed.update(values)
        else:
            row.values[find_scenario(line["dataset"]).name] = values
    return tuple(rows.values())


def _lines(file: Path) -> Iterator[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


def _value(metric: str, text: str) -> float:
    return float(text) if metric == "psr" else float(text) / 100


def _home() -> Path:
    for home in _HOMES:
        if home.is_dir():
            return home
    raise UserError(f"the published figures are missing: there is no folder {_HOMES[0]}")
