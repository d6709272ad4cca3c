"""The findings of runs in words: asking, guessing, over-asking and lucky answers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from proactive_agent.metrics import PlayedRun, Summary
from proactive_agent.metrics.statistics import Estimate
from proactive_agent.records.failure_groups import LUCKY
from proactive_agent.reports.comparison.help_seeking import HelpSeekingPair
from proactive_agent.reports.failure_tables import Failures
from proactive_agent.reports.tables import percent
from proactive_agent.scenarios import SCENARIOS
from proactive_agent.settings.condition_label import varied_parts

NOTABLE = 0.005
"""Shares below this are not worth a sentence."""

CLEAR = "clear"
REFERENCE = "reference"


class RunFinding(NamedTuple):
    """The findings of one run, in sentences."""

    run: str
    sentences: Sequence[str]


def findings(
    runs: Sequence[PlayedRun],
    failures: Mapping[str, Failures],
    help_seeking: Sequence[HelpSeekingPair],
) -> list[RunFinding]:
    """Returns the findings of the runs, in their order. Runs without findings are left out.

    `failures` are the failures of the runs by name. A run on clear frames is part of the findings
    of the run that it belongs to.
    """
    pairs = {pair.needed: pair for pair in help_seeking}
    found = (
        RunFinding(run.name, list(_sentences(run, failures.get(run.name), pairs.get(run.name))))
        for run in runs
        if not varied_parts(run.manifest.settings.condition) & {CLEAR}
    )
    return [finding for finding in found if finding.sentences]


def _sentences(
    run: PlayedRun, failures: Failures | None, pair: HelpSeekingPair | None
) -> Iterator[str]:
    summary, settings = run.summary, run.manifest.settings
    if not any(one.episodes for one in summary.scenarios.values()):
        return
    if varied_parts(settings.condition) & {REFERENCE}:
        yield f"It recognises {_share(summary.acc)} of the objects on the reference frame."
        return
    if settings.protocol == "oeg":
        rates = summary.macro
        yield (
            f"Its first answer names the category in {_share(rates.cc)} of the episodes, and asks "
            f"for something that would help in {_share(rates.ps)}."
        )
    else:
        yield _asking(summary)
        yield _accuracy(summary)
    if pair is not None:
        yield _over_asking(pair)
    if failures is not None:
        yield from _failing(failures)


def _asking(summary: Summary) -> str:
    asked = summary.macro.asked_at_once
    if asked.value is None:
        return "How often it asks is unknown."
    if asked.value < NOTABLE:
        return f"It {'almost ' if asked.value else ''}never asks in the first turn."
    if asked.value > 1 - NOTABLE:
        return "It asks in every first turn."
    text = f"It asks in {percent(asked.value)} % of the first turns"
    return f"{text}{extremes({n: s.asked_at_once for n, s in summary.scenarios.items()})}."


def _accuracy(summary: Summary) -> str:
    acc, informed = summary.acc.value, summary.macro.informed.value
    text = f"It is right in {_share(summary.acc)} of the episodes"
    if acc is None or informed is None:
        return f"{text}."
    if acc - informed < NOTABLE:
        return f"{text}, always on an informative frame." if informed >= NOTABLE else f"{text}."
    if informed < NOTABLE:
        return f"{text}, but never on an informative frame: these answers are guesses."
    return f"{text}, {percent(informed)} % on an informative frame. The rest are guesses."


def _over_asking(pair: HelpSeekingPair) -> str:
    rates = pair.macro
    d_prime = rates.d_prime.value
    measure = "" if d_prime is None else f" (d′ {d_prime:.1f})"
    return (
        f"It asks on {_share(rates.asks_needed)} of the ambiguous frames and on "
        f"{_share(rates.asks_clear)} of the clear ones{measure}."
    )


def _failing(failures: Failures) -> Iterator[str]:
    if failures.groups and failures.failed:
        first = failures.groups[0]
        yield (
            f"Its most frequent failure is “{first.title}”: {first.episodes:,} of "
            f"{failures.episodes:,} episodes."
        )
    for group in failures.groups:
        if group.name == LUCKY.name:
            yield (
                f"In {group.episodes:,} episodes it gives the right category where none counts, "
                "which is scored as wrong."
            )


def extremes(by_scenario: Mapping[str, Estimate]) -> str:
    """Returns ", most in ROD (30 %), least in QD (2 %)"; empty if all are alike."""
    known = {name: one.value for name, one in by_scenario.items() if one.value is not None}
    if len(known) < 2 or max(known.values()) - min(known.values()) < 0.1:
        return ""
    most, least = max(known, key=known.__getitem__), min(known, key=known.__getitem__)
    return (
        f", most in {_title(most)} ({percent(known[most])} %), "
        f"least in {_title(least)} ({percent(known[least])} %)"
    )


def _share(estimate: Estimate) -> str:
    return "an unknown share" if estimate.value is None else f"{percent(estimate.value)} %"


def _title(scenario: str) -> str:
    return SCENARIOS[scenario].title if scenario in SCENARIOS else scenario
