"""Writes the results of the experiment: `README.md`, `figures.json` and `curves.csv`."""

import csv
import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
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
    "asks": "Asks on ambiguous frames (first reply, valid suggestion)",
    "solves": "Right answer at the end of episodes that begin with an ambiguous frame",
    "over_asks": "Asks on clear frames (first reply)",
    "clear_accuracy": "Right answer on clear frames (first reply)",
}
INTRODUCTION = """\
# A small model learns to ask

`python -m benchmarks.learning` wrote this page, in {minutes:.0f} minutes on two CPU cores.

1. A small vision-language model was trained from scratch on drawn scenes until it was reactive:
   it answers without asking.
2. `train` taught it to ask in two scenarios, with two rewards of a valid suggestion (r_p) and
   {seeds} seeds each.
3. `run` evaluated the models on these two scenarios and on three unseen ones.

[curves.csv](curves.csv) holds every step of `train`; [figures.json](figures.json) holds the results
of every seed.

The recipe and the trained scenarios were chosen after earlier attempts on scenes from the same
generator. Training all weights was as fast, but lost more accuracy on clear frames. The clear
frames of coco offer no suggestion in training. A model that was trained on coco asked on a sixth
of the clear frames in `run`, which offers some.

The tables give per cent of samples: the mean over the seeds, with 95 % bootstrap intervals over
samples.

`train {recipe}`"""
CURVES = (
    "reward", "ask_rate/ambiguous", "ask_rate/clear", "accuracy/ambiguous", "accuracy/clear",
    "invalid_rate",
)  # fmt: skip


OVER_SEEDS = """\
Per cent: the mean over the seeds, with Student's 95 % interval over seeds. Three seeds make it
wide. Asking alone is no success; the rate of right answers at the end tells more. Informed accuracy
(right on a frame that holds enough) is unknown, because these runs did not record which frames do.
They played `clear` before it kept ROD's question and COCO's picture size. So texts and sizes told
clear frames of these two scenarios from ambiguous ones."""


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


Figures = Mapping[str, Mapping[str, Measured]]
"""Measures by column and row of the tables."""


def write(out: Path, outcome: Outcome, minutes: float, recipe: str) -> None:
    """Writes the three files to `out` and replaces older ones."""
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
    by_seed = _seed_by_seed(outcome)
    (out / "README.md").write_text(readme(figures, by_seed, seeds, minutes, recipe))
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
    """The measures of each single model, for the trained and the unseen scenarios."""
    return {
        column: {
            f"{row}/{name}": [getattr(measure([m], ROWS[row]), name).value for m in models]
            for row in ("trained", "unseen")
            for name in MEASURES
        }
        for column, models in _columns(outcome).items()
    }


def readme(
    figures: Figures,
    by_seed: Mapping[str, Mapping[str, Sequence[float | None]]],
    seeds: int,
    minutes: float,
    recipe: str,
) -> str:
    """Returns the text of `README.md`: introduction and tables."""
    lines = [INTRODUCTION.format(minutes=minutes, seeds=seeds, recipe=recipe)]
    lines += ["", "## Asking and accuracy, with intervals over seeds", "", OVER_SEEDS, ""]
    lines += [_line(["", *by_seed]), _line(["---"] * (len(by_seed) + 1))]
    for row in ("trained", "unseen"):
        for name, title in TITLES.items():
            cells = [_over_seeds(found[f"{row}/{name}"]) for found in by_seed.values()]
            lines.append(_line([f"{row}: {title}", *cells]))
    for name, title in TITLES.items():
        head = ["", *figures]
        lines += ["", f"## {title}", "", _line(head), _line(["---"] * len(head))]
        for row in ROWS:
            cells = [_cell(getattr(rows[row], name)) for rows in figures.values()]
            lines.append(_line([f"**{row}**" if row in ("trained", "unseen") else row, *cells]))
    return "\n".join(lines) + "\n"


def _over_seeds(values: Sequence[float | None]) -> str:
    """Formats the mean over seeds with Student's 95 % interval; one seed has none."""
    known = np.array([value for value in values if value is not None])
    if not len(known):
        return ""
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
