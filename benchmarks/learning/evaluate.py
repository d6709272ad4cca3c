"""Measures of a model in a run: how often it asks and is right, on ambiguous and clear frames."""

import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel

from benchmarks.nano.scenes import TEST_SEED
from proactive_agent.metrics.statistics import Estimate, share_of
from proactive_agent.records.last_answer import is_informed
from proactive_agent.records.outline import EpisodeOutline
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.scenarios.fresh.data import FreshData
from proactive_agent.scenarios.fresh.source import parse_source

TEST_SCENES = f"fresh:{TEST_SEED + 2}:seen:n=60"
"""Base and recipe were chosen on the scenes of `TEST_SEED`, and an earlier experiment had those of
`TEST_SEED + 1`, so this one has other scenes."""
NEARLY_WHOLE = 0.9
"""Least visible share of the thing in a frame that shows nearly the whole thing."""
PARTIAL = ("rod", "vsod", "quickdraw", "changeit")
"""Scenarios in which an informative frame can show a part of the thing; see `fresh.scene.HALF`."""
AMBIGUOUS = ("asks", "valid", "solves", "informed", "whole", "unanswered")
"""asks: the first reply to the ambiguous first frame is a suggestion. valid: it is an accepted one.
solves: the episode from that frame ends with the right category. informed: it does so on an
informative frame. whole: that frame shows nearly the whole thing. unanswered: it ends without an
answer, because the model abstains, gives a reply that is not a possible option, or asks until the
limit of turns."""
CLEAR = ("over_asks", "clear_accuracy")
"""over_asks: the first reply to the clear frame is a suggestion. clear_accuracy: it is the right
category."""
MEASURES = (*AMBIGUOUS, *CLEAR)
_COLUMNS = (*MEASURES, "times", "clear_times")

Sample = tuple[float, ...]
"""Counts of one sample: how often each measure held, the number of models, and the number of
models that saw a clear frame."""
Samples = Mapping[str, Mapping[int | str, Sample]]
"""Counts by scenario and sample id."""


class Measured(BaseModel):
    """Shares with 95 % intervals over samples. The value of a sample is its mean over the models.

    The intervals are Wilson's, with the effective sample size.
    """

    samples: int
    clear_samples: int
    """Samples with a clear frame. `clear` leaves out samples whose first frame is too small."""
    asks: Estimate
    valid: Estimate
    solves: Estimate
    informed: Estimate
    whole: Estimate
    unanswered: Estimate
    over_asks: Estimate
    clear_accuracy: Estimate


def call_program(*words: str) -> None:
    """Calls the program with a command and its options. Raises SystemExit if that fails."""
    command = [sys.executable, "-m", "proactive_agent", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")


def play(model: str, data: str, results: Path) -> None:
    """Runs a model under the conditions zero-shot and clear."""
    options = ("--max-tokens", "24", "--batch-size", "64") if model.startswith("local:") else ()
    call_program(
        "run", "--provider", model, "--data", data, "--protocol", "mcqa",
        "--condition", "zero-shot,clear", "--out", str(results), *options,
    )  # fmt: skip


def samples_of(results: Path) -> Samples:
    """Returns the counts per sample of a model's two runs on fresh scenes."""
    folders: dict[str, RunFolder] = {}
    for file in results.glob("*/run.json"):
        folder = RunFolder(file.parent)
        folders[folder.read_manifest().settings.condition] = folder
    clear = {episode.key: episode for episode in folders["clear"].outlines()}
    folder = folders["zero-shot"]
    data = FreshData(parse_source(str(folder.read_manifest().settings.data)))
    samples: dict[str, dict[int | str, Sample]] = {}
    for episode in folder.outlines():
        plain = clear.get(episode.key)
        whole = is_informed(episode) is True and _shows_whole(folder, episode, data)
        found = (*_hidden(episode, whole=whole), *_plain(plain), True, plain is not None)
        samples.setdefault(episode.scenario, {})[episode.sample_id] = tuple(map(float, found))
    return samples


def _shows_whole(folder: RunFolder, episode: EpisodeOutline, data: FreshData) -> bool:
    """Whether the last frame of an episode, an informative one, shows nearly the whole thing."""
    if episode.scenario not in PARTIAL:
        return True
    scene = data.scene(episode.scenario, int(episode.sample_id))
    frame = Path(folder.read_episode(episode).turns[-1].image.path).stem
    return scene.visible(frame) >= NEARLY_WHOLE


def _hidden(episode: EpisodeOutline, *, whole: bool) -> tuple[bool, ...]:
    first, informed = episode.turns[0], is_informed(episode)
    if informed is None:
        raise ValueError(f"{episode.key}: the record does not say whether its frame is informative")
    asks = first.action.kind == "intervention"
    valid = asks and first.verdict.suggestion == "correct"
    unanswered = episode.outcome.stop != "answered"
    return asks, valid, episode.outcome.correct, informed, whole, unanswered


def _plain(episode: EpisodeOutline | None) -> tuple[bool, bool]:
    if episode is None:
        return False, False
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
    counts = dict(zip(_COLUMNS, rows.T, strict=True))

    def share(name: str) -> Estimate:
        found = share_of(counts[name], counts["times" if name in AMBIGUOUS else "clear_times"])
        return Estimate() if found is None else found.estimate()

    return Measured(
        samples=len(rows),
        clear_samples=int(np.count_nonzero(counts["clear_times"])),
        **{name: share(name) for name in MEASURES},
    )
