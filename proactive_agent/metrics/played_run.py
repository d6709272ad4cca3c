"""A run that was played: its records and its numbers."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from proactive_agent.metrics.measures import Episode
from proactive_agent.metrics.summary import Summary, summarise_tables
from proactive_agent.metrics.table import Tables, gather
from proactive_agent.providers import StoppedError
from proactive_agent.records.manifest import Manifest
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.settings.agent_names import names_agent


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
    stopped: StoppedError | None = None
    """The error that ended it before its last episode, if this process played it."""

    @classmethod
    def of_episodes(
        cls, name: str, manifest: Manifest, folder: RunFolder, episodes: Iterable[Episode]
    ) -> Self:
        """Computes the numbers of a run from its episodes. Raises UserError."""
        tables = gather(episodes)
        return cls(name, manifest, folder, tables, summarise_tables(tables))

    @property
    def method(self) -> str:
        """Protocol and condition, and whether agents play: tables keep them apart from models."""
        settings = self.manifest.settings
        agents = ", agents" if names_agent(settings.provider) else ""
        return f"{settings.protocol}, {settings.condition}{agents}"
