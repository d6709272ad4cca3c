"""Measures of a model in a run: how often it asks and is right, on ambiguous and clear frames."""

import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel

from proactive_agent.metrics.statistics import Estimate, estimate, ratio, resample
from proactive_agent.records.outline import EpisodeOutline
from proactive_agent.records.run_folder import RunFolder

MEASURES = ("asks", "solves", "over_asks", "clear_accuracy")
"""asks: the first reply to the ambiguous first frame is a valid suggestion. solves: the episode
from that frame ends with the right category. over_asks: the first reply to the clear frame is a
suggestion. clear_accuracy: the first reply to the clear frame is the right category."""
_COLUMNS = (*MEASURES, "times")

Sample = tuple[float, ...]
"""Counts of one sample: how often each measure held, and the number of models."""
Samples = Mapping[str, Mapping[int | str, Sample]]
"""Counts by scenario and sample id."""


class Measured(BaseModel):
    """Shares with 95 % intervals, bootstrapped over samples. Each sample is a mean over models."""

    samples: int
    asks: Estimate
    solves: Estimate
    over_asks: Estimate
    clear_accuracy: Estimate


def play(model: str, data: Path, results: Path) -> Samples:
    """Runs a model under the conditions zero-shot and clear; returns counts per sample."""
    command = [sys.executable, "-m", "proactive_agent", "run", "--provider", model]
    command += ["--data", str(data), "--protocol", "mcqa", "--condition", "zero-shot,clear"]
    command += ["--max-tokens", "16", "--batch-size", "64", "--out", str(results)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    played: dict[str, list[EpisodeOutline]] = {}
    for file in results.glob("*/run.json"):
        folder = RunFolder(file.parent)
        played[folder.read_manifest().settings.condition] = folder.outlines()
    clear = {episode.key: episode for episode in played["clear"]}
    samples: dict[str, dict[int | str, Sample]] = {}
    for episode in played["zero-shot"]:
        found = (*_hidden(episode), *_plain(clear[episode.key]), True)
        samples.setdefault(episode.scenario, {})[episode.sample_id] = tuple(map(float, found))
    return samples


def _hidden(episode: EpisodeOutline) -> tuple[bool, bool]:
    first = episode.turns[0]
    asks = first.action.kind == "intervention" and first.verdict.suggestion == "correct"
    return asks, episode.outcome.correct


def _plain(episode: EpisodeOutline) -> tuple[bool, bool]:
    first = episode.turns[0]
    return first.action.kind == "intervention", first.verdict.category == "correct"


def measure(models: Sequence[Samples], scenarios: Iterable[str]) -> Measured:
    """Pools scenarios, over models that played the same samples."""
    rows = np.array(
        [
            np.sum([model[scenario][sample] for model in models], axis=0)
            for scenario in scenarios
            for sample in models[0][scenario]
        ]
    )
    sums = resample(_COLUMNS, rows, "learning")
    shares = {name: estimate(ratio(sums[name], sums["times"])) for name in MEASURES}
    return Measured(samples=len(rows), **shares)
