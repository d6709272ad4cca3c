"""Plots of runs: `draw` makes a figure, `svg` and `png` write it.

Needs matplotlib (extra `report`).
"""

import importlib
from collections.abc import Sequence

from proactive_agent.metrics import PlayedRun
from proactive_agent.reports.plots.sheet import Drawing
from proactive_agent.reports.plots.style import png, settle, style, svg
from proactive_agent.terminal.console import plain

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
"""The module of this package and the function that draw each plot of a report."""

OF_PAPER = {
    "shares": "actions:draw_zero_shot",
    "shares-by-scenario": "actions:draw_zero_shot_by_scenario",
    "hint-shares": "actions:draw_hint",
    "hint-shares-by-scenario": "actions:draw_hint_by_scenario",
    "random-suggestions-by-scenario": "effects:draw_random_suggestions_by_scenario",
    "filter-models": "filtering:draw_models",
    "filter-thresholds": "filtering:draw_thresholds",
    "open-ended-hint": "effects:draw_open_ended_hint",
}
"""Further plots, which only `reproduce` draws."""


def draw(name: str, runs: Sequence[PlayedRun], *, with_published: bool = True) -> Drawing:
    """Draws the named plot. Raises UserError if the runs do not fit it."""
    module, _, function = (FIGURES | OF_PAPER)[name].partition(":")
    with style():
        home = importlib.import_module(f"{__name__}.{module}")
        drawing: Drawing = getattr(home, function)(runs, with_published=with_published)
        settle(drawing.figure)
    return drawing._replace(caption=[plain(sentence) for sentence in drawing.caption])


__all__ = ["FIGURES", "OF_PAPER", "Drawing", "draw", "png", "svg"]
