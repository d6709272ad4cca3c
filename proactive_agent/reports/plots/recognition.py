"""Accuracy when help is needed against accuracy on the reference frame.

Corresponds to the paper's Figure 3. x is the accuracy on the reference frame, y the accuracy when
the model has to ask for help. A model on the diagonal loses nothing. The further below it a model
is, the more it fails because it does not ask.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from proactive_agent.metrics import PlayedRun
from proactive_agent.reports import published
from proactive_agent.reports.matching_runs import WantedConditions, match_models
from proactive_agent.reports.plots.sheet import INTERVALS, Drawing, Key, draw_sheet, published_mark
from proactive_agent.reports.plots.squares import draw_point, legend_of, size_for, square_panels
from proactive_agent.reports.plots.style import PUBLISHED, marker_style
from proactive_agent.reports.plots.values import published_value, value_of
from proactive_agent.reports.targets import TABLES

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(runs: Sequence[PlayedRun], *, with_published: bool) -> Drawing:
    """Draws the models that have both runs."""
    models, scenarios, left_out = matched = match_models(
        runs, WantedConditions(("zero-shot", "reference"))
    )
    studied = [TABLES[name].experiment for name in ("table1", "table6")]
    beside = with_published and matched.has_experiments(*studied)
    legend, notes = legend_of(models), [INTERVALS, *matched.departure_notes]
    if beside:
        legend.append(Key(published_mark(), published.LABEL))
        notes.append(published.NOTE)
    figure = draw_sheet(
        "Accuracy against recognition ability", size_for(scenarios), legend=legend, notes=notes
    )
    labels = ("acc on the reference frame (%)", "acc when help is needed (%)")
    for scenario, axes in square_panels(figure, scenarios, *labels):
        if beside:
            _draw_published(axes, scenario, scenarios)
        for number, model in enumerate(models):
            asked = value_of(model.runs["zero-shot"], "acc", scenario)
            able = value_of(model.runs["reference"], "acc", scenario)
            draw_point(axes, able, asked, marker_style(number))
    return Drawing(figure, left_out)


def _draw_published(axes: "Axes", scenario: str, scenarios: Sequence[str]) -> None:
    for row in published.table("table6"):
        other = published.find("table1", row.model)
        if other is not None:
            able, asked = (
                published_value(found, "acc", scenario, scenarios).value for found in (row, other)
            )
            axes.plot(
                able, asked, marker="o", markersize=4.5, color=PUBLISHED, markerfacecolor="white"
            )
