"""A run that is to be played: its settings, its folder, and how its model is reached."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from proactive_agent.providers import ApiAccess, Provider
from proactive_agent.providers.registry import PYTHON, is_interactive, is_remote
from proactive_agent.records.manifest import Settings
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.runs.trust import Trust, check_trust


@dataclass(frozen=True)
class PlannedRun:
    """A run to be played. It is resumed if its folder already holds records."""

    settings: Settings
    folder: RunFolder
    access: ApiAccess = field(default_factory=ApiAccess)
    label: str | None = None
    """Name of the model in progress bars and tables; by default its spec."""
    model: Provider | None = None
    """A ready model, used instead of loading `settings.provider`. The caller closes it."""

    @classmethod
    def new(
        cls,
        settings: Settings,
        results: Path,
        access: ApiAccess | None = None,
        *,
        taken: Collection[Path] = (),
        model: Provider | None = None,
    ) -> Self:
        """Plans a run in a new folder below `results`, named by time, model and condition.

        `taken` are folders of other planned runs, which may not exist yet.
        """
        first = results / f"{datetime.now(UTC):%Y%m%dT%H%M%S}_{run_name(settings)}"
        path, number = first, 1
        while path in taken or path.exists():
            number += 1
            path = first.with_name(f"{first.name}_{number}")
        return cls(settings, RunFolder(path), access or ApiAccess(), model=model)

    @classmethod
    def resumed(
        cls, folder: RunFolder, access: ApiAccess | None = None, trust: Trust | None = None
    ) -> Self:
        """Plans the rest of a run: missing episodes and those with errors.

        Raises UserError, also if the folder's settings need more trust than the user gives.
        """
        settings = folder.read_manifest().settings
        check_trust(settings, trust or Trust(), folder.path)
        return cls(settings, folder, access or ApiAccess())

    @property
    def begun(self) -> bool:
        """Whether the run's folder holds records."""
        return self.folder.manifest_file.exists()

    @property
    def model_name(self) -> str:
        """Name of the model in tables."""
        return self.label or self.settings.shown_provider.removeprefix("baseline:")

    @property
    def name(self) -> str:
        """Model and condition."""
        return f"{self.label or self.settings.shown_provider} {self.settings.condition}"

    @property
    def model_key(self) -> object:
        """Equal for runs that share a loaded model."""
        return self.model or (self.settings.provider, self.settings.provider_settings, self.access)

    @property
    def remote(self) -> bool:
        """Whether the model holds no weights on this machine, so that several can play at once."""
        return self.is_python or is_remote(self.settings.provider)

    @property
    def interactive(self) -> bool:
        """Whether a person at the terminal answers in the model's place."""
        if self.is_python:
            return self.model is not None and self.model.interactive
        return is_interactive(self.settings.provider)

    @property
    def is_python(self) -> bool:
        """Whether the model is a Python object, which a later process does not have."""
        return self.model is not None or self.settings.provider.startswith(f"{PYTHON}:")


def new_runs(every: Sequence[Settings], results: Path, access: ApiAccess) -> list[PlannedRun]:
    """Plans a new run for each of the settings."""
    runs: list[PlannedRun] = []
    for settings in every:
        taken = [run.folder.path for run in runs]
        runs.append(PlannedRun.new(settings, results, access, taken=taken))
    return runs


def run_name(settings: Settings, model: str | None = None) -> str:
    """Returns model, protocol and condition as a part of a folder's name."""
    model = (model or settings.shown_provider)[:60]
    name = f"{model}_{settings.protocol}_{settings.condition}"
    return "".join(c if c.isalnum() or c in "-._+" else "-" for c in name)


def changed_settings(run: PlannedRun) -> str:
    """Lists the settings in which a started run differs from its plan; empty if there are none.

    A run keeps its settings, so that all of its episodes have the same settings.
    """
    was, now = run.folder.read_manifest().settings.flat(), run.settings.flat()
    return "; ".join(
        f"{key} was {was[key]!r}, is {now[key]!r}" for key in now if was[key] != now[key]
    )
