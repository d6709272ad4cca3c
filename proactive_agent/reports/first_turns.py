"""First turns of several models on the same samples, from which the paper's filter follows.

The filter drops the samples that many models answer rightly in the first turn, without help. Where
no category counts in the first turn, as in `rod`, it drops none.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from proactive_agent.metrics import PlayedRun
from proactive_agent.metrics.table import SampleId
from proactive_agent.reports.matching_runs import SEVERAL_TURNS, condition_of, unfit_protocol
from proactive_agent.scenarios.sample_filter import SampleFilter
from proactive_agent.tools import UserError

PUBLISHED_SHARE = Fraction(1, 4)
"""The paper drops samples that at least this share of the models answers rightly (6 of 22)."""


class FirstTurns(NamedTuple):
    """Which samples models answer rightly in the first turn."""

    models: list[str]
    right: dict[str, dict[SampleId, int]]
    """The number of models that answer a sample rightly, by scenario and sample."""
    files: dict[str, str]
    """SHA-256 of the data files, by scenario."""

    def needed(self, share: Fraction) -> int:
        """Returns the fewest models that are at least this share; at least one."""
        return max(1, -(-share * len(self.models) // 1))

    def kept(self, share: Fraction) -> SampleFilter:
        """Returns the filter that drops what at least this share of the models answers rightly."""
        needed = self.needed(share)
        return SampleFilter(
            share=float(share),
            models=tuple(self.models),
            files=self.files,
            filter={
                scenario: frozenset(sample for sample, count in counts.items() if count < needed)
                for scenario, counts in self.right.items()
            },
        )


def unfit_first_turns(run: PlayedRun) -> str:
    """Returns the reason why a run cannot be used for the filter, or an empty string."""
    if why := unfit_protocol(run, SEVERAL_TURNS):
        return why
    if condition_of(run) != "zero-shot":
        return f"condition is {condition_of(run)}"
    return "samples were played repeatedly" if run.manifest.settings.repeats > 1 else ""


def first_turns(runs: Sequence[PlayedRun]) -> FirstTurns:
    """Counts the models that answer each sample rightly in the first turn.

    Raises UserError unless every run is of another model and all have played every sample of the
    same data.
    """
    if not runs:
        raise UserError("no run")
    models: dict[str, str] = {}
    for run in runs:
        manifest = run.manifest
        if why := unfit_first_turns(run):
            raise UserError(f"{manifest.run_id} cannot be used: the {why}; needs runs of zero-shot")
        model = manifest.settings.provider
        if model in models:
            raise UserError(
                f"two runs of {model}: {models[model]} and {manifest.run_id}; pass only one of them"
            )
        models[model] = manifest.run_id
        _check_same_samples(runs[0], run)
        _check_complete(run)
    right: dict[str, dict[SampleId, int]] = {}
    for run in runs:
        for scenario, table in run.tables.items():
            counts = right.setdefault(scenario, {})
            samples = table.samples()
            at_once = samples.column("right_at_once").tolist()
            for sample, is_right in zip(samples.ids, at_once, strict=True):
                counts[sample] = counts.get(sample, 0) + int(is_right > 0)
    files = {name: file.sha256 for name, file in runs[0].manifest.data.files.items()}
    return FirstTurns(list(models), right, {name: files[name] for name in right})


def _check_same_samples(first: PlayedRun, other: PlayedRun) -> None:
    one, two = first.manifest, other.manifest
    pair = f"{one.run_id} and {two.run_id}"
    if one.settings.protocol != two.settings.protocol:
        raise UserError(
            f"{pair} differ in protocol ({one.settings.protocol}, {two.settings.protocol})"
        )
    if unshared := sorted(first.tables.keys() ^ other.tables.keys()):
        raise UserError(
            f"{pair} do not cover the same samples: only one of them has {', '.join(unshared)}; "
            "play both with the same --scenario"
        )
    for scenario in first.tables:
        if one.data.files[scenario].sha256 != two.data.files[scenario].sha256:
            raise UserError(f"{pair} used different data ({scenario})")


def _check_complete(run: PlayedRun) -> None:
    manifest = run.manifest
    for scenario, table in run.tables.items():
        file = manifest.data.files[scenario]
        played = len(table.samples().ids)
        if played == file.samples:
            continue
        if file.kept < file.samples:
            advice = "a filter left samples out; play with --condition unfiltered"
        elif manifest.settings.limit is not None:
            advice = "play without --limit"
        else:
            advice = "samples met errors or were not reached; continue it with run --resume"
        raise UserError(
            f"{manifest.run_id} does not cover all samples: {played:,} of {file.samples:,} of "
            f"{scenario}; {advice}"
        )
