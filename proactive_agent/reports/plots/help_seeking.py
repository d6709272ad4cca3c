"""Asking when help is needed against asking when it is not (ours; no figure of the paper).

Right is the share of first turns that ask on the clear frame, up the share that ask where the frame
hides something.  Whoever asks regardless lies on the diagonal, whoever tells the two apart above
it; along a curve the sensitivity d' is the same.
"""

from collections.abc import Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING

from proactive_agent.metrics import PlayedRun
from proactive_agent.reports.comparison.help_seeking import help_seeking
from proactive_agent.reports.matching_runs import Wanted, bring_together
from proactive_agent.reports.plots.sheet import INTERVALS, Drawing, draw_sheet
from proactive_agent.reports.plots.squares import draw_point, legend_of, size_for, square_panels
from proactive_agent.reports.plots.style import GUIDE, SMALL, look
from proactive_agent.reports.plots.values import MEAN, drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SENSITIVITIES = (1, 2, 3)
"""d' along the curves."""


def draw(runs: Sequence[PlayedRun], *, with_published: bool) -> Drawing:
    """The plot of the models that have both runs; nothing was published that could stand here."""
    trials, scenarios, left_out = together = bring_together(runs, Wanted(("zero-shot", "clear")))
    figure = draw_sheet(
        "Asking when help is needed, and when it is not",
        size_for(scenarios),
        legend=legend_of(trials),
        notes=[
            f"Dashed: asks regardless of need.  Curves: the same d'.  {INTERVALS}",
            *together.departure_notes,
        ],
    )
    pairs = [help_seeking(list(trial.runs.values())) for trial in trials]
    labels = ("asks though the frame is clear (%)", "asks when needed (%)")
    for scenario, axes in square_panels(figure, scenarios, *labels):
        _draw_curves(axes)
        for number, found in enumerate(pairs):
            for pair in found:
                rates = pair.macro if scenario == MEAN else pair.scenarios.get(scenario)
                if rates is not None:
                    x, y = drawn(rates.asks_clear), drawn(rates.asks_needed)
                    draw_point(axes, x, y, look(number))
    return Drawing(figure, left_out)


def _draw_curves(axes: "Axes") -> None:
    normal = NormalDist()
    criteria = [step / 20 for step in range(-80, 81)]
    false_alarms = [100 * normal.cdf(criterion) for criterion in criteria]
    for sensitivity in SENSITIVITIES:
        hits = [100 * normal.cdf(criterion + sensitivity) for criterion in criteria]
        axes.plot(false_alarms, hits, color=GUIDE, linewidth=0.6, zorder=1)
        # On the other diagonal the curves are farthest from each other.
        middle = 100 * normal.cdf(-sensitivity / 2)
        axes.text(
            middle, 100 - middle, str(sensitivity), fontsize=SMALL, color=GUIDE, zorder=2,
            ha="center", va="center", bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )  # fmt: skip
