"""What a reader of a table must know."""

from collections import Counter

from proactive_agent.metrics import Summary
from proactive_agent.reports.tables.numbers import count, dollars

EMBEDDED_NOTE = (
    "The embedded suite is for trying things out: its scores do not compare with published ones."
)
INTERVAL_NOTE = "Below each number its 95 % confidence interval; none where all samples are alike."


def summary_notes(summary: Summary, *, embedded: bool) -> list[str]:
    """Of one run."""
    notes = [INTERVAL_NOTE]
    if summary.errors:
        played = sum(scenario.episodes for scenario in summary.scenarios.values())
        every = played + summary.errors
        notes.append(f"Left out as they met an error: {summary.errors} of {every} episodes.")
    lenient = sum(scenario.lenient_only for scenario in summary.scenarios.values())
    turns = sum(scenario.turns for scenario in summary.scenarios.values())
    if lenient:
        notes.append(
            f"{lenient} of {turns} replies were understood by the lenient parser only "
            "(--parser lenient lets it drive)."
        )
    if unknown := sum(scenario.parser_open for scenario in summary.scenarios.values()):
        notes.append(f"How {unknown} episodes would have gone on by the other parser is unknown.")
    reasons = _reasons(summary)
    if reasons:
        notes.append(f"Invalid replies: {reasons}.")
    notes += _usage_notes(summary)
    if embedded:
        notes.append(EMBEDDED_NOTE)
    return notes


def _reasons(summary: Summary) -> str:
    counts: Counter[str] = Counter()
    for scenario in summary.scenarios.values():
        counts.update(scenario.invalid_reasons)
    return ", ".join(f"{number} {why}" for why, number in counts.most_common())


def _usage_notes(summary: Summary) -> list[str]:
    """Tokens and cost of one run; nothing where nothing was counted."""
    notes = []
    given, written = tokens(summary, "input_tokens"), tokens(summary, "output_tokens")
    if given and written:
        cached, reasoning = tokens(summary, "cached_tokens"), tokens(summary, "reasoning_tokens")
        notes.append(
            f"{given:,} input tokens ({count(cached)} cached), "
            f"{written:,} output tokens ({count(reasoning)} reasoning), "
            f"cost {dollars(cost(summary))}."
        )
    if hits := sum(scenario.cache_hits for scenario in summary.scenarios.values()):
        notes.append(f"{hits:,} replies came from the cache on disk and cost nothing.")
    return notes


def cost(summary: Summary) -> float | None:
    """US dollars of a run; None where any part is unknown."""
    costs = [scenario.cost_usd for scenario in summary.scenarios.values()]
    return None if None in costs else sum(cost for cost in costs if cost is not None)


def tokens(summary: Summary, field: str) -> int | None:
    """Tokens of a run; None where any count is unknown."""
    counts = [getattr(scenario, field) for scenario in summary.scenarios.values()]
    return None if None in counts else sum(counts)
