"""Help-seeking when help is needed and when it is not (not in the paper).

x is the share of first turns that ask on the clear frame. y is the share that ask on a frame that
hides something. A model that asks regardless of need is on the diagonal. A model that
distinguishes the two frames is above it. Each curve shows one value of the sensitivity d'.
"""

from collections.abc import Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING

from proactive_agent.metrics import PlayedRun
from proactive_agent.reports.comparison.help_seeking import help_seeking
from proactive_agent.reports.matching_runs import WantedConditions, match_models
from proactive_agent.reports.plots.sheet import INTERVALS, Drawing, draw_sheet
from proactive_agent.reports.plots.squares import draw_point, legend_of, size_for, square_panels
from proactive_agent.reports.plots.style import GUIDE, SMALL, marker_style
from proactive_agent.reports.plots.values import MEAN, drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SENSITIVITIES = (1, 2, 3)
"""The value of d' of each curve."""


def draw(runs: Sequence[PlayedRun], *, with_published: bool) -> Drawing:
    """Draws the models that have both runs. The paper publishes no numbers for this plot."""
    models, scenarios, left_out = matched = match_models(
        runs, WantedConditions(("zero-shot", "clear"))
    )
    figure = draw_sheet(
        "Asking when help is needed and when it is not",
        size_for(scenarios),
        legend=legend_of(models),
    )
    pairs = [help_seeking(list(model.runs.values())) for model in models]
    labels = ("asks on the clear frame (%)", "asks when help is needed (%)")
    for scenario, axes in square_panels(figure, scenarios, *labels):
        _draw_curves(axes)
        for number, found in enumerate(pairs):
            for pair in found:
                rates = pair.macro if scenario == MEAN else pair.scenarios.get(scenario)
                if rates is not None:
                    x, y = drawn(rates.asks_clear), drawn(rates.asks_needed)
                    draw_point(axes, x, y, marker_style(number))
    caption = [
        f"Dashed line: asks regardless of need. Curves: equal d'. {INTERVALS}",
        *matched.departure_notes,
    ]
    return Drawing(figure, caption, left_out)


def _draw_curves(axes: "Axes") -> None:
    normal = NormalDist()
    criteria = [step / 20 for step in range(-80, 81)]
    false_alarms = [100 * normal.cdf(criterion) for criterion in criteria]
    for sensitivity in SENSITIVITIES:
        hits = [100 * normal.cdf(criterion + sensitivity) for criterion in criteria]
        axes.plot(false_alarms, hits, color=GUIDE, linewidth=0.6, zorder=1)
        # The labels are on the other diagonal, where the curves are farthest apart.
        middle = 100 * normal.cdf(-sensitivity / 2)
        axes.text(
            middle, 100 - middle, str(sensitivity), fontsize=SMALL, color=GUIDE, zorder=2,
            ha="center", va="center", bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )  # fmt: skip
