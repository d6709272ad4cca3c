"""Results as tables for the terminal, readable at 80 columns."""

from collections.abc import Iterable, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from proactive_agent.metrics import ScenarioSummary, Summary

EMBEDDED_NOTE = (
    "The embedded suite is for trying things out: its scores do not compare with published ones."
)


def percent(share: float | None) -> str:
    """A share as a percentage."""
    return "-" if share is None else f"{100 * share:.1f}"


def mean(value: float | None) -> str:
    """A mean of counts."""
    return "-" if value is None else f"{value:.1f}"


def count(value: int | None) -> str:
    """A count, which may be unknown."""
    return "unknown" if value is None else f"{value:,}"


def dollars(value: float | None) -> str:
    """A cost, which may be unknown."""
    return "unknown" if value is None else f"${value:,.4f}"


def summary_table(title: str, summary: Summary) -> Table:
    """One run: a row per scenario and the macro average."""
    table = _table(title)
    table.add_column("scenario")
    for name in ("episodes", "acc %", "psr", "asked", "at limit", "invalid", "errors"):
        table.add_column(name, justify="right")
    for name, scenario in summary.scenarios.items():
        table.add_row(name, *_scenario_cells(scenario))
    table.add_section()
    table.add_row(
        "macro average", "", percent(summary.acc), mean(summary.psr), "", "", "",
        str(summary.errors), style="bold",
    )  # fmt: skip
    return table


def summary_notes(summary: Summary, *, embedded: bool) -> list[str]:
    """What a reader of the table must know."""
    notes = []
    lenient = sum(scenario.lenient_only for scenario in summary.scenarios.values())
    turns = sum(scenario.turns for scenario in summary.scenarios.values())
    if lenient:
        notes.append(
            f"{lenient} of {turns} replies were understood by the lenient parser only "
            "(--parser lenient lets it drive)."
        )
    notes += _usage_notes(summary)
    if embedded:
        notes.append(EMBEDDED_NOTE)
    return notes


def comparison_table(title: str, runs: Sequence[tuple[str, Summary]]) -> Table:
    """Runs side by side: acc in per cent and psr per scenario, then averages, errors, tokens."""
    table = _table(title)
    table.add_column("acc %  psr")
    for name, _ in runs:
        table.add_column(Text(name), justify="right", overflow="fold")
    names = dict.fromkeys(name for _, summary in runs for name in summary.scenarios)
    for name in names:
        table.add_row(name, *(_cell(summary.scenarios.get(name)) for _, summary in runs))
    table.add_section()
    macro = (f"{percent(s.acc)} {mean(s.psr):>4}" for _, s in runs)
    table.add_row("macro average", *macro, style="bold")
    table.add_row("errors", *(str(s.errors) for _, s in runs))
    table.add_row("input tokens", *(count(_tokens(s, "input_tokens")) for _, s in runs))
    table.add_row("output tokens", *(count(_tokens(s, "output_tokens")) for _, s in runs))
    costs = [_cost(summary) for _, summary in runs]
    if any(costs):  # scripted models cost nothing, and nobody knows what an own machine costs
        table.add_row("cost", *map(dollars, costs))
    return table


def _table(title: str) -> Table:
    return Table(title=Text(title), box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)


def _scenario_cells(s: ScenarioSummary) -> Iterable[str]:
    return (
        str(s.episodes),
        percent(s.acc),
        mean(s.psr),
        mean(s.suggestions),
        str(s.turn_limit),
        str(sum(s.invalid.values())),
        str(s.errors),
    )


def _cell(scenario: ScenarioSummary | None) -> str:
    if scenario is None:
        return "-"
    return f"{percent(scenario.acc)} {mean(scenario.psr):>4}"


def _usage_notes(summary: Summary) -> list[str]:
    """Tokens and cost of one run; nothing where nothing was counted."""
    notes = []
    given, written = _tokens(summary, "input_tokens"), _tokens(summary, "output_tokens")
    if given and written:
        cached, reasoning = _tokens(summary, "cached_tokens"), _tokens(summary, "reasoning_tokens")
        notes.append(
            f"{given:,} input tokens ({count(cached)} cached), "
            f"{written:,} output tokens ({count(reasoning)} reasoning), "
            f"cost {dollars(_cost(summary))}."
        )
    if hits := sum(scenario.cache_hits for scenario in summary.scenarios.values()):
        notes.append(f"{hits:,} replies came from the cache on disk and cost nothing.")
    return notes


def _cost(summary: Summary) -> float | None:
    costs = [scenario.cost_usd for scenario in summary.scenarios.values()]
    return None if None in costs else sum(cost for cost in costs if cost is not None)


def _tokens(summary: Summary, field: str) -> int | None:
    counts = [getattr(scenario, field) for scenario in summary.scenarios.values()]
    return None if None in counts else sum(counts)
