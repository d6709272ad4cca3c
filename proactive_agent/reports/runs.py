"""Played runs: their names, records and numbers, and the data that they were made on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from proactive_agent.metrics import Summary, Tables, gather, summarise_tables
from proactive_agent.metrics.measures import Episode
from proactive_agent.records.manifest import Manifest
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.reports.run_names import name_runs
from proactive_agent.scenarios import SCENARIOS

OFFICIAL = "official data"


@dataclass(frozen=True)
class PlayedRun:
    """A run that was played, to its end or until it was interrupted."""

    name: str
    """Its short name in tables and plots."""
    manifest: Manifest
    folder: RunFolder
    tables: Tables
    """The rows of its episodes, by scenario."""
    summary: Summary

    @classmethod
    def of_episodes(
        cls, name: str, manifest: Manifest, folder: RunFolder, episodes: Iterable[Episode]
    ) -> Self:
        """Computes the numbers of a run from its episodes.  Raises UserError."""
        tables = gather(episodes)
        return cls(name, manifest, folder, tables, summarise_tables(tables))

    @property
    def method(self) -> str:
        """Protocol and condition."""
        settings = self.manifest.settings
        return f"{settings.protocol}, {settings.condition}"


def read_runs(runs: Sequence[str], results: Path) -> list[PlayedRun]:
    """Reads runs given by path, or by id below `results`.  Raises UserError."""
    folders = [RunFolder.find(run, results) for run in runs]
    manifests = [folder.read_manifest() for folder in folders]
    return [
        PlayedRun.of_episodes(name, manifest, folder, folder.scan())
        for name, manifest, folder in zip(name_runs(manifests), manifests, folders, strict=True)
    ]


def same_data(one: Manifest, other: Manifest) -> list[str]:
    """The scenarios whose data file is the same in both, so that equal ids are equal samples."""
    ours, theirs = one.data.files, other.data.files
    return [
        name for name in SCENARIOS
        if name in ours and name in theirs and ours[name].sha256 == theirs[name].sha256
    ]  # fmt: skip


def data_label(manifest: Manifest) -> str:
    """What the data are, as far as a run's records tell."""
    data = manifest.data
    if data.embedded:
        return "embedded suite"
    if not data.wording.startswith("proactivebench"):
        return "own data"
    whole = all(file.kept == SCENARIOS[n].published_counts[1] for n, file in data.files.items())
    return OFFICIAL if whole and data.filtered else "official wording, other samples"
