"""Jobs, each of which renders one episode. Records let a rerun continue where it stopped."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalogue import CatalogueItem


@dataclass(frozen=True)
class RenderJob:
    """The render of one episode: its item, its room and the view into the room."""

    number: int
    item: CatalogueItem
    room: int
    stage: str
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.number:02d}_{self.item.slug}"


def done(out: Path, scenario: str, job: RenderJob) -> bool:
    """Whether the record of a job exists."""
    return (out / scenario / job.name / "record.json").exists()


def save_record(folder: Path, job: RenderJob, numbers: dict[str, Any]) -> None:
    """Write the record. It marks the job as finished, so it must be written last."""
    record = {"name": job.name, **job.item.record(), "room": job.room, **numbers}
    (folder / "record.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
