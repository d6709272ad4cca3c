"""The filter: how many models answer samples rightly in the first turn, and which samples stay.

Corresponds to the paper's Figures 10 and 11. Their exact form is not known here: these plots show
the numbers that decide the filter.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from proactive_agent.metrics import PlayedRun
from proactive_agent.reports.departures import departure_notes
from proactive_agent.reports.first_turns import (
    PUBLISHED_SHARE,
    FirstTurns,
    first_turns,
    unfit_first_turns,
)
from proactive_agent.reports.matching_runs import ChosenRuns, choose_runs, has_experiment
from proactive_agent.reports.plots.sheet import Drawing, Key, SheetSize, draw_sheet, mark, panel
from proactive_agent.reports.plots.style import BLUE, GUIDE, VERMILION, marker_style
from proactive_agent.reports.published import FILTERED, PAPER
from proactive_agent.reports.targets import TABLES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 4
HEIGHT = 1.9
"""Height of a panel of the first plot, in inches."""


def draw_models(runs: Sequence[PlayedRun], *, with_published: bool) -> Drawing:
    """Draws, for each scenario, the share of samples that each number of models answers rightly."""
    from matplotlib.ticker import MaxNLocator

    chosen, turns = _material(runs)
    columns = min(COLUMNS, len(turns.right))
    rows = -(-len(turns.right) // columns)
    figure = draw_sheet(
        "Samples by the models that are right in the first turn",
        SheetSize(10, rows * HEIGHT + 0.2),
        legend=[Key(mark(BLUE, "s"), "stays"), Key(mark(VERMILION, "s"), "is dropped")],
    )
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    every: list[Axes] = list(grid.flat)
    for axes, (scenario, counts) in zip(every, turns.right.items(), strict=False):
        number = len(turns.models)
        shares = [
            100 * sum(count == models for count in counts.values()) / len(counts)
            for models in range(number + 1)
        ]
        needed = turns.needed(PUBLISHED_SHARE)
        colours = [BLUE if models < needed else VERMILION for models in range(number + 1)]
        panel(axes, scenario, xlabel="models right in the first turn", ylim=(0, 104))
        axes.bar(range(number + 1), shares, color=colours)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    for axes in every[::columns]:
        axes.set_ylabel("samples (%)")
    for axes in every[len(turns.right) :]:
        axes.remove()
    for axes in every[max(len(turns.right) - columns, 0) : len(turns.right)]:
        axes.tick_params(labelbottom=True)
    return Drawing(figure, _caption(chosen, turns, with_published), chosen.left_out)


def draw_thresholds(runs: Sequence[PlayedRun], *, with_published: bool) -> Drawing:
    """Draws, for each scenario, the share of samples that stays at each threshold."""
    chosen, turns = _material(runs)
    number = len(turns.models)
    legend = []
    needed = turns.needed(PUBLISHED_SHARE)
    for index, (scenario, counts) in enumerate(turns.right.items()):
        kept = sum(count < needed for count in counts.values())
        label = f"{scenario}: {kept:,} of {len(counts):,} stay"
        legend.append(Key(mark(*marker_style(index)), label))
    figure = draw_sheet(
        "Samples that stay at each threshold",
        SheetSize(8, 4.2),
        legend=legend,
    )
    axes = figure.subplots()
    labels = {
        "xlabel": "dropped if at least this share of the models is right in the first turn (%)",
        "ylabel": "samples that stay (%)",
    }
    panel(axes, f"{number} models", xlim=(-2, 104), ylim=(-4, 104), **labels)
    axes.axvline(100 * float(PUBLISHED_SHARE), color=GUIDE, linewidth=0.8, linestyle="--")
    thresholds = range(1, number + 1)
    for index, counts in enumerate(turns.right.values()):
        shares = [
            100 * sum(count < models for count in counts.values()) / len(counts)
            for models in thresholds
        ]
        colour, marker = marker_style(index)
        places = [100 * models / number for models in thresholds]
        axes.plot(places, shares, color=colour, marker=marker, markersize=5, linewidth=1)
    return Drawing(figure, _caption(chosen, turns, with_published), chosen.left_out)


def _material(runs: Sequence[PlayedRun]) -> tuple[ChosenRuns, FirstTurns]:
    chosen = choose_runs(runs, unfit_first_turns, "zero-shot runs of several models on all samples")
    return chosen, first_turns(chosen.runs)


def _caption(chosen: ChosenRuns, turns: FirstTurns, with_published: bool) -> list[str]:
    needed, number = turns.needed(PUBLISHED_SHARE), len(turns.models)
    counts = [count for scenario in turns.right.values() for count in scenario.values()]
    kept = sum(count < needed for count in counts)
    caption = [
        f"At the paper's threshold ({float(PUBLISHED_SHARE):.0%}, here {needed} of {number} "
        f"models) {kept:,} of {len(counts):,} samples stay.",
        *departure_notes(chosen.runs, unfiltered=True),
    ]
    if with_published and has_experiment(chosen.runs, TABLES["table4"].experiment):
        caption.append(
            f"Published ({PAPER}), official data: {FILTERED.kept:,} of {FILTERED.samples:,} stay "
            f"with {FILTERED.models} models."
        )
    return caption
