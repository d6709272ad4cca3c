"""Accuracy against suggestions: the cost and the benefit of asking (not in the paper).

An episode takes psr + 1 turns. Each dashed line shows one value of acc ÷ (psr + 1), the number of
right answers per turn. Models that ask without end are far to the right.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from proactive_agent.metrics import PlayedRun
from proactive_agent.reports import published
from proactive_agent.reports.departures import departure_notes
from proactive_agent.reports.matching_runs import choose_runs, has_experiment, unfit_unless_long
from proactive_agent.reports.plots.published_points import PublishedPoints
from proactive_agent.reports.plots.sheet import (
    INTERVALS,
    Drawing,
    Key,
    SheetSize,
    draw_sheet,
    mark,
    panel,
    published_mark,
    short,
)
from proactive_agent.reports.plots.squares import draw_point
from proactive_agent.reports.plots.style import GUIDE, SMALL, marker_style
from proactive_agent.reports.plots.values import MEAN, mean_of, published_value, value_of
from proactive_agent.reports.targets import TABLES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

PER_TURN = (5, 10, 20, 40)
"""Right answers per 100 turns of each dashed line."""

TICKS = (0, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 40, 80)
"""Ticks of the psr axis."""

PUBLISHED_TABLES: dict[str, tuple[str, str]] = {
    "table1": ("o", f"zero-shot, {published.LABEL}"),
    "table7": ("^", f"hint, {published.LABEL}"),
}


def draw(runs: Sequence[PlayedRun], *, with_published: bool) -> Drawing:
    """Draws a point per run."""
    runs, scenarios, left_out = choose_runs(
        runs, unfit_unless_long("reference", "clear"), "runs of several turns"
    )
    legend = [Key(mark(*marker_style(n)), short(run.name)) for n, run in enumerate(runs)]
    caption = [f"Dashed lines: right answers per 100 turns. {INTERVALS}", *departure_notes(runs)]
    tables = [
        name for name in PUBLISHED_TABLES
        if with_published and has_experiment(runs, TABLES[name].experiment)
    ]  # fmt: skip
    if tables:
        shown = [PUBLISHED_TABLES[name] for name in tables]
        legend += [Key(published_mark(marker), label) for marker, label in shown]
        caption.append(published.NOTE)
    names = list(dict.fromkeys(row.model for name in tables for row in published.table(name)))
    figure = draw_sheet(
        "Accuracy against suggestions", SheetSize(8, 5), legend=legend, numbered=names
    )
    axes = figure.subplots()
    panel(axes, mean_of(scenarios), xlabel="psr (turns before the last)", ylabel="acc (%)")
    points = PublishedPoints(figure)
    for table in tables:
        marker, _ = PUBLISHED_TABLES[table]
        for row in published.table(table):
            psr, acc = (published_value(row, m, MEAN, scenarios).value for m in ("psr", "acc"))
            points.add(axes, psr, acc, names.index(row.model) + 1, marker)
    for number, run in enumerate(runs):
        draw_point(
            axes, value_of(run, "psr", MEAN), value_of(run, "acc", MEAN), marker_style(number)
        )
    _draw_lines(axes)
    points.draw_numbers()
    return Drawing(figure, caption, left_out)


def _draw_lines(axes: "Axes") -> None:
    """Draws the dashed lines and scales x to the logarithm of the turns.

    Most models ask seldom and few ask without end, so a linear axis would hide the differences.
    """
    right = max(axes.get_xlim()[1] * 1.2, 1.5)
    axes.set_xscale("function", functions=(_log_turns, _turns))
    axes.set_xticks([tick for tick in TICKS if tick <= right])
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set(xlim=(-0.04, right), ylim=(-3, 103))
    for rate in PER_TURN:
        end = min(right, 100 / rate - 1)
        psr = [end * step / 100 for step in range(101)]
        axes.plot(
            psr, [rate * (p + 1) for p in psr],
            color=GUIDE, linewidth=0.8, linestyle="--", zorder=1,
        )  # fmt: skip
        inside = end < right
        axes.annotate(
            f"{rate} per 100", (end, rate * (end + 1)),
            xytext=(0, 4) if inside else (4, 0), textcoords="offset points",
            ha="center" if inside else "left", va="bottom" if inside else "center",
            fontsize=SMALL, color=GUIDE, annotation_clip=False,
        )  # fmt: skip


def _log_turns(psr: "ArrayLike") -> "NDArray[np.float64]":
    return np.log1p(np.maximum(psr, -0.99))


def _turns(position: "ArrayLike") -> "NDArray[np.float64]":
    return np.expm1(position)
