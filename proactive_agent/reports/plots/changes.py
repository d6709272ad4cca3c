"""Before-and-after plots: a row per model, a panel per metric, a dot per condition."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from proactive_agent.reports import published
from proactive_agent.reports.plots.sheet import Key, SheetSize, draw_sheet, mark, panel, short
from proactive_agent.reports.plots.style import BLUE, GUIDE, PUBLISHED, SMALL, TEXT, VERMILION
from proactive_agent.reports.plots.values import LABELS, Metric, Value

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW = 0.24
"""Height of a model's row, in inches."""

AROUND = 0.8
"""Height above and below the rows together, in inches."""

AFTER = ((BLUE, "o"), (VERMILION, "^"))
"""Colours and markers of the one or two conditions that are compared with the first."""


class ChangePanel(NamedTuple):
    """A panel: a metric, in one scenario or averaged."""

    metric: Metric
    title: str


class Change(NamedTuple):
    """One metric of a model under the first condition and the others; None if it is unknown."""

    values: Sequence[Value | None]
    texts: Sequence[str]
    """The text of each change."""


class ModelRow(NamedTuple):
    """A model's row in all panels."""

    name: str
    changes: Sequence[Change]
    """One per panel."""
    published: bool = False


def draw_changes(
    title: str,
    conditions: Sequence[str],
    panels: Sequence[ChangePanel],
    rows: Sequence[ModelRow],
    *,
    across: int,
) -> "Figure":
    """Draws the plot, with `across` panels side by side. Our runs must precede published rows."""
    first, *others = conditions
    legend = [Key(mark(BLUE, "o", hollow=True), first)]
    legend += [Key(mark(*style), name) for style, name in zip(AFTER, others, strict=False)]
    if any(row.published for row in rows):
        legend.append(Key(mark(PUBLISHED, "o"), published.LABEL))
    bands = len(panels) // across
    size = SheetSize(10, bands * (AROUND + ROW * len(rows)))
    figure = draw_sheet(title, size, legend=legend)
    grid: list[Axes] = list(figure.subplots(bands, across, sharey=True, squeeze=False).flat)
    for index, (axes, shown) in enumerate(zip(grid, panels, strict=True)):
        panel(axes, shown.title, xlabel=LABELS[shown.metric])
        for place, row in enumerate(rows):
            _draw_change(axes, place, row.changes[index], row.published)
        _finish(axes, shown, rows)
    return figure


def _draw_change(axes: "Axes", place: int, change: Change, of_paper: bool) -> None:
    base, *others = change.values
    for (colour, marker), after in zip(AFTER, others, strict=False):
        if base is None or after is None:
            continue
        colour = PUBLISHED if of_paper else colour
        axes.plot([base.value, after.value], [place, place], color=colour, linewidth=1.6)
        _draw_interval(axes, place + 0.25, after, colour)
        axes.plot(after.value, place, marker=marker, color=colour, markersize=6, clip_on=False)
    if base is not None:
        colour = PUBLISHED if of_paper else BLUE
        _draw_interval(axes, place - 0.25, base, colour)
        axes.plot(
            base.value, place, marker="o", color=colour, markerfacecolor="white", markersize=6,
            clip_on=False,
        )  # fmt: skip
    axes.annotate(
        "  ".join(change.texts), (1, place), xycoords=axes.get_yaxis_transform(),
        xytext=(6, 0), textcoords="offset points", va="center", fontsize=SMALL, color=TEXT,
    )  # fmt: skip


def _draw_interval(axes: "Axes", height: float, value: Value, colour: str) -> None:
    if value.low is not None and value.high is not None:
        axes.plot([value.low, value.high], [height, height], color=colour, linewidth=0.8, alpha=0.6)


def _finish(axes: "Axes", shown: ChangePanel, rows: Sequence[ModelRow]) -> None:
    """Sets limits and model names, and draws the line between our rows and published ones."""
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks(range(len(rows)), [short(row.name) for row in rows])
    axes.tick_params(axis="y", length=0)
    ours = sum(not row.published for row in rows)
    if 0 < ours < len(rows):
        axes.axhline(ours - 0.5, color=GUIDE, linewidth=0.8)
    if shown.metric == "psr":
        right = axes.get_xlim()[1]
        axes.set_xlim(-0.04 * right, right)
    else:
        axes.set_xlim(-4, 104)
