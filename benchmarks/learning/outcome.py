"""The figures of the experiment, written down: `README.md`, `figures.json`, `curves.csv`."""

import csv
import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.learning.evaluate import MEASURES, Measured, Samples, measure
from benchmarks.learning.scenes import TRAINED, UNSEEN
from proactive_agent.metrics.statistics import Estimate

ROWS: Mapping[str, Sequence[str]] = {
    "trained": TRAINED,
    "unseen": UNSEEN,
    **{name: (name,) for name in (*TRAINED, *UNSEEN)},
}
TITLES = {
    "asks": "Asks on ambiguous frames (first reply, valid suggestion)",
    "solves": "Right in the end, from ambiguous frames on",
    "over_asks": "Asks on clear frames",
    "clear_accuracy": "Right on clear frames (first reply)",
}
INTRODUCTION = """\
# A small model learns to ask

Written by `python -m benchmarks.learning`, here in {minutes:.0f} minutes on two cores.  A
vision-language model was trained from nothing on drawn scenes into a reactive one, then taught by
`train` with two kinds of ambiguity, for two rewards of a valid suggestion (r_p) with {seeds} seeds
each, and judged by `run` on these kinds and on three that it was not taught with.
[curves.csv](curves.csv) has every step of `train`, [figures.json](figures.json) every seed alone.

The recipe, and which kinds are taught, were chosen by what earlier attempts did on scenes of the
same make.  All weights at once learned as fast, and lost more on clear frames.  Taught with coco,
whose clear frames offer no suggestion in training, a model asked on a sixth of them where `run`
offers some.

Per cent of samples, the mean of the seeds, with 95 % bootstrap intervals over samples.

`train {recipe}`"""
CURVES = (
    "reward", "ask_rate/ambiguous", "ask_rate/clear", "accuracy/ambiguous", "accuracy/clear",
    "invalid_rate",
)  # fmt: skip


class Trained(NamedTuple):
    """A model that was taught."""

    seed: int
    reward: float
    samples: Samples
    journal: Path


class Outcome(NamedTuple):
    """What all models did."""

    before: Samples
    after: Sequence[Trained]


Figures = Mapping[str, Mapping[str, Measured]]
"""By column and row of the tables."""


def write(out: Path, outcome: Outcome, minutes: float, recipe: str) -> None:
    """Replaces what is in `out`."""
    out.mkdir(parents=True, exist_ok=True)
    figures, minutes = _figures(outcome), round(minutes, 1)
    seeds = len({model.seed for model in outcome.after})
    content = {
        "minutes": minutes,
        "seeds": seeds,
        "train": recipe,
        "versions": {
            name: importlib.metadata.version(name) for name in ("torch", "transformers", "trl")
        },
        "figures": {
            column: {row: measured.model_dump() for row, measured in rows.items()}
            for column, rows in figures.items()
        },
        "seed_by_seed": _seed_by_seed(outcome),
    }
    (out / "figures.json").write_text(json.dumps(content, indent=1) + "\n")
    (out / "README.md").write_text(readme(figures, seeds, minutes, recipe))
    _write_curves(out / "curves.csv", outcome.after)


def _columns(outcome: Outcome) -> Mapping[str, Sequence[Samples]]:
    columns = {"before": [outcome.before]}
    for reward in sorted({model.reward for model in outcome.after}):
        columns[f"r_p {reward}"] = [m.samples for m in outcome.after if m.reward == reward]
    return columns


def _figures(outcome: Outcome) -> Figures:
    return {
        column: {row: measure(models, names) for row, names in ROWS.items()}
        for column, models in _columns(outcome).items()
    }


def _seed_by_seed(outcome: Outcome) -> Mapping[str, Mapping[str, Sequence[float | None]]]:
    """Each measure of each model alone, for the trained and the unseen kinds."""
    return {
        column: {
            f"{row}/{name}": [getattr(measure([m], ROWS[row]), name).value for m in models]
            for row in ("trained", "unseen")
            for name in MEASURES
        }
        for column, models in _columns(outcome).items()
    }


def readme(figures: Figures, seeds: int, minutes: float, recipe: str) -> str:
    """The tables with what they are about."""
    lines = [INTRODUCTION.format(minutes=minutes, seeds=seeds, recipe=recipe)]
    for name, title in TITLES.items():
        head = ["", *figures]
        lines += ["", f"## {title}", "", _line(head), _line(["---"] * len(head))]
        for row in ROWS:
            cells = [_cell(getattr(rows[row], name)) for rows in figures.values()]
            lines.append(_line([f"**{row}**" if row in ("trained", "unseen") else row, *cells]))
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(found: Estimate) -> str:
    if found.value is None:
        return ""
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
