"""Each declared setting reaches every place that is derived from the declarations.

Nothing is listed here by hand: a new setting is tested as soon as it is declared.
"""

import json
import typing
from dataclasses import MISSING, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest
from click.testing import CliRunner

from proactive_agent.cli.app import cli
from proactive_agent.play.conditions import parse_condition
from proactive_agent.records.manifest import SETTINGS, Settings
from proactive_agent.reports.run_names import name_runs
from proactive_agent.runs.plan import planned_runs
from proactive_agent.runs.unused_settings import refuse_unused
from proactive_agent.scenarios.dataset import EMBEDDED
from proactive_agent.settings import (
    ApiAccess,
    ApiLimits,
    Declared,
    ProtocolName,
    RunSettings,
    declared,
)
from proactive_agent.tools import UserError
from tests.proactive_agent.run_folders import write_run

PROTOCOLS = typing.get_args(ProtocolName)
ACCESS = declared(ApiAccess)
EVERY = {**SETTINGS, **ACCESS}
LIMITED = {name: one for name, one in EVERY.items() if one.setting.needs}


def other_value(one: Declared) -> Any:
    """A valid value that is not the default."""
    if one.name == "condition":
        return "hint"
    if one.name in ("provider", "judge", "user"):
        return "local:other"
    if one.setting.path:
        return str(EMBEDDED.resolve())
    literal = typing.get_args(one.type) if typing.get_origin(one.type) is Literal else ()
    if choices := one.setting.choices or literal:
        return next(value for value in choices if value != one.default)
    if typing.get_origin(one.type) is tuple:
        return ("coco",) if one.type == tuple[str, ...] else (1.0, 2.0)
    if one.type is bool:
        return not one.default
    if one.type is str:
        return "other"
    start = one.default or one.minimum or 1
    return one.type(start + 1 if one.maximum is None else one.maximum)


def allows(condition: str, protocol: str) -> bool:
    try:
        parse_condition(condition, protocol)
    except UserError:
        return False
    return True


def settings_for(one: Declared) -> Settings:
    """Settings of a run in which the setting has an effect."""
    provider = one.setting.providers[0] if one.setting.providers else "baseline"
    condition = one.setting.condition.replace("N", "1") or "zero-shot"
    return Settings(
        provider=f"{provider}:random",
        scenarios=("rod",),
        protocol=one.setting.protocol or next(filter(partial(allows, condition), PROTOCOLS)),
        condition=condition,
        judge="local:j" if one.setting.judged_by_model else "rules",
    )


def changed(settings: Settings, one: Declared) -> Settings:
    change = {one.name: other_value(one)}
    if one.name in declared(RunSettings):
        return replace(settings, **change)
    return replace(settings, provider_settings=replace(settings.provider_settings, **change))


@pytest.mark.parametrize("one", EVERY.values(), ids=EVERY)
def test_it_is_an_option_of_run(one: Declared) -> None:
    text = CliRunner().invoke(cli, ["run", "--help-all"]).stdout
    assert f"\n  {one.option} " in text
    assert one.setting.help


@pytest.mark.parametrize("one", SETTINGS.values(), ids=SETTINGS)
def test_it_is_in_run_json(one: Declared, tmp_path: Path) -> None:
    asked = changed(settings_for(one), one)
    folder = write_run(tmp_path / "run")
    folder.write_manifest(folder.read_manifest().model_copy(update={"settings": asked}))
    stored = json.loads(folder.manifest_file.read_text())["settings"]
    stored |= stored.pop("provider_settings")
    expected = other_value(one)
    assert stored[one.name] == (list(expected) if isinstance(expected, tuple) else expected)
    assert folder.read_manifest().settings == asked


PLANNED = {**SETTINGS, **declared(ApiLimits)}
AXES = {"provider": "models", "protocol": "protocols", "condition": "conditions"}
"""Keys of plans that hold a list where a run has one value."""


@pytest.mark.parametrize("one", PLANNED.values(), ids=PLANNED)
def test_it_is_a_key_of_plans(one: Declared, tmp_path: Path) -> None:
    asked, value = settings_for(one), other_value(one)
    plan = {
        "models": [{"provider": asked.provider, "name": "model"}],
        "protocols": [asked.protocol],
        "conditions": [asked.condition],
        "scenarios": ["rod"],
    }
    if asked.judge != "rules":
        plan["judge"] = asked.judge
    if one.name in declared(ApiLimits):
        plan["models"][0][one.name] = value  # type: ignore[index]
    else:
        plan[AXES.get(one.name, one.name)] = [value] if one.name in AXES else value
    file = tmp_path / "plan.yaml"
    file.write_text(json.dumps(plan))
    (run,) = planned_runs(file, None, ApiAccess())
    found = run.access if one.name in ACCESS else run.settings
    assert (getattr(found, one.name) if found is run.access else run.settings.value(one.name)) == (
        value
    )


@pytest.mark.parametrize("one", SETTINGS.values(), ids=SETTINGS)
def test_runs_that_differ_in_it_have_labels_that_tell(one: Declared, tmp_path: Path) -> None:
    asked = settings_for(one)
    manifests = []
    for name, settings in (("a", asked), ("b", changed(asked, one))):
        manifest = write_run(tmp_path / name).read_manifest()
        manifests.append(manifest.model_copy(update={"settings": settings}))
    first, second = name_runs(manifests)
    assert first != second
    assert not first.endswith("#2")
    assert not second.endswith("#2")
    assert one.label(other_value(one)) in second


@pytest.mark.parametrize("one", LIMITED.values(), ids=LIMITED)
def test_it_is_refused_where_it_changes_nothing(one: Declared) -> None:
    useful = settings_for(one)
    refuse_unused([one.name], [useful])
    useless = replace(
        useful,
        provider="baseline:random" if one.setting.providers else useful.provider,
        protocol="tools" if one.setting.protocol != "tools" else "mcqa",
        condition="zero-shot",
    )
    with pytest.raises(UserError, match=f"--x needs {one.setting.needs.split(' and ')[0]}"):
        refuse_unused([one.name], [useless], lambda _: "--x")
    refuse_unused([one.name], [useless, useful])


def test_a_provider_that_is_not_built_in_may_use_every_setting_of_a_model() -> None:
    of_models = [name for name, one in LIMITED.items() if one.setting.providers]
    refuse_unused(of_models, [Settings(provider="mine:x", scenarios=("rod",))])


def test_a_judge_uses_what_it_shares_with_the_model() -> None:
    judged = Settings(
        provider="openai:m", judge="local:j", protocol="oeg", scenarios=("quickdraw",)
    )
    refuse_unused(["dtype", "batch_size"], [judged])
    with pytest.raises(UserError, match="attention needs a model of the provider local"):
        refuse_unused(["attention"], [judged])


@pytest.mark.parametrize("one", EVERY.values(), ids=EVERY)
def test_a_whole_number_has_an_upper_bound(one: Declared) -> None:
    assert one.type is not int or one.maximum is not None


def test_only_a_provider_and_scenarios_have_no_default() -> None:
    assert [name for name, one in EVERY.items() if one.default is MISSING] == [
        "provider",
        "scenarios",
    ]
