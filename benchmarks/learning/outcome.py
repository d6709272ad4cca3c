"""Writes the results of the experiment: `README.md`, `figures.json` and `curves.csv`."""

import csv
import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydantic import BaseModel
from scipy import stats

from benchmarks.learning.evaluate import MEASURES, Measured, Samples, measure
from benchmarks.learning.scenes import TRAINED, UNSEEN
from proactive_agent.metrics.statistics import Estimate

ROWS: Mapping[str, Sequence[str]] = {
    "trained": TRAINED,
    "unseen": UNSEEN,
    **{name: (name,) for name in (*TRAINED, *UNSEEN)},
}
TITLES = {
    "asks": "asks",
    "solves": "right at the end",
    "informed": "informed",
    "over_asks": "asks on clear frames",
    "clear_accuracy": "right on clear frames",
}
POOLED = ("trained", "unseen")
INTRODUCTION = """\
# A small model learns to ask

`python -m benchmarks.learning` wrote this page.

1. A small vision-language model was trained from scratch on drawn scenes until it was reactive:
   it answers without asking.
2. `train` taught it to ask in two scenarios ({trained}). The reward of a valid suggestion (r_p)
   was {rewards}, with {seeds} seeds each.
3. `run` evaluated the models on these two scenarios and on three unseen ones
   ({unseen}).

[curves.csv](curves.csv) holds every step of `train`; [figures.json](figures.json) holds the results
of every seed.

| column | share of samples |
| --- | --- |
| asks | The first reply to the ambiguous first frame is a valid suggestion. |
| right at the end | The episode from that frame ends with the right category. |
| informed | The episode ends with the right category on an informative frame. |
| asks on clear frames | The first reply to the clear frame is a suggestion. |
| right on clear frames | The first reply to the clear frame is the right category. |

A frame is informative if no suggestion leads closer to the reference frame. This definition is
strict, because an earlier frame can already show the shape. In quickdraw, only the last of four
frames is informative, but the outline is visible from the second on.

Clear frames have the question, options and picture size of the first frame (condition `clear`).
{without_clear}
The recipe and the trained scenarios were chosen after earlier attempts on scenes from the same
generator. Training all weights took as long, but lost more accuracy on clear frames.

`train {recipe}`"""
OVER_SEEDS = """\
The tables show percentages: the mean over the seeds, with Student's 95 % interval over seeds. With
three seeds, this interval is wide. A cell has no interval if all seeds have the same value. Before
training there is a single model."""
OVER_SAMPLES = """\
The tables show percentages: the mean over the seeds, with 95 % intervals over samples."""
CURVES = (
    "reward", "ask_rate/ambiguous", "ask_rate/clear", "accuracy/ambiguous", "accuracy/clear",
    "invalid_rate",
)  # fmt: skip


class Trained(NamedTuple):
    """A model after `train`."""

    seed: int
    reward: float
    samples: Samples
    journal: Path


class Outcome(NamedTuple):
    """Results of all models."""

    before: Samples
    after: Sequence[Trained]


class Figures(BaseModel):
    """Content of `figures.json`."""

    seeds: int
    train: str
    """Options of `train`."""
    versions: dict[str, str]
    figures: dict[str, dict[str, Measured]]
    """Measures by column (before, r_p 0.5, ...) and row (trained, unseen, each scenario)."""
    seed_by_seed: dict[str, dict[str, list[float | None]]]
    """Values of each seed by column and row/measure."""
    remark: str | None = None
    """Says how the figures differ from those that this version measures."""


def write(out: Path, outcome: Outcome, recipe: str) -> None:
    """Writes the three files to `out` and replaces older ones."""
    out.mkdir(parents=True, exist_ok=True)
    figures = Figures(
        seeds=len({model.seed for model in outcome.after}),
        train=recipe,
        versions={
            name: importlib.metadata.version(name) for name in ("torch", "transformers", "trl")
        },
        figures=_figures(outcome),
        seed_by_seed=_seed_by_seed(outcome),
    )
    (out / "figures.json").write_text(figures.model_dump_json(indent=1) + "\n")
    (out / "README.md").write_text(readme(figures))
    _write_curves(out / "curves.csv", outcome.after)


def _columns(outcome: Outcome) -> Mapping[str, Sequence[Samples]]:
    columns = {"before": [outcome.before]}
    for reward in sorted({model.reward for model in outcome.after}):
        columns[f"r_p {reward}"] = [m.samples for m in outcome.after if m.reward == reward]
    return columns


def _figures(outcome: Outcome) -> dict[str, dict[str, Measured]]:
    return {
        column: {row: measure(models, names) for row, names in ROWS.items()}
        for column, models in _columns(outcome).items()
    }


def _seed_by_seed(outcome: Outcome) -> dict[str, dict[str, list[float | None]]]:
    """Returns the measures of each model, for the trained and the unseen scenarios."""
    return {
        column: {
            f"{row}/{name}": [getattr(measure([m], ROWS[row]), name).value for m in models]
            for row in POOLED
            for name in MEASURES
        }
        for column, models in _columns(outcome).items()
    }


def readme(kept: Figures) -> str:
    """Returns the text of `README.md`: introduction and tables."""
    without = "".join(
        f"In {name}, {found.clear_samples} of {found.samples} samples have a clear frame; the "
        "first frames of the others are too small.\n"
        for name, found in kept.figures["before"].items()
        if name not in POOLED and found.clear_samples < found.samples
    )
    introduction = INTRODUCTION.format(
        trained=", ".join(TRAINED),
        unseen=", ".join(UNSEEN),
        rewards=" and ".join(name.removeprefix("r_p ") for name in kept.figures if "r_p" in name),
        seeds=kept.seeds,
        without_clear=without,
        recipe=kept.train,
    )
    lines = [introduction, "", *([kept.remark, ""] if kept.remark else [])]
    lines += ["## Asking and accuracy, with intervals over seeds", "", OVER_SEEDS]
    lines += ["", *_head("scenarios")]
    for row in POOLED:
        for column, found in kept.seed_by_seed.items():
            cells = [_over_seeds(found.get(f"{row}/{name}", [])) for name in MEASURES]
            lines.append(_line([f"{row}, {column}", *cells]))
    lines += ["", "## By scenario, with intervals over samples", "", OVER_SAMPLES]
    for column, rows in kept.figures.items():
        when = "Before training" if column == "before" else f"After training, {column}"
        lines += ["", f"### {when}", "", *_head("scenario")]
        for row, measured in rows.items():
            cells = [_cell(getattr(measured, name)) for name in MEASURES]
            lines.append(_line([f"**{row}**" if row in POOLED else row, *cells]))
    return "\n".join(lines) + "\n"


def _head(first: str) -> list[str]:
    titles = [first, *(TITLES[name] for name in MEASURES)]
    return [_line(titles), _line(["---"] * len(titles))]


def _over_seeds(values: Sequence[float | None]) -> str:
    """Formats the mean over seeds with Student's 95 % interval; one seed has none."""
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
        return f"{100 * found.value:.1f}"
    return f"{100 * found.value:.1f} ({100 * found.low:.1f}-{100 * found.high:.1f})"


def _write_curves(file: Path, models: Sequence[Trained]) -> None:
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("seed", "reward_suggestion", "step", *CURVES))
        for model in models:
            for line in model.journal.read_text().splitlines():
                entry = json.loads(line)
                if CURVES[1] in entry:
                    values = (f"{entry.get(name, 0):.4f}" for name in CURVES)
                    writer.writerow((model.seed, model.reward, entry["step"], *values))
