"""Help-seeking as detection, from a run on occluded and a run on clear pictures (`clear`).

Only first turns count: there the model decides whether it needs help.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from proactive_agent.metrics import PlayedRun
from proactive_agent.metrics.statistics import Estimate
from proactive_agent.metrics.statistics.detection import COUNTS, Detection, averaged, detect
from proactive_agent.metrics.statistics.shares import (
    Proportion,
    estimate_of,
    mean_share,
    share_of,
)
from proactive_agent.metrics.table import SampleId, Samples, ScenarioTable
from proactive_agent.reports.runs import same_data
from proactive_agent.settings.condition_label import varied_parts

_SHARED = ("provider", "provider_settings", "protocol", "toolset", "parser", "forgiving")
"""Settings that both runs must have in common."""


class HelpSeeking(BaseModel):
    """The measures of one scenario, or their averages; see `statistics.detection`."""

    samples: int
    """Samples that both runs have played to the end."""
    asks_needed: Estimate
    asks_clear: Estimate
    balanced_accuracy: Estimate
    f1: Estimate
    d_prime: Estimate
    ceiling: Estimate
    """The largest d' that this number of samples can show."""


class HelpSeekingPair(BaseModel):
    """A pair of runs of one model: with and without need for help."""

    needed: str
    """Name of the run on occluded pictures."""
    clear: str
    """Name of the run on clear pictures."""
    scenarios: dict[str, HelpSeeking]
    macro: HelpSeeking


def help_seeking(runs: Sequence[PlayedRun]) -> list[HelpSeekingPair]:
    """Returns the measures of every pair of runs that have samples in common."""
    pairs = []
    for needed, clear in _pairs(runs):
        counted = {}
        for scenario in same_data(needed.manifest, clear.manifest):
            if scenario in needed.tables and scenario in clear.tables:
                counts = _counts(needed.tables[scenario], clear.tables[scenario])
                if len(counts):
                    counted[scenario] = counts
        if counted:
            pairs.append(_pair(needed.name, clear.name, counted))
    return pairs


class ClearRate(BaseModel):
    """The rate of proactive open-ended answers (`ps`) of a run, and its rate on clear frames.

    Both are macro averages over the samples that both runs have played. Without a run on clear
    frames, `ps` covers all samples.
    """

    run: str
    clear: str | None
    """Name of the run on clear frames; null if there is none."""
    ps: Estimate
    ps_clear: Estimate


def clear_rates(runs: Sequence[PlayedRun]) -> list[ClearRate]:
    """Returns ps beside the rate on clear frames for every open-ended run on ambiguous frames.

    Without that rate ps means little: a constant list of requests scores 100 %.
    """
    twins = {id(needed): clear for needed, clear in _pairs(runs)}
    return [
        _clear_rate(run, twins.get(id(run)))
        for run in runs
        if run.summary.macro.ps.value is not None and not _conditions(run) & {"clear", "reference"}
    ]


def _clear_rate(run: PlayedRun, twin: PlayedRun | None) -> ClearRate:
    if twin is None:
        return ClearRate(run=run.name, clear=None, ps=run.summary.macro.ps, ps_clear=Estimate())
    ours, theirs = [], []
    for scenario in same_data(run.manifest, twin.manifest):
        if scenario in run.tables and scenario in twin.tables:
            needed, clear = (one.tables[scenario].samples() for one in (run, twin))
            ours.append(_ps(needed, {*clear.ids}))
            theirs.append(_ps(clear, {*needed.ids}))
    return ClearRate(
        run=run.name,
        clear=twin.name,
        ps=estimate_of(mean_share(ours)),
        ps_clear=estimate_of(mean_share(theirs)),
    )


def _ps(samples: Samples, ids: set[SampleId]) -> Proportion | None:
    """Returns the share of proactive open-ended answers in some of the samples."""
    kept = [sample in ids for sample in samples.ids]
    return share_of(samples.column("ps")[kept], samples.column("judged")[kept])


def clear_rate_notes(rates: Sequence[ClearRate]) -> list[str]:
    """Returns a note on the runs whose rate on clear frames is missing."""
    missing = [rate.run for rate in rates if rate.clear is None]
    if not missing:
        return []
    which = f" for {', '.join(missing)}" if len(rates) > 1 else ""
    return [
        f"ps on clear frames is missing{which}. Without it ps means little, because a constant "
        "list of requests scores 100 %. Play --condition zero-shot,clear."
    ]


def left_out_notes(runs: Sequence[PlayedRun]) -> list[str]:
    """Returns a note on the samples that `clear` left out because they have no clear frame.

    Runs on clear frames that are not finished do not count.
    """
    counts: dict[str, None] = {}
    for run in runs:
        if "clear" in _conditions(run) and run.manifest.status == "finished":
            counts |= dict.fromkeys(_left_out(run))
    if not counts:
        return []
    return [f"clear leaves out samples that have no clear frame: {', '.join(counts)}."]


def _left_out(run: PlayedRun) -> Iterator[str]:
    settings, files = run.manifest.settings, run.manifest.data.files
    for scenario in settings.scenarios:
        table, file = run.tables.get(scenario), files.get(scenario)
        if file is None:
            continue
        most = settings.samples_per_scenario
        samples = file.kept if most is None else min(file.kept, most)
        missing = samples - (len(table) // settings.repeats if table else 0)
        if missing > 0:
            yield f"{missing:,} of {samples:,} in {scenario}"


def _pairs(runs: Sequence[PlayedRun]) -> Iterator[tuple[PlayedRun, PlayedRun]]:
    """Pairs each run on occluded pictures with a run on clear ones.

    The clear run has the same other conditions or, if there is none, no other condition.
    """
    clear = [run for run in runs if "clear" in _conditions(run)]
    for needed in runs:
        own = _conditions(needed)
        if own & {"clear", "reference"}:
            continue
        alike = [run for run in clear if _settings(run) == _settings(needed)]
        for wanted in (own | {"clear"}, {"clear"}):
            if found := [run for run in alike if _conditions(run) == wanted]:
                yield needed, found[0]
                break


def _conditions(run: PlayedRun) -> frozenset[str]:
    return varied_parts(run.manifest.settings.condition)


def _settings(run: PlayedRun) -> list[object]:
    return [getattr(run.manifest.settings, field) for field in _SHARED]


def _counts(needed: ScenarioTable, clear: ScenarioTable) -> NDArray[np.float64]:
    """Returns a row per common sample, with a column per name in COUNTS."""
    occluded, plain = _asked(needed.samples()), _asked(clear.samples())
    rows = [(*occluded[sample], *plain[sample]) for sample in occluded if sample in plain]
    return np.array(rows, dtype=np.float64).reshape(-1, len(COUNTS))


def _asked(samples: Samples) -> dict[SampleId, tuple[float, float]]:
    """Returns, by sample, the number of episodes that asked in the first turn, and of all."""
    asked, episodes = samples.column("asked_at_once"), samples.column("episodes")
    return dict(zip(samples.ids, zip(asked.tolist(), episodes.tolist(), strict=True), strict=True))


def _pair(needed: str, clear: str, counted: Mapping[str, NDArray[np.float64]]) -> HelpSeekingPair:
    detections = {
        scenario: detect(counts, f"help-seeking in {scenario}")
        for scenario, counts in counted.items()
    }
    return HelpSeekingPair(
        needed=needed,
        clear=clear,
        scenarios={
            scenario: _measures(found, len(counted[scenario]))
            for scenario, found in detections.items()
        },
        macro=_measures(averaged([*detections.values()]), sum(map(len, counted.values()))),
    )


def _measures(detection: Detection, samples: int) -> HelpSeeking:
    measures = detection._asdict()
    for name in ("asks_needed", "asks_clear"):
        measures[name] = estimate_of(measures[name])
    return HelpSeeking(samples=samples, **measures)
