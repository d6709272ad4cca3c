"""Jobs: one episode's render each, written once, so that a rerun goes on where it stopped."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalogue import CatalogueItem


@dataclass(frozen=True)
class RenderJob:
    """One episode: its item, its room and how the scenario looks into it."""

    number: int
    item: CatalogueItem
    room: int
    stage: str
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.number:02d}_{self.item.slug}"


def done(out: Path, scenario: str, job: RenderJob) -> bool:
    """Whether the record of a job is there."""
    return (out / scenario / job.name / "record.json").exists()


def save_record(folder: Path, job: RenderJob, numbers: dict[str, Any]) -> None:
    """Write the record last: it says that the job is finished."""
    record = {"name": job.name, **job.item.record(), "room": job.room, **numbers}
    (folder / "record.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
