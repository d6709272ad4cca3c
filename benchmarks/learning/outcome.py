"""Writes the results of the experiment: `README.md`, `figures.json` and `curves.csv`."""

import csv
import importlib.metadata
import json
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydantic import BaseModel
from scipy import stats

from benchmarks.learning.arms import Arm
from benchmarks.learning.evaluate import MEASURES, TEST_SCENES, Measured, Samples, measure
from proactive_agent.metrics.statistics import Estimate
from proactive_agent.training.folder import JOURNAL, read_manifest

TITLES = {
    "asks": "asks",
    "valid": "asks validly",
    "solves": "right at the end",
    "informed": "informed",
    "whole": "informed, 90 %",
    "unanswered": "no answer",
    "over_asks": "asks on clear frames",
    "clear_accuracy": "right on clear frames",
}
POOLED = ("trained", "unseen", "all")
CURVES = (
    "reward", "ask_rate/ambiguous", "ask_rate/clear", "accuracy/ambiguous", "accuracy/clear",
    "invalid_rate",
)  # fmt: skip
INTRODUCTION = """\
# Nano learns to ask

`python -m benchmarks.learning` wrote this page.

`train` taught `local:nano` on generated scenes of two scenarios (`fresh:train`, protocol `mcqa`),
with {seeds} seeds for each combination of scenarios, reward of a valid suggestion (r_p) and
settings. `run` evaluated the models on {samples} new scenes of all seven scenarios
(`{data}`), which show things that Nano knows. [curves.csv](curves.csv) holds
every step of `train`; [figures.json](figures.json) holds the results of every seed.

| column | share of samples |
| --- | --- |
| asks | The first reply to the ambiguous first frame is a suggestion. |
| asks validly | It is a suggestion that is accepted; any other ends the episode. |
| right at the end | The episode from that frame ends with the right category. |
| informed | The episode ends with the right category on an informative frame. |
| informed, 90 % | The same, on a frame that shows at least 90 % of the thing. |
| no answer | The episode ends without an answer; see below. |
| asks on clear frames | The first reply to the clear frame is a suggestion. |
| right on clear frames | The first reply to the clear frame is the right category. |

A frame is informative if it shows at least half of the thing (docs/fresh.md has the rule of each
scenario). "informed, 90 %" shows how much depends on that rule; in mvp-n, imagenet-c and coco, the
two are the same. Clear frames have the question, options and picture size of the first frame
(condition `clear`). An answer to the first frame of rod never counts. A suggestion can be accepted
and lead away from the reference frame, as in changeit. An episode ends without an answer if Nano
abstains, writes something that is not among the options, asks for something that is not possible,
or asks until the limit of turns.
{without_clear}
The tables show percentages. Rows of several scenarios are means over the seeds, with Student's 95 %
interval over seeds, which is wide for three seeds; there is no interval if all seeds have the same
value. Rows of one scenario are means over the seeds with 95 % intervals over samples. Before the
training there is one model, and all intervals are over samples. Rows of several scenarios pool
their samples; Nano's model card averages over scenarios, so its figures differ slightly.

Settings of `train` that differ from its defaults, apart from scenarios, reward and seed:

```text
{recipe}
```"""


class Trained(NamedTuple):
    """A model after `train`."""

    arm: Arm
    seed: int
    samples: Samples
    folder: Path


class Outcome(NamedTuple):
    """Results of all models."""

    before: Samples
    after: Sequence[Trained]


class ArmFigures(BaseModel):
    """Results of one arm."""

    trained: tuple[str, ...]
    reward: float
    adapter: str
    options: tuple[str, ...]
    before: dict[str, Measured]
    """Measures by row: trained, unseen, each scenario."""
    after: dict[str, Measured]
    """The same, pooled over seeds."""
    seeds: dict[str, list[float | None]]
    """Values of each seed by row/measure."""

    @property
    def arm(self) -> Arm:
        """The arm."""
        return Arm(self.trained, self.reward, self.adapter, self.options)


class Figures(BaseModel):
    """Content of `figures.json`."""

    train: str
    """Options of `train` in the first arm, apart from scenarios, reward and seed."""
    versions: dict[str, str]
    arms: list[ArmFigures]


class LearningAim(NamedTuple):
    """One thing that the training should reach, and whether it does."""

    text: str
    measured: str
    met: bool


def write(out: Path, outcome: Outcome) -> None:
    """Writes the three files to `out` and replaces older ones."""
    out.mkdir(parents=True, exist_ok=True)
    versions = {name: importlib.metadata.version(name) for name in ("torch", "transformers", "trl")}
    arms = dict.fromkeys(model.arm for model in outcome.after)
    figures = Figures(
        train=_recipe(outcome.after[0].folder),
        versions=versions,
        arms=[_figures(arm, outcome) for arm in arms],
    )
    (out / "figures.json").write_text(figures.model_dump_json(indent=1) + "\n")
    (out / "README.md").write_text(readme(figures))
    _write_curves(out / "curves.csv", outcome.after)


def _figures(arm: Arm, outcome: Outcome) -> ArmFigures:
    models = [model.samples for model in outcome.after if model.arm == arm]
    return ArmFigures(
        trained=arm.trained,
        reward=arm.reward,
        adapter=arm.adapter,
        options=arm.options,
        before={row: measure([outcome.before], names) for row, names in arm.rows.items()},
        after={row: measure(models, names) for row, names in arm.rows.items()},
        seeds={
            f"{row}/{name}": [getattr(measure([m], arm.rows[row]), name).value for m in models]
            for row in POOLED
            for name in MEASURES
        },
    )


def _recipe(model: Path) -> str:
    """Returns the settings of a training that differ from the defaults, as options."""
    settings = read_manifest(model).settings
    own = {"scenarios", "reward_suggestion", "seed"}
    shown = settings.model_dump(exclude_defaults=True, exclude=own)
    return " ".join(
        f"--{name.replace('_', '-').replace('targets', 'target')} {one}"
        for name, value in shown.items()
        for one in (value if isinstance(value, tuple) else (value,))
    )


def readme(kept: Figures) -> str:
    """Returns the text of `README.md`: introduction and tables."""
    first = kept.arms[0]
    alone = {name: found for name, found in first.before.items() if name not in POOLED}
    without = "".join(
        f"In {name}, {found.clear_samples} of {found.samples} samples have a clear frame; the "
        "first frames of the others are too small.\n"
        for name, found in sorted(alone.items())
        if found.clear_samples < found.samples
    )
    introduction = INTRODUCTION.format(
        seeds=len(first.seeds["trained/asks"]),
        samples=sum(found.samples for found in alone.values()),
        data=TEST_SCENES,
        without_clear=without,
        recipe=_wrapped(kept.train),
    )
    parts = [introduction.splitlines(), *map(_arm_section, kept.arms)]
    return "\n".join(line for part in parts for line in part) + "\n"


def _arm_section(found: ArmFigures) -> Iterator[str]:
    yield ""
    yield f"## Trained on {found.arm.title}"
    yield ""
    if found.options:
        options = _wrapped(" ".join(found.options))
        yield from ("Settings in place of those above:", "", "```text", options, "```", "")
    yield _line(["scenarios", *(TITLES[name] for name in MEASURES)])
    yield _line(["---"] * (len(MEASURES) + 1))
    for row in POOLED:
        yield _line([f"**{row}**, before", *_cells(found.before[row])])
        over_seeds = [_over_seeds(found.seeds[f"{row}/{name}"]) for name in MEASURES]
        yield _line([f"**{row}**, after", *over_seeds])
    for row in (*found.arm.trained, *found.arm.unseen):
        yield _line([f"{row}, before", *_cells(found.before[row])])
        yield _line([f"{row}, after", *_cells(found.after[row])])
    yield ""
    yield _line(["aim", "measured", "met"])
    yield _line(["---"] * 3)
    for aim in aims(found):
        yield _line([aim.text, aim.measured, "yes" if aim.met else "no"])


def aims(found: ArmFigures) -> Iterator[LearningAim]:
    """Yields the aims of the experiment, judged by the means over the seeds."""

    def mean(row: str, name: str) -> tuple[float, str]:
        values = found.seeds[f"{row}/{name}"]
        return float(np.mean([value or 0 for value in values])), _over_seeds(values)

    before = found.before["all"]
    asks, shown = mean("trained", "asks")
    yield LearningAim("asks in the trained scenarios: at least 95", shown, asks >= 0.95)
    asking = [name for name in found.arm.unseen if (found.after[name].asks.value or 0) >= 0.8]
    yield LearningAim(
        "unseen scenarios in which it asks in at least 80: at least 4 of 5",
        f"{len(asking)}: {', '.join(asking)}",
        len(asking) >= 4,
    )
    asks, shown = mean("all", "over_asks")
    yield LearningAim("asks on clear frames: at most 3", shown, asks <= 0.03)
    clear, shown = mean("all", "clear_accuracy")
    least = (before.clear_accuracy.value or 0) - 0.03
    yield LearningAim(f"right on clear frames: at least {_percent(least)}", shown, clear >= least)
    for name, least, why in (
        ("solves", 2 * (before.solves.value or 0), "twice that of before"),
        ("informed", clear / 2, "half of right on clear frames"),
    ):
        share, shown = mean("all", name)
        yield LearningAim(
            f"{TITLES[name]}: at least {_percent(least)}, {why}", shown, share >= least
        )


def _wrapped(options: str) -> str:
    return textwrap.fill(options, 100, break_on_hyphens=False)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _cells(found: Measured) -> list[str]:
    return [_cell(getattr(found, name)) for name in MEASURES]


def _over_seeds(values: Sequence[float | None]) -> str:
    """Formats a mean over seeds with Student's 95 % interval."""
    known = np.array([value for value in values if value is not None])
    if not len(known):
        return "-"
    mean = Estimate(value=float(known.mean()))
    if len(known) > 1 and np.ptp(known) > 0:
        half = float(stats.t.ppf(0.975, len(known) - 1) * stats.sem(known))
        low, high = max(0.0, known.mean() - half), min(1.0, known.mean() + half)
        mean = Estimate(value=mean.value, low=low, high=high)
    return _cell(mean)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(found: Estimate) -> str:
    if found.value is None:
        return "-"
    if found.low is None or found.high is None:
        return _percent(found.value)
    return f"{_percent(found.value)} ({_percent(found.low)}-{_percent(found.high)})"


def _write_curves(file: Path, models: Sequence[Trained]) -> None:
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("trained", "reward_suggestion", "adapter", "seed", "step", *CURVES))
        for model in models:
            for line in (model.folder / JOURNAL).read_text().splitlines():
                entry = json.loads(line)
                if CURVES[1] in entry:
                    values = (f"{entry.get(name, 0):.4f}" for name in CURVES)
                    name = " ".join(model.arm.trained)
                    arm = (name, model.arm.reward, model.arm.adapter)
                    writer.writerow((*arm, model.seed, entry["step"], *values))
