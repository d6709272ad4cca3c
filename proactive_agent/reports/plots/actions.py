"""Shares of turns that ask, abstain or predict, per scenario and on average.

Corresponds to the paper's Figure 4. Vague questions and unreadable replies are shown separately.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from proactive_agent.metrics import PlayedRun
from proactive_agent.reports.departures import departure_notes
from proactive_agent.reports.matching_runs import choose_runs, unfit_unless_long
from proactive_agent.reports.plots.sheet import Drawing, Key, SheetSize, draw_sheet, panel, short
from proactive_agent.reports.plots.style import BLUE, ORANGE, PURPLE, SKY
from proactive_agent.reports.plots.values import MEAN, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 4
ROW = 0.22
"""Height of a bar with its gap, in inches."""


class _Part(NamedTuple):
    label: str
    fields: tuple[str, ...]
    colour: str


PARTS = (
    _Part("proactive", ("proactive",), BLUE),
    _Part("vague", ("vague",), PURPLE),
    _Part("abstain", ("abstain",), SKY),
    _Part("predict", ("predict",), ORANGE),
    _Part("neither: unrelated or unreadable", ("unrelated", "invalid"), "#B8B8B8"),
)


def draw(runs: Sequence[PlayedRun], *, with_published: bool) -> Drawing:
    """Draws a bar per run. The paper publishes no numbers for this plot."""
    from matplotlib.patches import Patch

    runs, scenarios, left_out = choose_runs(
        runs, unfit_unless_long("reference"), "runs of several turns"
    )
    names = panels(scenarios)
    columns = min(COLUMNS, len(names))
    rows = -(-len(names) // columns)
    size = SheetSize(10, rows * (0.55 + ROW * max(len(runs), 2)) + 0.2)
    legend = [Key(Patch(facecolor=part.colour), part.label) for part in PARTS]
    figure = draw_sheet("What models do", size, legend=legend, notes=departure_notes(runs))
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    every: list[Axes] = list(grid.flat)
    for place, axes in enumerate(every):
        if place >= len(names):
            axes.remove()
            continue
        panel(axes, names[place])
        _draw_bars(axes, names[place], runs)
        if place + columns >= len(names):
            axes.tick_params(labelbottom=True)
            axes.set_xlabel("share of turns (%)")
    return Drawing(figure, left_out)


def _draw_bars(axes: "Axes", scenario: str, runs: Sequence[PlayedRun]) -> None:
    axes.set(xlim=(0, 100), ylim=(len(runs) - 0.4, -0.6))
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.set_yticks(range(len(runs)), [short(run.name) for run in runs])
    for row, run in enumerate(runs):
        left = 0.0
        for part, share in zip(PARTS, _shares(run, scenario), strict=True):
            axes.barh(
                row, share, left=left, height=0.74, color=part.colour,
                edgecolor="white", linewidth=0.6,
            )  # fmt: skip
            left += share


def _shares(run: PlayedRun, scenario: str) -> list[float]:
    """The share of each part, in per cent."""
    rates = run.summary.macro if scenario == MEAN else run.summary.scenarios[scenario]
    return [100 * sum(getattr(rates, field).value for field in part.fields) for part in PARTS]
