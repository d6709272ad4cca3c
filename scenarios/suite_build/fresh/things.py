"""The tables of things: `things.tsv`, `models.tsv` and `rejected.tsv`."""

from __future__ import annotations

import csv
import re
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "render")]

from catalogue import CatalogueModel, models  # noqa: E402


def rows(table: str) -> list[dict[str, str]]:
    """Returns the lines of a table in this folder."""
    with (HERE / table).open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@dataclass(frozen=True)
class ModelSource:
    """A model of a thing and the way it is shown."""

    group: str
    thing: str
    number: int
    """Zero for the thing's main model."""
    model: CatalogueModel
    yaw: float
    """Turn of the three-quarter view, in degrees."""
    natural: bool
    """Whether another hue would look wrong."""
    high: bool
    """Whether the camera looks from higher up, because the thing is flat."""

    @property
    def slug(self) -> str:
        """Name of the model's files."""
        name = re.sub(r"[^a-z0-9]+", "_", self.thing.lower()).strip("_")
        return f"{name}-{self.model.key.replace('/', '-').lower()}"


@cache
def sources() -> tuple[ModelSource, ...]:
    """Every model of every thing: all main models first, in the order of the tables."""
    known = models()
    by_thing: dict[str, list[dict[str, str]]] = {}
    for row in rows("models.tsv"):
        by_thing.setdefault(row["thing"], []).append(row)
    found = [
        ModelSource(
            thing["group"],
            thing["thing"],
            number,
            known[row["model"]],
            float(row["yaw"]),
            thing["colour"] == "natural",
            thing["camera"] == "high",
        )
        for thing in rows("things.tsv")
        for number, row in enumerate(by_thing[thing["thing"]])
    ]
    return tuple(sorted(found, key=lambda source: source.number))
