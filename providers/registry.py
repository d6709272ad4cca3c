"""Providers by name. A spec is `NAME:MODEL`, or `NAME` if the provider has a default model.

A name leads to a factory, which makes a `Provider` from the model and the options. A factory is
one of

- a class with a classmethod `create(model, options)`;
- a `Provider` class whose constructor takes `(model, options)`;
- a function `factory(model, options)`.

Names come from three places: the list below, `register_provider`, and the entry point group
`proactive_agent.providers` of installed packages. The registry reads `remote`, `interactive`,
`default_model`, `library` and `extra` from the class; a function that does not set them has the
defaults of `Provider`.
"""

import importlib
import importlib.metadata
import re
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from proactive_agent.providers.api.keys import protect_secrets
from proactive_agent.providers.api.server import OWN_SERVER_KEY
from proactive_agent.providers.base import Provider, ProviderOptions
from proactive_agent.settings.model_spec import split_spec
from proactive_agent.tools import MissingExtraError, UserError
from proactive_agent.tools.secrets import check_address
from proactive_agent.tools.suggestions import known_names

ENTRY_POINTS = "proactive_agent.providers"

BUILT_IN: dict[str, str] = {
    "baseline": "proactive_agent.providers.baselines:create_baseline",
    "replay": "proactive_agent.providers.replay:Replay",
    "human": "proactive_agent.providers.human:Human",
    "local": "proactive_agent.providers.workers.factory:LocalFactory",
    "vllm": "proactive_agent.providers.vllm:Vllm",
    "agent": "proactive_agent.providers.agent:AgentProvider",
    "openai": "proactive_agent.providers.api.openai:OpenAI",
    "anthropic": "proactive_agent.providers.api.anthropic:Anthropic",
    "litellm": "proactive_agent.providers.api.litellm:LiteLLM",
}
"""`module:attribute` of each factory. Importing one of these modules imports no model library."""

PYTHON = "python"
"""Stands for a Python object in the spec of a run: `python:NAME`. No factory has this name."""

_ADDRESS = re.compile(r"https?://.*", re.IGNORECASE | re.DOTALL)
AGENT = "agent"
"""The provider whose specs are commands, which may contain addresses."""
SHOWN = 300
"""Characters of another package's error that a message shows."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")


class Creator(Protocol):
    """A class with the classmethod `create`."""

    def create(self, model: str, options: ProviderOptions, /) -> Provider:
        """Makes the provider. Raises UserError for a model that does not exist."""


Factory = Creator | Callable[[str, ProviderOptions], Provider]

REGISTERED: dict[str, Factory] = {}
"""Factories that were registered at run time."""


class Traits(NamedTuple):
    """Facts about a provider that are known before a model is loaded; fields as in `Provider`."""

    remote: bool
    interactive: bool
    is_agent: bool
    default_model: str | None
    library: str | None
    extra: str | None


def register_provider(name: str, factory: Factory, *, replace: bool = False) -> None:
    """Makes `NAME:MODEL` available in this process.

    `replace` allows a name that was registered before, as when a notebook cell runs again. Raises
    UserError if the name is taken or malformed, or if the factory cannot be called.
    """
    if not _NAME.fullmatch(name):
        raise UserError(
            f"cannot register the provider {name!r}: a name begins with a letter and contains only "
            "letters, digits, '.', '_' and '-'"
        )
    if name in REGISTERED and not replace:
        raise UserError(
            f"cannot register the provider {name!r}: the name is already registered; "
            "choose another one, or pass replace=True"
        )
    if name == PYTHON:
        raise UserError(
            f"cannot register the provider {name!r}: the name stands for models that are passed to "
            "proactive_agent.evaluate as Python objects"
        )
    if name in BUILT_IN or name in {entry.name for entry in _entry_points()}:
        origin = "a built-in provider" if name in BUILT_IN else "a provider of an installed package"
        raise UserError(f"cannot register the provider {name!r}: the name belongs to {origin}")
    if not callable(getattr(factory, "create", factory)):
        raise UserError(
            f"cannot register the provider {name!r}: expected a function factory(model, options) "
            f"or a class with such a classmethod `create`, got {type(factory).__name__}"
        )
    REGISTERED[name] = factory


def create_provider(spec: str, options: ProviderOptions | None = None) -> Provider:
    """Makes the provider of a spec. Raises UserError; its message says what to do."""
    name, model = check_spec(spec)
    factory = _factory(name)
    entry = None if name in BUILT_IN or name in REGISTERED else _entry_point(name)
    create = getattr(factory, "create", factory)
    try:
        provider = create(model, options or ProviderOptions())
    except UserError:
        raise
    except ModuleNotFoundError as error:
        if (extra := _traits(factory).extra) is not None:
            raise MissingExtraError(extra, name, error.name) from None
        if entry is None:
            raise
        raise _broken(entry, error) from error
    except (Exception, SystemExit) as error:
        if entry is None:
            raise
        raise _broken(entry, error) from error
    if not isinstance(provider, Provider):
        origin = f" of {_package(entry)}" if entry else ""
        raise UserError(
            f"the factory of the provider {name!r}{origin} returned a {type(provider).__name__}; "
            "expected a Provider"
        )
    return provider


def check_spec(spec: str) -> tuple[str, str]:
    """Splits a spec into name and model without loading the model. Raises UserError."""
    name, model = split_spec(spec)
    if (address := _ADDRESS.search(spec)) and name != AGENT:
        # Here, because a spec is recorded before its provider is made.
        protect_secrets()
        check_address(address[0], OWN_SERVER_KEY)
    if name == spec and name in provider_names() and (default := traits(name).default_model):
        return name, default
    if name == PYTHON:
        raise UserError(
            f"provider {spec!r}: a Python object cannot be loaded by name; pass it to "
            "proactive_agent.evaluate, or give it a name with register_provider"
        )
    if not model:
        example = next(iter(_with_provider(spec)), None)
        hint = f"did you mean {example}?" if example else "for example baseline:random"
        raise UserError(f"provider {spec!r}: expected NAME:MODEL; {hint}")
    if name not in provider_names():
        raise UserError(f"unknown provider {name!r}; {known_names(name, provider_names())}")
    return name, model


def _with_provider(model: str) -> list[str]:
    """Returns specs of a model that was given without its provider."""
    from proactive_agent.providers.baselines import BASELINES
    from proactive_agent.providers.local.aliases import SHORT_NAMES

    model = model.lower()
    if model in BASELINES:
        return [f"baseline:{model}"]
    if model in SHORT_NAMES:
        return [f"local:{model}"]
    starts = {"gpt": "openai", "claude": "anthropic", "gemini": "litellm:gemini/"}
    return [
        f"{provider}{':' * (':' not in provider)}{model}"
        for start, provider in starts.items() if model.startswith(start)
    ]  # fmt: skip


def traits(name: str) -> Traits:
    """Reads the traits that a provider's class declares. Raises UserError if it cannot be loaded.

    `name` is one of `provider_names()`.
    """
    return _traits(_factory(name))


def is_remote(spec: str) -> bool:
    """Whether the model of a spec runs elsewhere. Loads the provider's class, but no model."""
    return traits(check_spec(spec)[0]).remote


def is_interactive(spec: str) -> bool:
    """Whether a person answers in the model's place. Loads the provider's class, but no model."""
    return traits(check_spec(spec)[0]).interactive


def provider_names() -> list[str]:
    """The names that can stand before the colon, sorted."""
    return sorted({*BUILT_IN, *REGISTERED, *(entry.name for entry in _entry_points())})


def _factory(name: str) -> Any:
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        return getattr(importlib.import_module(module), attribute)
    if name in REGISTERED:
        return REGISTERED[name]
    entry = _entry_point(name)
    if entry is None:
        raise UserError(f"unknown provider {name!r}; {known_names(name, provider_names())}")
    try:
        factory = entry.load()
        if not callable(getattr(factory, "create", factory)):
            raise TypeError(f"{type(factory).__name__} object is not callable")
        _traits(factory)
    except (Exception, SystemExit) as error:  # Code of another package can raise anything.
        raise _broken(entry, error, "cannot be loaded") from error
    return factory


def _entry_point(name: str) -> importlib.metadata.EntryPoint | None:
    return next((entry for entry in _entry_points() if entry.name == name), None)


def _package(entry: importlib.metadata.EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown package"


def _broken(
    entry: importlib.metadata.EntryPoint, error: BaseException, fault: str = "failed"
) -> UserError:
    """Returns the error for a package whose provider cannot be made."""
    reason = f"{type(error).__name__}: {error}"[:SHOWN]
    return UserError(
        f"provider {entry.name!r}: its entry point {entry.value} {fault} ({reason}); "
        f"repair or uninstall the package that declares it, {_package(entry)}"
    )


def _traits(factory: Any) -> Traits:
    return Traits(*(getattr(factory, field, getattr(Provider, field)) for field in Traits._fields))


def _entry_points() -> importlib.metadata.EntryPoints:
    return importlib.metadata.entry_points(group=ENTRY_POINTS)
