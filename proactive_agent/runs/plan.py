"""A study in one file: models × protocols × conditions, each a run of its own.

    # study.yaml
    models:
      - baseline:oracle
      - provider: baseline:random
        name: dice
    conditions: [zero-shot, hint]
    scenarios: [rod, coco]
    limit: 2
    repeats: 2

`run --plan study.yaml` plays what is missing of it and ends with a comparison of all.  The runs lie
in `results/study/`, named by model, protocol and condition, so the same plan always finds its own.
A plan that has changed since is refused; models, protocols and conditions may be added to it.

| key | meaning | default |
| --- | --- | --- |
| `name` | folder below `out` | the file's name |
| `models` | `name:model`, or a mapping with `provider` and settings of its own | |
| `protocols` | `tools`, `mcqa`, `oeg` | `[tools]` |
| `conditions` | as in `--condition`, each played for itself | `[zero-shot]` |
| `scenarios` | as in `--scenario` | all that are there |
| `data`, `out` | folders, relative to the plan's own | the embedded suite, `results` |

Everything else is named like the options of `run`, with _ for -: `limit`, `repeats`, `seed`,
`toolset`, … for all runs; `temperature`, `max_tokens`, `dtype`, `image_size`, … for all models, and
within a model for it alone.  There `name`, `rpm`, `tpm`, `timeout` and `price: [IN, OUT]` can stand
as well.
"""

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
    Strict,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from proactive_agent.play.conditions import parse_condition
from proactive_agent.providers.registry import check_spec
from proactive_agent.records.manifest import ProviderSettings
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.runs.planned_run import PlannedRun, changed_settings, run_name
from proactive_agent.runs.settings_matrix import Model, every_run
from proactive_agent.runs.unused_settings import refuse_unused
from proactive_agent.scenarios import find_scenario
from proactive_agent.settings import (
    ApiAccess,
    ApiLimits,
    LoadSettings,
    PlaySettings,
    ProtocolName,
    Sampling,
    declared,
)
from proactive_agent.settings.model import Dollars
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
    """What the user did wrong, as pydantic wants to hear it."""
    try:
        yield
    except UserError as error:
        raise ValueError(str(error)) from None


def _folder_name(text: str) -> str:
    if not text.strip(".") or any(c in '/\\:*?"<>|' or not c.isprintable() for c in text):
        raise ValueError(f"{text!r} is no name for a folder")
    return text


FolderName = Annotated[str, AfterValidator(_folder_name)]


class PlannedModel(BaseModel, LoadSettings, Sampling, ApiLimits):
    """A model of a plan.  Settings that are not given here are those of the whole plan."""

    model_config = _STRICT

    provider: Annotated[str, AfterValidator(_provider)]
    name: FolderName | None = None
    """The model's name in the names of its runs."""
    price: Annotated[tuple[Dollars, Dollars] | None, Strict(False)] = None
    """YAML has lists only, so the tuple is not strict."""

    def access(self, default: ApiAccess) -> ApiAccess:
        """How its API is reached."""
        own = self.model_fields_set & declared(ApiLimits).keys()
        return replace(default, **{name: getattr(self, name) for name in own})


def _as_mapping(model: Any) -> Any:
    return {"provider": model} if isinstance(model, str) else model


class Plan(BaseModel, PlaySettings, LoadSettings, Sampling):
    """The content of a plan's file."""

    model_config = _STRICT

    name: FolderName
    models: list[Annotated[PlannedModel, BeforeValidator(_as_mapping)]] = Field(min_length=1)
    protocols: list[ProtocolName] = Field(default=["tools"], min_length=1)
    conditions: list[str] = Field(default=["zero-shot"], min_length=1, validate_default=True)
    scenarios: list[Annotated[str, AfterValidator(_scenario)]] = Field(default=[])
    data: str | None = None
    out: str = "results"

    @field_validator("conditions")
    @classmethod
    def _conditions_hold(cls, conditions: list[str], info: ValidationInfo) -> list[str]:
        with _as_value_error():
            for condition in conditions:
                for protocol in info.data.get("protocols", ()):
                    parse_condition(condition, protocol)
        return conditions

    @model_validator(mode="after")
    def _nothing_stands_twice(self) -> Self:
        for key in ("protocols", "conditions", "scenarios"):
            _refuse_repeats(key, getattr(self, key))
        _refuse_repeats("models", [model.name or model.provider for model in self.models])
        return self

    def settings_of(self, model: PlannedModel) -> ProviderSettings:
        """How a model is loaded: its own settings before those for all."""
        chosen = {
            name: getattr(model if name in model.model_fields_set else self, name)
            for name in declared(Sampling, LoadSettings)
        }
        return ProviderSettings(**chosen)


def read_plan(file: Path) -> Plan:
    """Reads and checks a plan.  Raises UserError, which names file, line and key."""
    try:
        text = file.read_text(encoding="utf-8")
        fields = yaml.safe_load(text)
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UserError(f"{file}{line}: {error.problem}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError, ValueError) as error:
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
            "extra_forbidden": "there is no such key",
            "missing": "is missing",
        }.get(first["type"], first["msg"].removeprefix("Value error, "))
        place = f"{file}, line {_line(tree, first['loc'])}: {key}"
        raise UserError(f"{place}{': ' if key else ''}{problem}") from None


def planned_runs(file: Path, out: Path | None, access: ApiAccess) -> list[PlannedRun]:
    """Every run of a plan, in its order.  Raises UserError.

    `out` goes before the plan's own folder.
    """
    plan = read_plan(file)
    data = None if plan.data is None else file.parent / plan.data
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
                raise UserError(f"{file}: two runs would be named {name}; give their models names")
            runs.append(run)
    refuse_unused(plan.model_fields_set, [run.settings for run in runs], _named_within(file))
    for run in runs:
        if run.begun and (changes := changed_settings(run)):
            raise UserError(
                f"{file} has changed since {run.folder.path} was begun: {changes}; "
                "put it back, or give the plan another name"
            )
    return runs


def _named_within(*place: object) -> Callable[[str], str]:
    """Writes the name of a setting with its place in the plan before it."""
    return lambda name: ": ".join(map(str, (*place, name)))


def _refuse_repeats(key: str, names: list[str]) -> None:
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        advice = "; give each a name of its own" if key == "models" else ""
        raise ValueError(f"{key}: {repeated!r} stands twice{advice}")


def _refuse_repeated_keys(file: Path, tree: yaml.Node) -> None:
    """YAML lets the last of two count; nobody means that."""
    for mapping in _mappings(tree):
        seen: set[str] = set()
        for key, _ in mapping.value:
            if str(key.value) in seen:
                line = key.start_mark.line + 1
                raise UserError(f"{file}, line {line}: {key.value}: stands twice")
            seen.add(str(key.value))


def _mappings(tree: yaml.Node) -> Iterator[yaml.MappingNode]:
    """The plan itself and its models."""
    if isinstance(tree, yaml.MappingNode):
        yield tree
        for _, value in tree.value:
            if isinstance(value, yaml.SequenceNode):
                yield from (item for item in value.value if isinstance(item, yaml.MappingNode))


def _line(node: yaml.Node, path: tuple[int | str, ...]) -> int:
    """Where a field stands, from 1; as near as it is found."""
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
