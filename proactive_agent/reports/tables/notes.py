"""The notes that are printed below tables."""

from collections import Counter
from collections.abc import Iterator, Sequence

from proactive_agent.metrics import Summary
from proactive_agent.metrics.table import NOT_REPORTED
from proactive_agent.reports.tables.numbers import count, dollars

MOST_REASONS = 6
"""Most finish reasons that a note lists."""
INTERVAL_NOTE = (
    "The second line shows the 95 % confidence interval. "
    "It is omitted if all samples have the same value."
)


def summary_notes(summary: Summary) -> list[str]:
    """Returns the notes for the tables of one run that follow from its numbers."""
    notes = [INTERVAL_NOTE]
    if summary.errors:
        played = sum(scenario.episodes for scenario in summary.scenarios.values())
        every = played + summary.errors
        notes.append(
            f"{summary.errors} of {every} episodes ended with an error and are left out: "
            f"{', '.join(f'{one.episodes} {one.kind}' for one in summary.error_kinds)}."
        )
    notes += reply_notes([("", summary)])
    lenient = sum(scenario.lenient_only for scenario in summary.scenarios.values())
    turns = sum(scenario.turns for scenario in summary.scenarios.values())
    if lenient:
        notes.append(
            f"Only the lenient parser understood {lenient} of {turns} replies "
            "(--parser lenient plays with it)."
        )
    if unknown := sum(scenario.parser_open for scenario in summary.scenarios.values()):
        notes.append(f"The result of {unknown} episodes with the other parser is unknown.")
    reasons = _reasons(summary)
    if reasons:
        notes.append(f"Invalid replies: {reasons}.")
    if ended := _finish_reasons(summary):
        notes.append(f"Finish reasons of the replies: {ended}.")
    notes += _usage_notes(summary)
    return notes


def reply_notes(runs: Sequence[tuple[str, Summary]]) -> list[str]:
    """Returns notes on replies that were cut off, and on runs that several models answered.

    `runs` are names and summaries. Names are left out if there is one run only.
    """
    notes = [*_judge_notes(runs), *_served_notes(runs)]
    cut = [(name, _cut_off(summary)) for name, summary in runs]
    found = [f"{name} ({text})" if len(runs) > 1 else text for name, text in cut if text]
    if found:
        notes.insert(
            0,
            f"Replies cut off by the token limit: {', '.join(found)}. They are scored as they "
            "are, so most count as wrong. --max-tokens raises the limit of the answer, and "
            "--thinking-tokens that of thinking.",
        )
    return notes


def _judge_notes(runs: Sequence[tuple[str, Summary]]) -> Iterator[str]:
    if judged := [name for name, summary in runs if summary.for_smoke_tests]:
        which = f" of {', '.join(judged)}" if len(runs) > 1 else ""
        yield (
            f"For smoke tests: word rules judged the open-ended answers{which}. They miss many "
            "requests. Let a model judge (--judge) for numbers that you publish."
        )


def _cut_off(summary: Summary) -> str:
    cut = sum(scenario.cut_off_replies for scenario in summary.scenarios.values())
    turns = sum(scenario.turns for scenario in summary.scenarios.values())
    return f"{cut:,} of {turns:,}" if cut else ""


def _served_notes(runs: Sequence[tuple[str, Summary]]) -> Iterator[str]:
    parts = {
        "model": "models",
        "fingerprint": "configurations (system fingerprints)",
        "gateway": "providers behind the gateway",
    }
    for name, summary in runs:
        replies = f"The replies of {name}" if len(runs) > 1 else "The replies"
        for part, words in parts.items():
            counts: Counter[str] = Counter()
            for one in summary.served:
                counts[getattr(one, part) or "unnamed"] += one.replies
            if len(counts) > 1:
                listed = ", ".join(f"{text} ({n:,})" for text, n in counts.most_common())
                yield f"{replies} came from {len(counts)} {words}: {listed}."


def _reasons(summary: Summary) -> str:
    counts: Counter[str] = Counter()
    for scenario in summary.scenarios.values():
        counts.update(scenario.invalid_reasons)
    return ", ".join(f"{number} {why}" for why, number in counts.most_common())


def _finish_reasons(summary: Summary) -> str:
    """Counts replies by finish reason; empty if all ended as they should, or do not say."""
    counts: Counter[str] = Counter()
    for scenario in summary.scenarios.values():
        counts.update(scenario.finish_reasons)
    if counts.keys() <= {"stop", "tool_calls", NOT_REPORTED}:
        return ""
    shown = [f"{number:,} {reason}" for reason, number in counts.most_common(MOST_REASONS)]
    return ", ".join([*shown, "…"] if len(counts) > MOST_REASONS else shown)


def _usage_notes(summary: Summary) -> list[str]:
    """Returns notes on tokens and cost of one run; empty if nothing was counted."""
    notes = []
    given, written = tokens(summary, "input_tokens"), tokens(summary, "output_tokens")
    if given and written:
        cached, reasoning = tokens(summary, "cached_tokens"), tokens(summary, "reasoning_tokens")
        notes.append(
            f"{given:,} input tokens ({count(cached)} cached), "
            f"{written:,} output tokens ({count(reasoning)} reasoning), "
            f"cost {dollars(cost(summary))}."
        )
    elif spent := cost(summary):
        notes.append(f"Cost {dollars(spent)}; some token counts are unknown.")
    if hits := sum(scenario.cache_hits for scenario in summary.scenarios.values()):
        notes.append(f"{hits:,} replies came from the cache on disk and cost nothing.")
    return notes


def cost(summary: Summary) -> float | None:
    """The cost of a run in US dollars; None if any part is unknown."""
    costs = [scenario.cost_usd for scenario in summary.scenarios.values()]
    return None if None in costs else sum(cost for cost in costs if cost is not None)


def tokens(summary: Summary, field: str) -> int | None:
    """The tokens of a run; None if any count is unknown."""
    counts = [getattr(scenario, field) for scenario in summary.scenarios.values()]
    return None if None in counts else sum(counts)
