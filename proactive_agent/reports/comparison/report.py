"""The report of `compare`: one document that is shown as tables or written as JSON."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from proactive_agent.metrics import PlayedRun, Summary
from proactive_agent.records.handles import find_run
from proactive_agent.reports.comparison.help_seeking import (
    ClearRate,
    HelpSeekingPair,
    clear_rate_notes,
    clear_rates,
    help_seeking,
    left_out_notes,
)
from proactive_agent.reports.comparison.pairing import Differences, subtract
from proactive_agent.reports.comparison.published_rows import (
    PublishedFigures,
    caption,
    published_figures,
    unpublished_notes,
)
from proactive_agent.reports.data_notes import data_notes
from proactive_agent.reports.run_names import differences
from proactive_agent.reports.runs import data_label, other_seeds, same_data
from proactive_agent.reports.tables.notes import reply_notes
from proactive_agent.tools import UserError


class ComparedRun(BaseModel):
    """A run in a report."""

    name: str
    source: Literal["run"] = "run"
    run_id: str
    provider: str
    protocol: str
    condition: str
    data: str
    """`embedded suite`, `own data`, `official data`, …"""
    summary: Summary


class ComparisonReport(BaseModel):
    """A comparison of runs."""

    caption: str | None
    """Warnings printed with every table; null if the report holds no published figures."""
    notes: list[str]
    baseline: str | None
    """Name of the run that the others are compared with; null for a single run."""
    runs: list[ComparedRun]
    published: list[PublishedFigures]
    differences: dict[str, Differences]
    """Differences by name of the compared run. Runs without a common sample are absent, unless they
    played generated scenes of other seeds."""
    help_seeking: list[HelpSeekingPair]
    clear_rates: list[ClearRate]
    """ps of open-ended runs, beside the rate on clear frames."""


def make_report(
    runs: Sequence[PlayedRun], baseline: PlayedRun | None, *, with_published: bool
) -> ComparisonReport:
    """Compares runs with a baseline and, if asked for, with the published figures."""
    manifests = [run.manifest for run in runs]
    figures = published_figures(runs) if with_published else []
    notes = differences(manifests)
    notes += unpublished_notes(runs) if with_published else []
    notes += reply_notes([(run.name, run.summary) for run in runs])
    rates = clear_rates(runs)
    notes += [*clear_rate_notes(rates), *left_out_notes(runs)]
    notes += data_notes(manifests)
    return ComparisonReport(
        caption=caption(runs) if figures else None,
        notes=notes,
        baseline=baseline.name if baseline else None,
        runs=[_compared(run) for run in runs],
        published=figures,
        differences=_subtracted(runs, baseline) if baseline else {},
        help_seeking=help_seeking(runs),
        clear_rates=rates,
    )


def find_baseline(
    runs: Sequence[PlayedRun], asked: str | None, results: Path = Path("results")
) -> PlayedRun | None:
    """Finds the run with this name, id or handle; by default the first of several.

    A part of a name needs to be unique among the compared runs only. Raises UserError if no run
    matches.
    """
    if asked is None:
        return runs[0] if len(runs) > 1 else None
    wanted = Path(asked).name
    for run in runs:
        if wanted == run.manifest.run_id or asked == run.name:
            return run
    parts = [run for run in runs if asked in run.folder.path.name]
    if len(parts) == 1:
        return parts[0]
    with suppress(UserError):
        place = os.path.realpath(find_run(asked, results).path)
        for run in runs:
            if os.path.realpath(run.folder.path) == place:
                return run
    known = ", ".join(run.manifest.run_id for run in runs)
    raise UserError(f"--baseline {asked}: not one of the compared runs, which are {known}")


def _compared(run: PlayedRun) -> ComparedRun:
    settings = run.manifest.settings
    return ComparedRun(
        name=run.name,
        run_id=run.manifest.run_id,
        provider=settings.provider,
        protocol=settings.protocol,
        condition=settings.condition,
        data=data_label(run.manifest),
        summary=run.summary,
    )


def _subtracted(runs: Sequence[PlayedRun], baseline: PlayedRun) -> dict[str, Differences]:
    found = {}
    for run in runs:
        if run is baseline:
            continue
        common = [
            scenario for scenario in same_data(run.manifest, baseline.manifest)
            if scenario in run.tables and scenario in baseline.tables
        ]  # fmt: skip
        unpaired = [
            scenario for scenario in other_seeds(run.manifest, baseline.manifest)
            if scenario in run.tables and scenario in baseline.tables
        ]  # fmt: skip
        difference = subtract(run.tables, baseline.tables, common, unpaired)
        if difference.scenarios:
            found[run.name] = difference
    return found
