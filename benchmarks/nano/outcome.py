"""Evaluates the finished model with the product, and writes `figures.json` and the model card."""

import importlib.metadata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel

from benchmarks.nano.scenes import TEST_SEED, TRAINING_SEEDS
from benchmarks.nano.tower import labels_of_pack
from proactive_agent import Summary, evaluate, summarise
from proactive_agent.metrics.statistics import Estimate
from proactive_agent.providers import Provider
from proactive_agent.settings import ProtocolName

PROTOCOLS: Sequence[ProtocolName] = ("mcqa", "tools")
CONDITIONS = ("reference", "clear", "zero-shot")
RATES = ("right_at_once", "asked_at_once", "acc", "informed")
"""Fields of `Rates` that are kept."""
MAX_TOKENS = 64
"""Tokens of the longest reply: a call has 18 to 32."""


class Aim(NamedTuple):
    """A share that the base should reach."""

    text: str
    data: str
    condition: str
    rate: str
    least: float = 0.0
    most: float = 1.0
    scenario: str | None = None
    """None for the average over scenarios."""
    within_interval: bool = False
    """Whether it is enough that the interval overlaps the wanted range."""


CHANCE = 0.25 * 6 / 7
"""A guess among four is right in 25 %, but an answer to the first frame of rod never counts."""
AIMS = (
    Aim("right on clear frames", "seen", "clear", "right_at_once", least=0.9),
    Aim("right on clear frames, coco", "seen", "clear", "right_at_once", 0.8, scenario="coco"),
    Aim("right on reference frames", "suite-known", "reference", "right_at_once", least=0.75),
    Aim("asks on ambiguous frames", "seen", "zero-shot", "asked_at_once", most=0.05),
    Aim(
        "right from ambiguous frames", "seen", "zero-shot", "acc", CHANCE, CHANCE,
        within_interval=True,
    ),
)  # fmt: skip


class NanoRun(BaseModel):
    """The figures of one run."""

    data: str
    protocol: str
    condition: str
    samples: int
    macro: dict[str, Estimate]
    """Average over scenarios, by the name of the rate."""
    scenarios: dict[str, dict[str, Estimate]]
    """By scenario and rate."""


class NanoFigures(BaseModel):
    """The content of `figures.json`."""

    recipe: dict[str, str | int | float]
    versions: dict[str, str]
    parameters: int
    megabytes: float
    """Size of the file of weights."""
    runs: list[NanoRun]


def judged(
    model: Provider, runs: Path, *, samples: int, size: int, suite_limit: int | None
) -> list[NanoRun]:
    """Plays new scenes of known and of unknown things, and the embedded suite.

    `samples` is the number of scenes of each scenario, `size` the side of their frames in pixels.
    Runs that the folder holds are read or resumed.
    """
    sources = {
        "seen": (f"fresh:{TEST_SEED}:seen:n={samples}:px={size}", None),
        "unseen": (f"fresh:{TEST_SEED}:unseen:n={samples}:px={size}", None),
        "suite": (None, suite_limit),
    }
    categories = {f"{label}." for label in labels_of_pack()}
    found: list[NanoRun] = []
    for name, (data, limit) in sources.items():
        for protocol in PROTOCOLS:
            for condition in CONDITIONS:
                result = evaluate(
                    model,
                    protocol=protocol,
                    condition=condition,
                    data=data,
                    out=runs / f"{name}-{protocol}-{condition}",
                    limit=limit,
                    max_tokens=MAX_TOKENS,
                )
                run = _figures(name, protocol, condition, result.summary)
                print(f"evaluation: {name}, {protocol}, {condition}: {_line(run)}", flush=True)
                found.append(run)
                if name == "suite":
                    known = summarise(e for e in result.episodes() if e.target in categories)
                    found.append(_figures("suite-known", protocol, condition, known))
    return found


def _figures(data: str, protocol: str, condition: str, summary: Summary) -> NanoRun:
    def rates(of: object) -> dict[str, Estimate]:
        return {rate: getattr(of, rate) for rate in RATES}

    return NanoRun(
        data=data,
        protocol=protocol,
        condition=condition,
        samples=sum(scenario.samples for scenario in summary.scenarios.values()),
        macro=rates(summary.macro),
        scenarios={name: rates(one) for name, one in summary.scenarios.items()},
    )


def _line(run: NanoRun) -> str:
    return ", ".join(f"{rate} {percent(found)}" for rate, found in run.macro.items())


def percent(found: Estimate) -> str:
    """Formats a share as a percentage with its interval."""
    if found.value is None:
        return "-"
    if found.low is None or found.high is None:
        return f"{100 * found.value:.1f}"
    return f"{100 * found.value:.1f} ({100 * found.low:.0f}-{100 * found.high:.0f})"


def write_figures(
    folder: Path, model: Path, recipe: Mapping[str, str | int | float], parameters: int,
    runs: list[NanoRun],
) -> NanoFigures:  # fmt: skip
    """Writes `figures.json` to `folder` and the model card to the folder of the model."""
    figures = NanoFigures(
        recipe=dict(recipe),
        versions={name: importlib.metadata.version(name) for name in ("torch", "transformers")},
        parameters=parameters,
        megabytes=round((model / "model.safetensors").stat().st_size / 1e6, 2),
        runs=runs,
    )
    (folder / "figures.json").write_text(figures.model_dump_json(indent=1) + "\n")
    (model / "README.md").write_text(model_card(figures))
    return figures


CARD = """\
---
license: mit
pipeline_tag: image-text-to-text
---
# Nano, a base model that guesses

A vision-language model of {parameters:.1f} million parameters ({megabytes} MB in half precision).
It was trained from scratch on generated scenes of `proactive_agent` (`fresh`). It names the thing
in a clear frame. Where it sees nothing, it guesses one of the categories and hardly ever asks, like
most models of ProactiveBench (arXiv 2603.19466). `proactive_agent train` teaches it to ask:
`local:nano-asks` is the result.

## How it was made

`python -m benchmarks.nano` makes it: {recipe}. Versions: {versions}.

Its pictures and texts come from the scenes, and from cut-outs and rooms of the same pack.
`scenarios/fresh/pack/CREDITS.md` names the authors of the 3D models. There are no photos and no
texts from the web. The seeds {seeds} are reserved for its training; do not test on
them.

## Limits

- It knows the things of the training scenes and no others. It takes an unknown thing for one that
  it knows, although that is not among the options. So the rows `unseen` are below chance.
- Of things that it does not know, it asks more often than the rows `seen` show.
- It was trained on the prompts of ambiguous first frames and of the turns after them. With `tools`,
  the prompts of the condition `reference` are new to it.
- It reads the prompts of the protocols `mcqa` and `tools`, and writes an option or a call. It
  cannot chat.
- It sees small square pictures and has not seen a photo.

## Aims

| aim | data | protocol | wanted | measured | met |
| --- | --- | --- | --- | --- | --- |
{aims}

The last aim is met if the interval contains {chance:.1f} %, the accuracy of a random guess.

## Figures

Percentages with 95 % intervals over samples, averaged over scenarios. `seen`: new scenes of things
of the training; `unseen`: new scenes of other things; `suite`: the embedded suite, which is
rendered differently; `suite-known`: its samples whose thing is in the training.

| data | protocol | condition | samples | right at once | asks at once | right | informed |
| --- | --- | --- | --- | --- | --- | --- | --- |
{runs}

### Clear frames of new scenes, by scenario

| scenario | `mcqa` | `tools` |
| --- | --- | --- |
{scenarios}
"""


def model_card(figures: NanoFigures) -> str:
    """Returns the text of the model card."""
    clear = {r.protocol: r for r in figures.runs if (r.data, r.condition) == ("seen", "clear")}
    scenarios = [
        f"| `{name}` | "
        + " | ".join(percent(clear[p].scenarios[name]["right_at_once"]) for p in PROTOCOLS)
        + " |"
        for name in clear["mcqa"].scenarios
    ]
    runs = [
        f"| {run.data} | `{run.protocol}` | {run.condition} | {run.samples} | "
        + " | ".join(percent(run.macro[rate]) for rate in RATES)
        + " |"
        for run in figures.runs
    ]
    return CARD.format(
        parameters=figures.parameters / 1e6,
        megabytes=figures.megabytes,
        recipe=", ".join(f"{name} {value}" for name, value in figures.recipe.items()),
        versions=", ".join(f"{name} {value}" for name, value in figures.versions.items()),
        seeds=f"{TRAINING_SEEDS.start} to {TRAINING_SEEDS.stop - 1}",
        chance=100 * CHANCE,
        aims="\n".join(row for aim in AIMS for row in _aim_rows(aim, figures.runs)),
        runs="\n".join(runs),
        scenarios="\n".join(scenarios),
    )


def _aim_rows(aim: Aim, runs: Sequence[NanoRun]) -> list[str]:
    rows = []
    for run in runs:
        if (run.data, run.condition) != (aim.data, aim.condition):
            continue
        rates = run.scenarios.get(aim.scenario) if aim.scenario else run.macro
        if rates is None:
            continue
        found = rates[aim.rate]
        wanted = " to ".join(f"{100 * end:.0f}" for end in sorted({aim.least, aim.most}))
        rows.append(
            f"| {aim.text} | {run.data} | `{run.protocol}` | {wanted} | {percent(found)} | "
            f"{'yes' if _is_met(aim, found) else 'no'} |"
        )
    return rows


def _is_met(aim: Aim, found: Estimate) -> bool:
    if found.value is None:
        return False
    low, high = found.value, found.value
    if aim.within_interval and found.low is not None and found.high is not None:
        low, high = found.low, found.high
    return low <= aim.most and high >= aim.least
