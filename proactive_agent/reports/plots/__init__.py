"""Plots of runs, for `reproduce` and for reports: `figure(name, runs)`, then `svg` or `png`.

matplotlib comes with the extra `report`.
"""

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from proactive_agent.metrics import PlayedRun
from proactive_agent.reports.plots.sheet import Drawing
from proactive_agent.reports.plots.style import png, settle, style, svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURES = {
    "recognition": "recognition:draw",
    "actions": "actions:draw",
    "hint": "effects:draw_hint",
    "history": "effects:draw_history",
    "icl": "effects:draw_icl",
    "random-suggestions": "effects:draw_random_suggestions",
    "acc-psr": "tradeoff:draw",
    "help-seeking": "help_seeking:draw",
}
"""Where each is drawn: a module of this package and its function."""


def draw(name: str, runs: Sequence[PlayedRun], *, with_published: bool = True) -> Drawing:
    """A plot of these runs.  Raises UserError where they do not make one."""
    module, _, function = FIGURES[name].partition(":")
    with style():
        home = importlib.import_module(f"{__name__}.{module}")
        drawing: Drawing = getattr(home, function)(runs, with_published=with_published)
        settle(drawing.figure)
    return drawing


def figure(name: str, runs: Sequence[PlayedRun], *, with_published: bool = True) -> "Figure":
    """The plot alone."""
    return draw(name, runs, with_published=with_published).figure


__all__ = ["FIGURES", "Drawing", "draw", "figure", "png", "svg"]
