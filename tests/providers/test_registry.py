import importlib.metadata
from typing import Any, Self

import pytest

from proactive_agent.providers import (
    Provider,
    ProviderOptions,
    Reply,
    Request,
    create_provider,
    provider_names,
    registry,
)
from proactive_agent.providers.registry import ENTRY_POINTS, Entry
from proactive_agent.tools import MissingExtraError, UserError


class Parrot(Provider):
    """A third party's provider."""

    def __init__(self, model: str, options: ProviderOptions) -> None:
        self.model = model
        self.options = options

    @classmethod
    def create(cls, model: str, options: ProviderOptions) -> Self:
        return cls(model, options)

    async def complete(self, request: Request) -> Reply:
        return Reply(self.model)


def test_a_model_name_may_hold_colons_and_slashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.BUILT_IN, "parrot", Entry(f"{__name__}:Parrot"))
    provider: Any = create_provider("parrot:org/model:7b@http://localhost:1/v1")
    assert provider.model == "org/model:7b@http://localhost:1/v1"


def test_options_reach_the_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.BUILT_IN, "parrot", Entry(f"{__name__}:Parrot"))
    provider: Any = create_provider("parrot:x", ProviderOptions(batch_size=3))
    assert provider.options.batch_size == 3


def test_third_parties_register_through_an_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = importlib.metadata.EntryPoint("theirs", f"{__name__}:Parrot", ENTRY_POINTS)
    found = importlib.metadata.EntryPoints([entry])
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: found.select(group=group))
    assert "theirs" in provider_names()
    provider: Any = create_provider("theirs:model")
    assert provider.model == "model"


@pytest.mark.parametrize("spec", ["", "baseline", "baseline:", ":x", "nobody:x"])
def test_an_unknown_provider_is_wrong_input(spec: str) -> None:
    with pytest.raises(UserError):
        create_provider(spec)


def test_a_missing_library_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = Entry("no_such_library.providers:X", extra="api")
    monkeypatch.setitem(registry.BUILT_IN, "far", entry)
    with pytest.raises(MissingExtraError, match=r"pip install 'proactive-agent\[api\]'"):
        create_provider("far:model")


def test_a_missing_module_of_our_own_is_a_fault_of_the_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(registry.BUILT_IN, "far", Entry("no_such_library.providers:X"))
    with pytest.raises(ModuleNotFoundError):
        create_provider("far:model")
