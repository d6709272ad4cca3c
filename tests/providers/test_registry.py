import importlib.metadata
import re
import subprocess
import sys
from typing import Any, ClassVar, Self

import pytest

from proactive_agent.providers import (
    Provider,
    ProviderOptions,
    Reply,
    Request,
    create_provider,
    provider_names,
    register_provider,
    registry,
)
from proactive_agent.providers.registry import (
    ENTRY_POINTS,
    check_spec,
    is_interactive,
    is_remote,
)
from proactive_agent.tools import MissingExtraError, UserError
from proactive_agent.tools.install import install_command


class Parrot(Provider):
    """A provider of another package."""

    def __init__(self, model: str, options: ProviderOptions) -> None:
        self.model = model
        self.options = options

    @classmethod
    def create(cls, model: str, options: ProviderOptions) -> Self:
        return cls(model, options)

    async def complete(self, request: Request) -> Reply:
        return Reply(self.model)


class Macaw(Provider):
    """A provider that its constructor makes from model and options."""

    def __init__(self, model: str, options: ProviderOptions) -> None:
        self.model = model

    async def complete(self, request: Request) -> Reply:
        return Reply(self.model)


def make_parrot(model: str, options: ProviderOptions) -> Provider:
    """A factory that is a function."""
    return Parrot(model, options)


class Unequipped(Parrot):
    """A provider that needs a library that is not installed."""

    remote: ClassVar[bool] = True
    extra: ClassVar[str | None] = "api"

    @classmethod
    def create(cls, model: str, options: ProviderOptions) -> Self:
        import no_such_library

        return cls(no_such_library.model, options)


@pytest.fixture(autouse=True)
def nothing_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Removes the providers that a test registered."""
    monkeypatch.setattr(registry, "REGISTERED", {})


def install(monkeypatch: pytest.MonkeyPatch, name: str, target: str) -> None:
    """Makes an entry point look installed."""
    entry = importlib.metadata.EntryPoint(name, target, ENTRY_POINTS)
    found = importlib.metadata.EntryPoints([entry])
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: found.select(group=group))


# From a spec to a provider ------------------------------------------------------------------------


def test_a_model_name_may_hold_colons_and_slashes() -> None:
    register_provider("parrot", Parrot)
    provider: Any = create_provider("parrot:org/model:7b@http://localhost:1/v1")
    assert provider.model == "org/model:7b@http://localhost:1/v1"


def test_options_reach_the_provider() -> None:
    register_provider("parrot", Parrot)
    provider: Any = create_provider("parrot:x", ProviderOptions(batch_size=3))
    assert provider.options.batch_size == 3


@pytest.mark.parametrize("spec", ["", "baseline", "baseline:", ":x", "nobody:x"])
def test_an_unknown_provider_is_wrong_input(spec: str) -> None:
    with pytest.raises(UserError):
        create_provider(spec)


def test_a_missing_library_names_its_extra() -> None:
    register_provider("far", Unequipped)
    with pytest.raises(MissingExtraError, match=re.escape(install_command("api"))):
        create_provider("far:model")


def test_a_missing_module_of_our_own_is_a_fault_of_the_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(registry.BUILT_IN, "far", "no_such_library.providers:X")
    with pytest.raises(ModuleNotFoundError):
        create_provider("far:model")


# Providers of other packages ----------------------------------------------------------------------


@pytest.mark.parametrize("attribute", ["Parrot", "Macaw", "make_parrot"])
def test_third_parties_register_through_an_entry_point(
    attribute: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, "theirs", f"{__name__}:{attribute}")
    assert "theirs" in provider_names()
    provider: Any = create_provider("theirs:model")
    assert provider.model == "model"


@pytest.mark.parametrize("target", ["no_such_package:X", f"{__name__}:NoSuchClass"])
def test_an_entry_point_that_cannot_be_loaded_is_named(
    target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, "theirs", target)
    with pytest.raises(UserError, match=f"provider 'theirs': its entry point {target} cannot be"):
        create_provider("theirs:model")


@pytest.mark.parametrize("factory", [Parrot, Macaw, make_parrot])
def test_a_factory_is_registered_at_run_time(factory: Any) -> None:
    register_provider("mine", factory)
    assert "mine" in provider_names()
    provider: Any = create_provider("mine:model")
    assert provider.model == "model"


@pytest.mark.parametrize("name", ["", "a:b", "a b", "1st", "-x", "x/y"])
def test_a_malformed_name_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="a name begins with a letter"):
        register_provider(name, Parrot)


def test_a_name_that_is_taken_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "theirs", f"{__name__}:Parrot")
    register_provider("mine", Parrot)
    for name, owner in (
        ("openai", "a built-in provider"),
        ("theirs", "a provider of an installed package"),
        ("mine", "already registered; choose another one, or pass replace=True"),
    ):
        with pytest.raises(UserError, match=owner):
            register_provider(name, Macaw)


def test_a_registered_provider_is_replaced_on_request() -> None:
    register_provider("mine", Parrot)
    register_provider("mine", Macaw, replace=True)
    assert type(create_provider("mine:x")) is Macaw


def test_a_built_in_provider_is_never_replaced() -> None:
    with pytest.raises(UserError, match="a built-in provider"):
        register_provider("openai", Parrot, replace=True)


def test_what_cannot_be_called_is_no_factory() -> None:
    nothing: Any = 3
    with pytest.raises(UserError, match=r"expected a function .*, got int"):
        register_provider("mine", nothing)


def test_a_factory_must_make_a_provider() -> None:
    wrong: Any = lambda model, options: {}  # noqa: E731
    register_provider("mine", wrong)
    with pytest.raises(UserError, match="'mine' returned a dict; expected a Provider"):
        create_provider("mine:x")


# Traits of the class ------------------------------------------------------------------------------


def test_the_class_says_where_its_model_runs() -> None:
    register_provider("far", Unequipped)
    register_provider("near", Parrot)
    register_provider("made", make_parrot)
    assert [is_remote(f"{name}:x") for name in ("far", "near", "made")] == [True, False, False]
    assert [is_remote(spec) for spec in ("openai:x", "local:x", "baseline:random")] == [
        True, False, False,
    ]  # fmt: skip


def test_the_class_says_that_a_person_answers_and_under_which_name() -> None:
    register_provider("near", Parrot)
    assert [is_interactive(spec) for spec in ("human", "near:x", "local:x")] == [True, False, False]
    assert check_spec("human") == ("human", "anonymous")


def test_reading_the_classes_loads_no_model_library() -> None:
    heavy = ("torch", "transformers", "openai", "anthropic", "litellm", "httpx2")
    code = (
        "import sys\n"
        "from proactive_agent.providers import registry\n"
        "for name in registry.BUILT_IN: registry.traits(name)\n"
        f"print([name for name in {heavy} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
