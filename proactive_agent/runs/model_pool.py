"""The models and data of a session: each model is loaded once, each data file is read once."""

import threading
from collections import Counter
from contextlib import AsyncExitStack

from proactive_agent.play.conditions import parse_condition
from proactive_agent.providers import ApiAccess, Provider, ProviderOptions, create_provider
from proactive_agent.records.manifest import (
    DataFingerprint,
    ProviderSettings,
    Settings,
    fingerprint,
)
from proactive_agent.scenarios import DataFolder
from proactive_agent.scenarios.open_data import open_data
from proactive_agent.settings import LoadSettings, declared
from proactive_agent.terminal.desk import TerminalDesk
from proactive_agent.tools import UserError


class ModelPool:
    """Loads models and opens data folders when they are first needed.

    Each call of `provider` counts as one use of the model; `release` ends it. A model is closed
    when no use is left, or when the pool is closed.
    """

    def __init__(self) -> None:
        self._providers: dict[tuple[str, ProviderOptions], Provider] = {}
        self._uses: Counter[Provider] = Counter()
        self._data: dict[tuple[str | None, bool], DataFolder] = {}
        self._fingerprints: dict[tuple[DataFolder, tuple[str, ...]], DataFingerprint] = {}
        self._desk = TerminalDesk()
        self._abandoned = threading.Event()

    def provider(
        self, spec: str, loading: ProviderSettings, access: ApiAccess | None = None
    ) -> Provider:
        """Returns the model of `NAME:MODEL`; loads it the first time. Raises UserError."""
        fields = {name: getattr(loading, name) for name in declared(LoadSettings)}
        options = ProviderOptions(
            **fields, access=access or ApiAccess(), desk=self._desk, abandoned=self._abandoned
        )
        if (spec, options) not in self._providers:
            self._providers[spec, options] = create_provider(spec, options)
        provider = self._providers[spec, options]
        self._uses[provider] += 1
        return provider

    def data(self, settings: Settings) -> DataFolder:
        """Returns the data folder of a run. Raises UserError if a scenario is missing in it."""
        condition = parse_condition(settings.condition, settings.protocol)
        key = (settings.data, settings.unfiltered or condition.unfiltered)
        if key not in self._data:
            self._data[key] = open_data(settings.data, unfiltered=key[1])
        data = self._data[key]
        for scenario in settings.scenarios:
            if not data.has(scenario):
                raise UserError(
                    f"{data.root} has no data for {scenario}: {data.file(scenario).name}"
                )
        return data

    def fingerprint(self, settings: Settings) -> DataFingerprint:
        """Returns hashes and counts of a run's data; reads every file the first time.

        Raises DataError at the first faulty line.
        """
        data = self.data(settings)
        key = (data, settings.scenarios)
        if key not in self._fingerprints:
            self._fingerprints[key] = fingerprint(data, settings.scenarios)
        return self._fingerprints[key]

    async def release(self, provider: Provider) -> None:
        """Ends one use of a model and closes it if none is left.

        A model that the pool has not loaded belongs to the caller and stays open.
        """
        if provider not in self._uses:
            return
        self._uses[provider] -= 1
        if self._uses[provider] == 0:
            del self._uses[provider]
            self._providers = {k: one for k, one in self._providers.items() if one is not provider}
            await provider.close()

    async def close(self) -> None:
        """Closes every model that is still open, each even if another fails to close.

        A model that another thread is loading may give up.
        """
        self._abandoned.set()
        async with AsyncExitStack() as stack:
            for provider in self._uses:
                stack.push_async_callback(provider.close)
            self._providers.clear()
            self._uses = Counter()
