"""Square panels that plot two percentages, one panel per scenario and one for the mean."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from proactive_agent.reports.matching_runs import ModelRuns
from proactive_agent.reports.plots.sheet import Key, SheetSize, mark, panel, panels_in, short
from proactive_agent.reports.plots.style import GUIDE, MarkerStyle, marker_style
from proactive_agent.reports.plots.values import Value, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 4
SIDE = 2.8
"""Height of a panel with its labels, in inches."""


def size_for(scenarios: Sequence[str]) -> SheetSize:
    """The size of all panels together."""
    count = len(panels(scenarios))
    return SheetSize(10, SIDE * -(-count // COLUMNS))


def square_panels(
    figure: "Figure", scenarios: Sequence[str], x_label: str, y_label: str
) -> "Iterator[tuple[str, Axes]]":
    """Yields each scenario and the mean with its panel, which already shows the diagonal."""
    names = panels(scenarios)
    for place, axes in enumerate(panels_in(figure, len(names), COLUMNS)):
        panel(axes, names[place], xlim=(-4, 104), ylim=(-4, 104))
        axes.set(xticks=range(0, 101, 25), yticks=range(0, 101, 25), aspect="equal")
        axes.plot([0, 100], [0, 100], color=GUIDE, linewidth=0.8, linestyle="--", zorder=1)
        if place + COLUMNS >= len(names):
            axes.tick_params(labelbottom=True)
            axes.set_xlabel(x_label)
        if place % COLUMNS == 0:
            axes.set_ylabel(y_label)
        yield names[place], axes


def legend_of(models: Sequence[ModelRuns]) -> list[Key]:
    """The legend, with an entry per model."""
    return [Key(mark(*marker_style(n)), short(model.name)) for n, model in enumerate(models)]


def draw_point(axes: "Axes", x: Value | None, y: Value | None, style: MarkerStyle) -> None:
    """Draws a model's marker with its intervals, unless one of the values is unknown."""
    if x is None or y is None:
        return
    axes.errorbar(
        x.value, y.value, xerr=x.error, yerr=y.error, color=style.colour, marker=style.marker,
        markersize=7, markeredgecolor="white", markeredgewidth=0.6, elinewidth=0.8, zorder=3,
        clip_on=False,
    )  # fmt: skip
