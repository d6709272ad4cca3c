"""Shares of turns that ask, abstain or predict, per scenario and on average.

Corresponds to the paper's Figures 4 and 19 (zero-shot) and 7 and 21 (hint). Vague questions and
unreadable replies are shown separately. The paper publishes no numbers for these plots.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from proactive_agent.metrics import PlayedRun
from proactive_agent.reports.departures import departure_notes
from proactive_agent.reports.matching_runs import (
    SEVERAL_TURNS,
    WantedConditions,
    choose_runs,
    unfit_unless_long,
)
from proactive_agent.reports.plots.sheet import (
    Drawing,
    Key,
    SheetSize,
    draw_sheet,
    panel,
    panels_in,
    short,
)
from proactive_agent.reports.plots.style import BLUE, ORANGE, PURPLE, SKY
from proactive_agent.reports.plots.values import MEAN, mean_of, panels

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
    """Draws all runs of several turns: each scenario and the mean."""
    return _draw("What models do", runs, unfit_unless_long("reference"), "of several turns", panels)


def draw_zero_shot(runs: Sequence[PlayedRun], *, with_published: bool) -> Drawing:
    """Draws the mean over the scenarios of the zero-shot runs."""
    return _draw_condition("What models do", "zero-shot", runs, _only_mean)


def draw_zero_shot_by_scenario(runs: Sequence[PlayedRun], *, with_published: bool) -> Drawing:
    """Draws each scenario of the zero-shot runs."""
    return _draw_condition("What models do", "zero-shot", runs, list)


def draw_hint(runs: Sequence[PlayedRun], *, with_published: bool) -> Drawing:
    """Draws the mean over the scenarios of the runs with a hint."""
    return _draw_condition("What models do with a hint", "hint", runs, _only_mean)


def draw_hint_by_scenario(runs: Sequence[PlayedRun], *, with_published: bool) -> Drawing:
    """Draws each scenario of the runs with a hint."""
    return _draw_condition("What models do with a hint", "hint", runs, list)


def _only_mean(scenarios: Sequence[str]) -> list[str]:
    return [MEAN] if len(scenarios) > 1 else list(scenarios)


def _draw_condition(
    title: str, condition: str, runs: Sequence[PlayedRun], panels_of: "_PanelsOf"
) -> Drawing:
    unfit = WantedConditions((condition,), protocols=SEVERAL_TURNS).unfit
    return _draw(title, runs, unfit, f"of condition {condition} with several turns", panels_of)


_PanelsOf = Callable[[Sequence[str]], list[str]]
"""Names the panels for scenarios."""


def _draw(
    title: str,
    runs: Sequence[PlayedRun],
    unfit: Callable[[PlayedRun], str],
    needs: str,
    panels_of: _PanelsOf,
) -> Drawing:
    """Draws a bar per run."""
    from matplotlib.patches import Patch

    runs, scenarios, left_out = choose_runs(runs, unfit, f"runs {needs}")
    names = panels_of(scenarios)
    columns = min(COLUMNS, len(names))
    rows = -(-len(names) // columns)
    size = SheetSize(10, rows * (0.55 + ROW * max(len(runs), 2)) + 0.2)
    legend = [Key(Patch(facecolor=part.colour), part.label) for part in PARTS]
    figure = draw_sheet(title, size, legend=legend)
    for place, axes in enumerate(panels_in(figure, len(names), columns)):
        title_of = mean_of(scenarios) if names == [MEAN] else names[place]
        panel(axes, title_of)
        _draw_bars(axes, names[place], runs)
        if place + columns >= len(names):
            axes.tick_params(labelbottom=True)
            axes.set_xlabel("share of turns (%)")
    return Drawing(figure, departure_notes(runs), left_out)


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
