"""What runs that are played together share: each model is loaded once, each data file read once."""

from collections import Counter
from pathlib import Path

from proactive_agent.play.conditions import parse_condition
from proactive_agent.providers import ApiAccess, Provider, ProviderOptions, create_provider
from proactive_agent.records.manifest import (
    DataFingerprint,
    ProviderSettings,
    Settings,
    fingerprint,
)
from proactive_agent.scenarios import DataFolder
from proactive_agent.settings import LoadSettings, declared
from proactive_agent.terminal.desk import TerminalDesk
from proactive_agent.tools import UserError


class ModelPool:
    """Models and data folders, made when they are first asked for.

    Who asks for a model releases it; it is closed when nobody uses it any more.
    """

    def __init__(self) -> None:
        self.run_ids: set[str] = set()
        """Of runs that are prepared; a folder may not be there yet."""
        self._providers: dict[tuple[str, ProviderOptions], Provider] = {}
        self._users: Counter[Provider] = Counter()
        self._data: dict[tuple[str | None, bool], DataFolder] = {}
        self._fingerprints: dict[tuple[DataFolder, tuple[str, ...]], DataFingerprint] = {}
        self._desk = TerminalDesk()

    def provider(
        self, spec: str, how: ProviderSettings, access: ApiAccess | None = None
    ) -> Provider:
        """The model of a `name:model`; loads it the first time.  Raises UserError."""
        loading = {name: getattr(how, name) for name in declared(LoadSettings)}
        options = ProviderOptions(**loading, access=access or ApiAccess(), desk=self._desk)
        if (spec, options) not in self._providers:
            self._providers[spec, options] = create_provider(spec, options)
        provider = self._providers[spec, options]
        self._users[provider] += 1
        return provider

    def data(self, settings: Settings) -> DataFolder:
        """The data folder, with every scenario that is asked for.  Raises UserError."""
        condition = parse_condition(settings.condition, settings.protocol)
        key = (settings.data, settings.unfiltered or condition.unfiltered)
        if key not in self._data:
            path = None if settings.data is None else Path(settings.data)
            self._data[key] = DataFolder(path, unfiltered=key[1])
        data = self._data[key]
        for scenario in settings.scenarios:
            if not data.file(scenario).is_file():
                raise UserError(
                    f"{data.root} has no data for {scenario}: {data.file(scenario).name}"
                )
        return data

    def fingerprint(self, settings: Settings) -> DataFingerprint:
        """Of the data; reads every file the first time.  Raises DataError at its first fault."""
        data = self.data(settings)
        key = (data, settings.scenarios)
        if key not in self._fingerprints:
            self._fingerprints[key] = fingerprint(data, settings.scenarios)
        return self._fingerprints[key]

    async def release(self, provider: Provider) -> None:
        """One user less."""
        self._users[provider] -= 1
        if self._users[provider] == 0:
            await self._close(provider)

    async def close(self) -> None:
        """Closes every model, whoever uses it."""
        for provider in list(self._providers.values()):
            await self._close(provider)

    async def _close(self, provider: Provider) -> None:
        self._providers = {key: one for key, one in self._providers.items() if one is not provider}
        await provider.close()
