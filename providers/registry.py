"""Providers by name: `name:model`, or the name alone where it needs no model.

Other packages add theirs through the entry-point group `proactive_agent.providers`; an entry names
a `Provider` class, or anything with its `create(model, options)`.
"""

import importlib
import importlib.metadata
from typing import Any, NamedTuple

from proactive_agent.providers.base import Provider, ProviderOptions
from proactive_agent.tools import MissingExtraError, UserError

ENTRY_POINTS = "proactive_agent.providers"


class Entry(NamedTuple):
    """Where a provider's class is, and which extra its libraries come with."""

    target: str
    extra: str | None = None
    needs: str | None = None
    """The library that must be importable."""
    remote: bool = False
    """The model runs elsewhere, so that several can be asked side by side."""
    model: str | None = None
    """Where none is named."""
    interactive: bool = False
    """A person is asked, so nothing else may write to the terminal."""


BUILT_IN: dict[str, Entry] = {
    "baseline": Entry("proactive_agent.providers.baselines:Baseline"),
    "replay": Entry("proactive_agent.providers.replay:Replay"),
    "human": Entry("proactive_agent.providers.human:Human", model="anonymous", interactive=True),
    "local": Entry("proactive_agent.providers.local:Local", extra="local", needs="transformers"),
    "openai": Entry("proactive_agent.providers.api.openai:OpenAI", "api", "openai", remote=True),
    "anthropic": Entry(
        "proactive_agent.providers.api.anthropic:Anthropic", "api", "anthropic", remote=True
    ),
    "litellm": Entry(
        "proactive_agent.providers.api.litellm:LiteLLM", "api", "litellm", remote=True
    ),
}


def create_provider(spec: str, options: ProviderOptions | None = None) -> Provider:
    """The provider of a `name:model`.  Raises UserError; the message says what to do."""
    name, model = check_spec(spec)
    entry = BUILT_IN.get(name)
    try:
        provider: Provider = _load(name).create(model, options or ProviderOptions())
    except ModuleNotFoundError as error:
        if entry is None or entry.extra is None:
            raise
        raise MissingExtraError(entry.extra, f"{name} ({error.name} is not installed)") from None
    return provider


def check_spec(spec: str) -> tuple[str, str]:
    """Name and model of a `name:model`; loads nothing.  Raises UserError."""
    name, colon, model = spec.partition(":")
    entry = BUILT_IN.get(name)
    if entry and entry.model and not colon:
        return name, entry.model
    if not model:
        raise UserError(f"provider {spec!r} has not the form name:model, e.g. baseline:random")
    if name not in provider_names():
        raise UserError(f"unknown provider {name!r}; known: {', '.join(provider_names())}")
    return name, model


def is_remote(spec: str) -> bool:
    """Whether the model of a `name:model` runs elsewhere; loads nothing."""
    entry = BUILT_IN.get(spec.partition(":")[0])
    return entry is not None and entry.remote


def is_interactive(spec: str) -> bool:
    """Whether a person answers in the model's place; loads nothing."""
    entry = BUILT_IN.get(spec.partition(":")[0])
    return entry is not None and entry.interactive


def provider_names() -> list[str]:
    """The names that can stand before the colon."""
    return sorted({*BUILT_IN, *(entry.name for entry in _entry_points())})


def _load(name: str) -> Any:
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].target.partition(":")
        return getattr(importlib.import_module(module), attribute)
    return next(entry.load() for entry in _entry_points() if entry.name == name)


def _entry_points() -> importlib.metadata.EntryPoints:
    return importlib.metadata.entry_points(group=ENTRY_POINTS)
