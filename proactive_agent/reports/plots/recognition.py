"""Accuracy when help is needed against accuracy on the reference frame.

Corresponds to the paper's Figure 3. x is the accuracy on the reference frame, y the accuracy when
the model has to ask for help. A model on the diagonal loses nothing. The further below it a model
is, the more it fails because it does not ask.
"""

from collections.abc import Sequence

from proactive_agent.metrics import PlayedRun
from proactive_agent.reports import published
from proactive_agent.reports.matching_runs import WantedConditions, match_models
from proactive_agent.reports.plots.published_points import PublishedPoints
from proactive_agent.reports.plots.sheet import INTERVALS, Drawing, Key, draw_sheet, published_mark
from proactive_agent.reports.plots.squares import draw_point, legend_of, size_for, square_panels
from proactive_agent.reports.plots.style import marker_style
from proactive_agent.reports.plots.values import published_value, value_of
from proactive_agent.reports.published import PublishedModel
from proactive_agent.reports.targets import TABLES


def draw(runs: Sequence[PlayedRun], *, with_published: bool) -> Drawing:
    """Draws the models that have both runs."""
    models, scenarios, left_out = matched = match_models(
        runs, WantedConditions(("zero-shot", "reference"))
    )
    studied = [TABLES[name].experiment for name in ("table1", "table6")]
    rows = _published_rows() if with_published and matched.has_experiments(*studied) else []
    legend, caption = legend_of(models), [INTERVALS, *matched.departure_notes]
    if rows:
        legend.append(Key(published_mark(), published.LABEL))
        caption.append(published.NOTE)
    figure = draw_sheet(
        "Accuracy against recognition ability",
        size_for(scenarios),
        legend=legend,
        numbered=[able.model for able, _ in rows],
    )
    points = PublishedPoints(figure)
    labels = ("acc on the reference frame (%)", "acc when help is needed (%)")
    for scenario, axes in square_panels(figure, scenarios, *labels):
        for number, row in enumerate(rows, 1):
            able, asked = (published_value(one, "acc", scenario, scenarios) for one in row)
            points.add(axes, able.value, asked.value, number)
        for number, model in enumerate(models):
            x = value_of(model.runs["reference"], "acc", scenario)
            y = value_of(model.runs["zero-shot"], "acc", scenario)
            draw_point(axes, x, y, marker_style(number))
    points.draw_numbers()
    return Drawing(figure, caption, left_out)


def _published_rows() -> list[tuple[PublishedModel, PublishedModel]]:
    """The published models, on the reference frame and when help is needed."""
    pairs = [(row, published.find("table1", row.model)) for row in published.table("table6")]
    return [(able, asked) for able, asked in pairs if asked is not None]
