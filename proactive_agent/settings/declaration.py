"""The declaration of a setting, and the reading of a class's declarations."""

import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, Protocol

from annotated_types import Ge, Gt, Le

from proactive_agent.settings.condition_label import name_of, parts_of
from proactive_agent.settings.model_spec import split_spec

MOST = 2**31 - 1
"""Upper bound of settings that are whole numbers. `run.json` can come from someone else, and larger
numbers overflow in libraries."""

NO_JUDGE_MODEL = "rules"
"""The judge that is not a model."""


class Heading(StrEnum):
    """The headings of `run --help`, in order."""

    PLAYED = "What is played"
    MANNER = "How it is played"
    RUN = "The run"
    MODEL = "The model"
    API = "Models behind an API"


class RunChoice(Protocol):
    """The settings that decide whether another setting has an effect."""

    @property
    def provider(self) -> str:
        """The model, as `NAME:MODEL`."""

    @property
    def protocol(self) -> str:
        """The protocol."""

    @property
    def condition(self) -> str:
        """One condition, or several joined by `+`."""

    def value(self, name: str) -> Any:
        """The value of any declared setting of the run or of its model."""

    @property
    def judge(self) -> str:
        """`rules`, or the model that judges, as `NAME:MODEL`."""

    @property
    def user(self) -> str:
        """`rules`, or the model that plays the user, as `NAME:MODEL`."""


@dataclass(frozen=True)
class Departure:
    """A setting that makes a run differ from the paper."""

    note: str
    """Completes "All runs: …"; `{}` stands for the value."""
    departs: Callable[[Any, RunChoice], bool]
    """Whether a value is a departure, in a run in which the setting has an effect."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Properties of a setting other than its name, type, bounds and default."""

    heading: Heading
    help: str = ""
    """Help text. `run --help` puts the scope before it, as in "mcqa: …"."""
    protocol: str = ""
    """The only protocol that uses it; empty if all do."""
    condition: str = ""
    """The only condition that uses it, as a user writes it (`icl:N`); empty if all do."""
    judged_by_model: bool = False
    """Used only if a model judges."""
    providers: tuple[str, ...] = ()
    """The only built-in providers that use it; empty if all do. Providers of other packages may
    use every setting."""
    for_judge: Literal["", "judge", "run"] = ""
    """Whether it applies to a model that judges: never, only in the command `judge`, or also in
    `run`."""
    departure: Departure | None
    """None if no value departs from the paper. Each setting must say it."""
    label: str = ""
    """Template of the value in a run's label, with `{}` for the value. Default: the setting's name
    and the value; a flag is named if it is set."""
    none: str = "default"
    """The text for None in a label."""
    prominent: bool = False
    """The label shows the value whenever runs differ in it. Other settings appear only if runs
    would otherwise have the same label."""
    essential: bool = False
    """Runs that differ in it are hardly comparable, so comparisons print a warning."""
    option: str = ""
    """The command line option, if it differs from the name with `--` and dashes."""
    parameter: str = ""
    """The name of the command line's parameter if the option can be repeated."""
    metavar: str = ""
    choices: tuple[str, ...] = ()
    """Values that the command line accepts, where other places accept any text."""
    path: Literal["", "any", "folder"] = ""
    """The value is a path: to anything, or to a folder."""

    @property
    def needs(self) -> str:
        """The requirements for the setting to have an effect, in words; empty if there are none."""
        *first, last = self.providers or ("",)
        kind = f"{', '.join(first)} or {last}" if first else last
        parts = (
            f"protocol {self.protocol}" if self.protocol else "",
            f"condition {self.condition}" if self.condition else "",
            "a model as the judge" if self.judged_by_model else "",
            f"a model of the provider {kind}" if kind else "",
        )
        return " and ".join(part for part in parts if part)

    @property
    def scope(self) -> str:
        """The protocol, condition or provider that the setting is limited to, or an empty text."""
        provider = self.providers[0] if len(self.providers) == 1 else ""
        return self.protocol or name_of(self.condition) or provider

    def affects(self, run: RunChoice, built_in: Collection[str]) -> bool:
        """Whether the setting may change something in a run.

        `built_in` are the names of the providers whose use of settings is known.
        """
        if self.protocol and run.protocol != self.protocol:
            return False
        condition = name_of(self.condition)
        if condition and condition not in map(name_of, parts_of(run.condition)):
            return False
        has_judge = run.protocol == "oeg" and run.judge != NO_JUDGE_MODEL
        if self.judged_by_model and not has_judge:
            return False
        models = [run.provider]
        if has_judge and self.for_judge == "run":
            models.append(run.judge)
        if run.protocol == "tools" and run.user != NO_JUDGE_MODEL and self.for_judge == "run":
            models.append(run.user)
        names = {split_spec(model).provider for model in models}
        return not self.providers or any(
            name in self.providers or name not in built_in for name in names
        )


@dataclass(frozen=True)
class Declared:
    """A setting with its name, type, bounds and default."""

    name: str
    type: Any
    """The type without None and annotations: `int`, `float`, `bool`, `str`, `Literal`, tuple."""
    default: Any
    """`dataclasses.MISSING` if the setting must be given."""
    setting: Setting
    minimum: float | None = None
    above: float | None = None
    """Exclusive minimum."""
    maximum: float | None = None

    @property
    def option(self) -> str:
        """The name of its command line option."""
        return self.setting.option or f"--{self.name.replace('_', '-')}"

    @property
    def parameter(self) -> str:
        """The name of its parameter in the function of the command."""
        return self.setting.parameter or self.name

    def label(self, value: Any) -> str:
        """The value as a part of a run's label; empty for a flag that is not set."""
        name = self.name.replace("_", " ")
        if self.type is bool:
            return name if value else ""
        return (self.setting.label or f"{name} {{}}").format(self.shown(value))

    def shown(self, value: Any) -> str:
        """The value in words."""
        if value is None or value == ():
            return self.setting.none
        return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


@functools.cache
def declared(*classes: type) -> Mapping[str, Declared]:
    """The settings of dataclasses, by name, in the order of their fields.

    Fields without a `Setting` are left out.
    """
    found = {}
    for cls in classes:
        hints = typing.get_type_hints(cls, include_extras=True)
        for field in dataclasses.fields(cls):
            kind, *extras = typing.get_args(hints[field.name]) or (hints[field.name],)
            setting = next((extra for extra in extras if isinstance(extra, Setting)), None)
            if setting is None:
                continue
            found[field.name] = Declared(
                field.name,
                _without_none(kind),
                field.default,
                setting,
                minimum=_bound(extras, Ge, "ge"),
                above=_bound(extras, Gt, "gt"),
                maximum=_bound(extras, Le, "le"),
            )
    return types.MappingProxyType(found)


def _without_none(kind: Any) -> Any:
    if typing.get_origin(kind) not in (typing.Union, types.UnionType):
        return kind
    (rest,) = (part for part in typing.get_args(kind) if part is not type(None))
    return rest


def _bound(extras: list[Any], kind: type, attribute: str) -> Any:
    return next((getattr(extra, attribute) for extra in extras if isinstance(extra, kind)), None)
