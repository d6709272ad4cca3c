"""The metrics of each table, and their formats."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from proactive_agent.metrics import Consistency, Rates, Summary
from proactive_agent.metrics.statistics import Estimate
from proactive_agent.reports.tables.grid import Cell, Grid, Group, Line
from proactive_agent.reports.tables.notes import cost, tokens
from proactive_agent.reports.tables.numbers import (
    UNKNOWN,
    count,
    decimals_cell,
    dollars,
    dollars_cell,
    mean_cell,
    percent_cell,
    points_cell,
)
from proactive_agent.scenarios import SCENARIOS


class MetricColumn(NamedTuple):
    """A metric as a column."""

    heading: str
    metric: str
    """A field of `Rates`."""
    write: Callable[[Estimate], Cell]
    meaning: str = ""
    """Definition in a few words, shown before the numbers."""

    def cell(self, rates: Rates) -> Cell:
        """Formats this metric of a scenario or a run."""
        return self.write(getattr(rates, self.metric))


Named = tuple[str, Summary]
"""The name of a run in a table, and its summary."""


class NamedGroup(NamedTuple):
    """Runs under a common heading."""

    runs: Sequence[Named]
    heading: str = ""


SCORES = {
    "acc": MetricColumn("acc %", "acc", percent_cell, "episodes that end with the right category"),
    "informed": MetricColumn(
        "informed %",
        "informed",
        percent_cell,
        "episodes that end right on an informative frame, one that shows enough of the object",
    ),
    "psr": MetricColumn(
        "psr",
        "psr",
        mean_cell,
        "mean number of turns before the last one (a count, not a percentage)",
    ),
    "cc": MetricColumn("cc %", "cc", percent_cell, "first answers that name the right category"),
    "ps": MetricColumn(
        "ps %", "ps", percent_cell, "first answers that ask for something that helps"
    ),
    "agg": MetricColumn("agg %", "agg", percent_cell, "first answers that do either"),
}
"""Scores, which are kept for each scenario."""

MAIN_SCORES = ("acc", "informed", "psr")
"""Scores that the table of one run shows even if they are zero or unknown."""

CUT_OFF = MetricColumn("cut off\n%", "cut_off", percent_cell, "replies cut off by the token limit")
"""Percentage of replies that the token limit cut off."""

ACTS = (
    MetricColumn("asks", "proactive", percent_cell, "a request for a change"),
    MetricColumn("vague", "vague", percent_cell, "a request that names no change"),
    MetricColumn("abstains", "abstain", percent_cell, "gives up"),
    MetricColumn("answers", "predict", percent_cell, "names a category"),
    MetricColumn("unrelated", "unrelated", percent_cell, "text that asks for nothing that helps"),
    MetricColumn("invalid", "invalid", percent_cell, "no readable action"),
    CUT_OFF,
)
"""Percentages of turns."""

EPISODES = (
    MetricColumn(
        "asks\nat once",
        "asked_at_once",
        percent_cell,
        "the first turn asks for help, possible or not",
    ),
    MetricColumn(
        "right\nat once", "right_at_once", percent_cell, "right in the first turn, without help"
    ),
    MetricColumn("at\nlimit", "at_limit", percent_cell, "asked until the turn limit"),
    MetricColumn(
        "parser\ngap",
        "parser_gap",
        points_cell,
        "acc with the lenient parser minus acc with the official one",
    ),
)
"""Percentages of episodes."""

ASKING = (
    MetricColumn("asked", "suggestions", mean_cell, "accepted suggestions per episode"),
    MetricColumn(
        "extra\nasks",
        "extra_asks",
        decimals_cell,
        "requests beyond the shortest way, in right episodes; below 0 if the answer came earlier",
    ),
)
CALLS = (
    MetricColumn("valid\ncalls %", "valid_calls", percent_cell, "calls that match their schema"),
    MetricColumn(
        "fitting\n%",
        "fitting_calls",
        percent_cell,
        "valid calls of tools that belong to the scenario",
    ),
    MetricColumn("right\n%", "right_calls", percent_cell, "fitting calls that the state accepts"),
)
COSTS = (
    MetricColumn("input\ntokens", "mean_input_tokens", mean_cell),
    MetricColumn("output\ntokens", "mean_output_tokens", mean_cell),
    MetricColumn("seconds", "mean_seconds", decimals_cell),
    MetricColumn("dollars", "mean_cost_usd", dollars_cell),
)
"""Means per episode."""

MACRO_TABLES = {
    "turns, %": ACTS,
    "episodes, %": EPISODES,
    "asking": (*ASKING, *CALLS),
    "per episode": COSTS,
}


def score_grids(groups: Sequence[NamedGroup]) -> list[Grid]:
    """Makes a table for each known score: a line per run, a column per scenario."""
    summaries = _summaries(groups)
    scenarios = scenarios_of(summaries)
    return [
        score_grid(score, scenarios, [run_lines(group, score, scenarios) for group in groups])
        for score in known_scores(summaries)
    ]


def known_scores(summaries: Iterable[Summary]) -> list[str]:
    """Returns the names in SCORES for which any run has a number."""
    rates = [summary.macro for summary in summaries]
    return [score for score in SCORES if any(getattr(r, score).value is not None for r in rates)]


def score_grid(
    score: str, scenarios: Sequence[str], groups: Sequence[Group], caption: str = ""
) -> Grid:
    """Makes the table of a score: a column per scenario, and one for the average of several."""
    titles = [SCENARIOS[name].title for name in scenarios]
    average = ["mean"] if len(titles) > 1 else []
    column = SCORES[score]
    meaning = f"{column.meaning.capitalize()}."
    return Grid(column.heading, [*titles, *average], groups, caption, meaning)


def run_lines(group: NamedGroup, score: str, scenarios: Sequence[str]) -> Group:
    """Makes the lines of these runs in the table of a score."""
    column = SCORES[score]
    lines = []
    for name, summary in group.runs:
        found = [summary.scenarios.get(scenario) for scenario in scenarios]
        cells = [Cell(UNKNOWN) if one is None else column.cell(one) for one in found]
        average = [column.cell(summary.macro)] if len(cells) > 1 else []
        lines.append(Line(name, [*cells, *average]))
    return Group(lines, group.heading)


def scenarios_of(summaries: Iterable[Summary]) -> list[str]:
    """Returns the scenarios of these runs, in the paper's order."""
    present = {name for summary in summaries for name in summary.scenarios}
    return [name for name in SCENARIOS if name in present]


def macro_grids(groups: Sequence[NamedGroup]) -> list[Grid]:
    """Makes the tables of all other metrics, averaged over scenarios: a line per run.

    Columns that hold only zeros and unknown numbers are omitted.
    """
    grids = []
    for title, columns in MACRO_TABLES.items():
        kept = _informative(columns, [summary.macro for summary in _summaries(groups)])
        lines = [
            Group(
                [Line(name, [c.cell(summary.macro) for c in kept]) for name, summary in group.runs],
                group.heading,
            )
            for group in groups
        ]
        headings = [column.heading for column in kept]
        grids.append(Grid(title, headings, lines, meaning=meanings(kept)))
    return [grid for grid in grids if grid.columns]


def consistency_grids(groups: Sequence[NamedGroup]) -> list[Grid]:
    """Makes the table of pass^k and variances, averaged over scenarios; none without repeats."""
    found = [summary.consistency for summary in _summaries(groups)]
    ks = sorted({k for one in found if one for k in one.pass_hat})
    if not ks:
        return []
    lines = [
        Group([Line(name, _repeated(summary.consistency, ks)) for name, summary in group.runs],
              group.heading)
        for group in groups
    ]  # fmt: skip
    columns = [*(f"pass^{k} %" for k in ks), "within", "between"]
    title = "right in all k repeats; variance within and between samples"
    return [Grid(title, columns, lines)]


def usage_grids(groups: Sequence[NamedGroup]) -> list[Grid]:
    """Makes the table of errors, cut-off replies, tokens and cost; none if there are none."""
    cut_off = _informative([CUT_OFF], [summary.macro for summary in _summaries(groups)])
    lines = [
        Group([Line(name, [Cell(text) for text in _totals(summary)]
                    + [column.cell(summary.macro) for column in cut_off])
               for name, summary in group.runs], group.heading)
        for group in groups
    ]  # fmt: skip
    kept = {cell.text for group in lines for line in group.lines for cell in line.cells}
    if kept <= {"0", "$0.0000", "unknown"}:
        return []
    columns = ["errors", "input tokens", "output tokens", "dollars"]
    return [Grid("total", [*columns, *(column.heading for column in cut_off)], lines)]


def _repeated(found: Consistency | None, ks: Sequence[int]) -> list[Cell]:
    if found is None:
        return [Cell(UNKNOWN)] * (len(ks) + 2)
    shares = [percent_cell(found.pass_hat.get(k, Estimate())) for k in ks]
    return [*shares, decimals_cell(found.within), decimals_cell(found.between)]


def scenario_grids(title: str, summary: Summary) -> list[Grid]:
    """Makes the tables of one run: a line per scenario, and one for the average of several."""
    tables = {
        title: (*SCORES.values(), *ASKING, CUT_OFF),
        "turns, %": ACTS[:-1],
        "episodes, %": EPISODES,
        "tool calls, %": CALLS,
        "per episode": COSTS,
    }
    grids = [_scenario_grid(name, columns, summary) for name, columns in tables.items()]
    return [grid for grid in grids if len(grid.columns) > 1]


def _scenario_grid(title: str, columns: Sequence[MetricColumn], summary: Summary) -> Grid:
    kept = _informative(columns, [summary.macro, *summary.scenarios.values()])
    lines = [
        Line(name, [Cell(str(found.episodes)), *(column.cell(found) for column in kept)])
        for name, found in summary.scenarios.items()
    ]
    average = Line("macro average", [Cell(""), *(c.cell(summary.macro) for c in kept)], strong=True)
    groups = [Group(lines), Group([average])] if len(lines) > 1 else [Group(lines)]
    headings = ["episodes", *(column.heading for column in kept)]
    return Grid(title, headings, groups, meaning=meanings(kept))


def meanings(columns: Iterable[MetricColumn]) -> str:
    """Returns a definition per line, for example "asks: a request for a change"."""
    named = [(column.heading.replace("\n", " "), column.meaning) for column in columns]
    return "\n".join(f"{heading}: {meaning}" for heading, meaning in named if meaning)


def _informative(columns: Iterable[MetricColumn], rates: Sequence[Rates]) -> list[MetricColumn]:
    """Returns the columns that hold more than zeros and unknown numbers, and the main scores."""

    def is_informative(column: MetricColumn) -> bool:
        return any(column.cell(found).text.strip("-+0.") for found in rates)

    return [column for column in columns if column.metric in MAIN_SCORES or is_informative(column)]


def _summaries(groups: Iterable[NamedGroup]) -> list[Summary]:
    return [summary for group in groups for _, summary in group.runs]


def _totals(summary: Summary) -> list[str]:
    given, written = tokens(summary, "input_tokens"), tokens(summary, "output_tokens")
    return [str(summary.errors), count(given), count(written), dollars(cost(summary))]
