"""A plan: one YAML file that describes a study of models × protocols × conditions.

    # study.yaml
    models:
      - baseline:oracle
      - provider: baseline:random
        name: dice
    conditions: [zero-shot, hint]
    scenarios: [rod, coco]
    limit: 2
    repeats: 2

`run --plan study.yaml` plays the runs that are missing and ends with a comparison of all runs. The
runs are stored in `results/study/` under names made of model, protocol and condition, so the same
plan always finds its runs again. Models, protocols and conditions may be added to a plan later.
Any other change is refused.

| key | meaning | default |
| --- | --- | --- |
| `name` | name of the folder in `out` | the file's name |
| `models` | `NAME:MODEL`, or a mapping with `provider` and settings of that model | |
| `protocols` | `tools`, `mcqa`, `oeg` | `[tools]` |
| `conditions` | as in `--condition`; each is a run | `[zero-shot]` |
| `scenarios` | as in `--scenario` | all in the data |
| `data`, `out` | folders, relative to the plan's folder | the embedded suite, `results` |

All other settings have the names of the options of `run`, with `_` for `-`: `limit`, `repeats`,
`seed`, `toolset`, … for all runs; `temperature`, `max_tokens`, `dtype`, `image_size`, … for all
models, or within a model for that model. A model may also have a `name` and the settings of its
API (`rpm`, `tpm`, `timeout`, `price: [IN, OUT]`).
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from proactive_agent.disk.regular_file import read_regular_text
from proactive_agent.play.conditions import parse_condition
from proactive_agent.providers.registry import check_spec
from proactive_agent.records.manifest import ProviderSettings
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.runs.planned_run import PlannedRun, changed_settings, run_name
from proactive_agent.runs.settings_matrix import Model, every_run
from proactive_agent.runs.unused_settings import refuse_unused, refuse_unused_limits
from proactive_agent.scenarios import find_scenario
from proactive_agent.scenarios.open_data import resolve_data
from proactive_agent.settings import (
    ApiAccess,
    ApiLimits,
    LoadSettings,
    PlaySettings,
    ProtocolName,
    Sampling,
    declared,
)
from proactive_agent.tools import UserError

_STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)


def _provider(text: str) -> str:
    with _as_value_error():
        check_spec(text)
    return text


def _scenario(text: str) -> str:
    with _as_value_error():
        return find_scenario(text).name


@contextmanager
def _as_value_error() -> Iterator[None]:
    """Turns a UserError into the ValueError that pydantic expects of a validator."""
    try:
        yield
    except UserError as error:
        raise ValueError(str(error)) from None


def _folder_name(text: str) -> str:
    if not text.strip(".") or any(c in '/\\:*?"<>|' or not c.isprintable() for c in text):
        raise ValueError(f"{text!r} cannot be the name of a folder")
    return text


FolderName = Annotated[str, AfterValidator(_folder_name)]


class _FromYaml(BaseModel):
    """Takes values of settings in the forms that YAML has."""

    model_config = _STRICT

    @field_validator(
        "price", "header", "engine_arg", "agent_env", mode="before", check_fields=False
    )
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        """Takes a list, since YAML has no tuples."""
        return tuple(value) if isinstance(value, list) else value

    @field_validator("extra_body", mode="before", check_fields=False)
    @classmethod
    def _as_json(cls, value: Any) -> Any:
        """Takes a mapping instead of JSON text."""
        return json.dumps(value, sort_keys=True) if isinstance(value, dict) else value


class PlannedModel(_FromYaml, LoadSettings, Sampling, ApiLimits):
    """A model of a plan. Settings that are not given here are those of the whole plan."""

    provider: Annotated[str, AfterValidator(_provider)]
    name: FolderName | None = None
    """The model's name in the names of its runs."""

    def access(self, default: ApiAccess) -> ApiAccess:
        """Returns how the model's API is reached: its own settings, else those of `default`."""
        own = self.model_fields_set & declared(ApiLimits).keys()
        return replace(default, **{name: getattr(self, name) for name in own})


def _as_mapping(model: Any) -> Any:
    return {"provider": model} if isinstance(model, str) else model


class Plan(_FromYaml, PlaySettings, LoadSettings, Sampling):
    """The content of a plan's file."""

    name: FolderName
    models: list[Annotated[PlannedModel, BeforeValidator(_as_mapping)]] = Field(min_length=1)
    protocols: list[ProtocolName] = Field(default=["tools"], min_length=1)
    conditions: list[str] = Field(default=["zero-shot"], min_length=1, validate_default=True)
    scenarios: list[Annotated[str, AfterValidator(_scenario)]] = Field(default=[])
    data: str | None = None
    out: str = "results"

    @field_validator("conditions")
    @classmethod
    def _check_conditions(cls, conditions: list[str], info: ValidationInfo) -> list[str]:
        with _as_value_error():
            for condition in conditions:
                for protocol in info.data.get("protocols", ()):
                    parse_condition(condition, protocol)
        return conditions

    @model_validator(mode="after")
    def _refuse_duplicates(self) -> Self:
        for key in ("protocols", "conditions", "scenarios"):
            _refuse_repeats(key, getattr(self, key))
        _refuse_repeats("models", [model.name or model.provider for model in self.models])
        return self

    def settings_of(self, model: PlannedModel) -> ProviderSettings:
        """Returns the settings of a model: its own, else those of the plan."""
        chosen = {
            name: getattr(model if name in model.model_fields_set else self, name)
            for name in declared(Sampling, LoadSettings)
        }
        return ProviderSettings(**chosen)


def read_plan(file: Path) -> Plan:
    """Reads and checks a plan. Raises UserError, whose message names file, line and key."""
    try:
        text = read_regular_text(file)
        fields = yaml.safe_load(text)
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UserError(f"{file}{line}: {error.problem}") from None
    except OSError as error:
        raise UserError(f"{file}: {error.strerror}") from None
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError, ValueError) as error:
        raise UserError(f"{file}: {str(error).splitlines()[0]}") from None
    if not isinstance(fields, dict):
        raise UserError(f"{file}: a plan is a mapping with the key models")
    _refuse_repeated_keys(file, tree)
    try:
        return Plan.model_validate({"name": file.stem, **fields})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        problem = {
            "extra_forbidden": "unknown key",
            "missing": "is missing",
        }.get(first["type"], first["msg"].removeprefix("Value error, "))
        place = f"{file}, line {_line(tree, first['loc'])}: {key}"
        raise UserError(f"{place}{': ' if key else ''}{problem}") from None


def planned_runs(file: Path, out: Path | None, access: ApiAccess) -> list[PlannedRun]:
    """Returns every run of a plan, in the plan's order. Raises UserError.

    `out` replaces the results folder that the plan names.
    """
    plan = read_plan(file)
    data = None if plan.data is None else resolve_data(file, plan.data)
    folder = (file.parent / plan.out if out is None else out) / plan.name
    runs: list[PlannedRun] = []
    for model in plan.models:
        loaded = Model(model.provider, plan.settings_of(model))
        matrix = every_run([loaded], plan.protocols, plan.conditions, plan.scenarios, data, plan)
        place = _named_within(file, model.name or model.provider)
        refuse_unused(model.model_fields_set, matrix, place)
        for settings in matrix:
            name = run_name(settings, model.name)
            run = PlannedRun(settings, RunFolder(folder / name), model.access(access), model.name)
            if run.folder.path in (other.folder.path for other in runs):
                raise UserError(f"{file}: two runs would be named {name}; give each model a name")
            runs.append(run)
        refuse_unused_limits(model.model_fields_set, runs[-len(matrix) :], place)
    refuse_unused(plan.model_fields_set, [run.settings for run in runs], _named_within(file))
    for run in runs:
        if run.begun and (changes := changed_settings(run)):
            raise UserError(
                f"{file} has changed since {run.folder.path} started: {changes}; "
                "undo the change, or give the plan another name"
            )
    return runs


def _named_within(*place: object) -> Callable[[str], str]:
    """Writes the name of a setting with its place in the plan before it."""
    return lambda name: ": ".join(map(str, (*place, name)))


def _refuse_repeats(key: str, names: list[str]) -> None:
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        advice = "; give each of them a name" if key == "models" else ""
        raise ValueError(f"{key}: {repeated!r} is given twice{advice}")


def _refuse_repeated_keys(file: Path, tree: yaml.Node) -> None:
    """Raises UserError for a key that is given twice. YAML would silently take the second one."""
    for mapping in _mappings(tree):
        seen: set[str] = set()
        for key, _ in mapping.value:
            if str(key.value) in seen:
                line = key.start_mark.line + 1
                raise UserError(f"{file}, line {line}: {key.value}: is given twice")
            seen.add(str(key.value))


def _mappings(tree: yaml.Node) -> Iterator[yaml.MappingNode]:
    """Yields the mapping of the plan and those of its models."""
    if isinstance(tree, yaml.MappingNode):
        yield tree
        for _, value in tree.value:
            if isinstance(value, yaml.SequenceNode):
                yield from (item for item in value.value if isinstance(item, yaml.MappingNode))


def _line(node: yaml.Node, path: tuple[int | str, ...]) -> int:
    """Returns the line of a field, counted from 1, or of the nearest parent that is found."""
    line = node.start_mark.line
    for step in path:
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == step]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            found = [(item, item) for item in node.value[step : step + 1]]
        else:
            break
        if not found:
            break
        line, node = found[0][0].start_mark.line, found[0][1]
    return int(line) + 1
