"""The results that the paper publishes (arXiv 2603.19466v2), read from CSV files.

All of them were measured on the official data. Results on other data cannot be compared with them.

    for row in table("table1"):
        print(row.model, row.values["rod"]["acc"], row.macro("acc"), row.printed["acc"])

Shares (acc, cc, ps) are 0 to 1, as in `metrics`; psr is a mean of counts.
"""

import csv
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from proactive_agent.providers.local.aliases import ALIASES
from proactive_agent.reports.targets import TABLES
from proactive_agent.scenarios import find_scenario
from proactive_agent.settings.model_spec import split_spec
from proactive_agent.tools import UserError

PAPER = "arXiv 2603.19466v2"

NOTE = f"The published figures are from {PAPER} and were measured on the official data."
"""A note for every table and plot that shows published figures."""

LABEL = "published, official data"
"""The name of published figures in legends."""

_AVERAGE = "avg"
"""The data set name under which the files hold the paper's averages."""

_FOLDER = files("proactive_agent") / "published_data"
"""The folder of the published tables; in the repository a link to `results/published`."""


class PublishedModel(NamedTuple):
    """A row of a published table."""

    model: str
    config: str
    """`original` or the reward of a suggestion (`rp=0.5`) in table 3; empty in other tables."""
    values: dict[str, dict[str, float]]
    """Numbers by scenario (short name, in the table's order), then by metric."""
    printed: dict[str, float]
    """The average that the paper prints, by metric."""

    @property
    def name(self) -> str:
        """The model, with its configuration in table 3."""
        return f"{self.model}, {self.config}" if self.config else self.model

    def macro(self, metric: str, scenarios: Collection[str] | None = None) -> float:
        """The mean over the scenarios; over all of them, the printed average except for rounding.

        By default all scenarios are averaged.
        """
        values = [self.values[name][metric] for name in scenarios or self.values]
        return sum(values) / len(values)

    def average(self, metric: str, scenarios: Sequence[str]) -> float:
        """The printed average if these are all scenarios of the table, otherwise their mean."""
        everything = len(scenarios) == len(self.values)
        return self.printed[metric] if everything else self.macro(metric, scenarios)


class HistoryEffect(NamedTuple):
    """Means over models, from the paper's text."""

    psr_without: float
    psr_with: float
    acc_change: float


HISTORY = HistoryEffect(psr_without=0.5, psr_with=1.8, acc_change=-0.07)
"""The effect of keeping earlier turns in the conversation."""


class FilterEffect(NamedTuple):
    """The effect of the paper's filter."""

    models: int
    samples: int
    kept: int


FILTERED = FilterEffect(models=22, samples=17_909, kept=7_557)
"""A sample is dropped if at least 6 of the models answer it rightly in the first turn."""


def table(name: str) -> list[PublishedModel]:
    """The rows of a published table, in the paper's order."""
    return list(_read(name))


def find(name: str, model: str, config: str = "") -> PublishedModel | None:
    """The row of a model, given by a provider spec or by its name in the paper (in any case)."""
    wanted = published_name(model)
    for row in _read(name):
        if row.model == wanted and row.config == config:
            return row
    return None


def published_name(model: str) -> str | None:
    """The paper's name for a model or for the model of a spec `name:model`; None if unknown.

    A hub id matches regardless of its organisation. A fine-tuned model does not match its base.
    """
    name = (split_spec(model).model or model).partition("@")[0].lower()
    last = name.rpartition("/")[2]
    return _names().get(name) or _names().get(last)


@cache
def _names() -> dict[str, str]:
    """The paper's name for each lower-case name of the same model."""
    known = {row.model.lower(): row.model for name in TABLES for row in _read(name)}
    for alias, hub_id in ALIASES.items():
        if alias in known:
            known[hub_id.lower()] = known[hub_id.rpartition("/")[2].lower()] = known[alias]
    return known


@cache
def _read(name: str) -> tuple[PublishedModel, ...]:
    info = TABLES[name]
    rows: dict[tuple[str, str], PublishedModel] = {}
    for line in _lines(info.file):
        key = line["model"], line.get("config", "")
        row = rows.setdefault(key, PublishedModel(*key, {}, {}))
        values = {metric: _value(metric, line[metric]) for metric in info.metrics}
        if line["dataset"] == _AVERAGE:
            row.printed.update(values)
        else:
            row.values[find_scenario(line["dataset"]).name] = values
    return tuple(rows.values())


def _lines(name: str) -> Iterator[dict[str, str]]:
    """The lines of a file. Raises UserError if it is missing."""
    try:
        text = (_FOLDER / name).read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"the published figures are missing ({error}); reinstall proactive-agent"
        ) from None
    yield from csv.DictReader(text.splitlines())


def _value(metric: str, text: str) -> float:
    return float(text) if metric == "psr" else float(text) / 100
