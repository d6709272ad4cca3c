"""The targets of `reproduce`: every table and figure that can be made with runs.

Numbers are those of arXiv 2603.19466v2. The module imports nothing heavy, because the command line
shows the targets in its help.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Experiment(NamedTuple):
    """What a run measures, apart from its model and its data."""

    protocol: str
    condition: str = "zero-shot"
    multi_turn: bool = False
    """`oeg` in several turns."""

    def __str__(self) -> str:
        turns = ", several turns" if self.multi_turn else ""
        return f"{self.protocol}, {self.condition}{turns}"


class TableTarget(NamedTuple):
    """A table of the paper whose numbers are published."""

    title: str
    file: str
    """The file of its numbers in `results/published`."""
    experiment: Experiment
    metrics: tuple[str, ...]

    @property
    def summary(self) -> str:
        """The content and the runs that it needs, for the help text."""
        metrics = ", ".join(self.metrics)
        return f"{self.title[0].lower()}{self.title[1:]}: {metrics} ({self.experiment})"


class PlotTarget(NamedTuple):
    """A figure of the paper, or a plot of our own."""

    title: str
    drawing: str
    """Its name in `reports.plots`."""
    runs: str
    """The conditions of the runs that it needs."""

    @property
    def summary(self) -> str:
        """The content and the runs that it needs, for the help text."""
        return f"{self.title} ({self.runs})"


_ZERO_SHOT = Experiment("mcqa")

TABLES: Mapping[str, TableTarget] = {
    "table1": TableTarget("Multiple choice", "table1_mcqa.csv", _ZERO_SHOT, ("acc", "psr")),
    "table2": TableTarget(
        "Open-ended generation", "table2_oeg.csv", Experiment("oeg"), ("cc", "ps")
    ),
    "table3": TableTarget("Before and after training", "table3_rl.csv", _ZERO_SHOT, ("acc", "psr")),
    "table4": TableTarget(
        "Multiple choice without the filter", "table4_mcqa_unfiltered.csv",
        Experiment("mcqa", "unfiltered"), ("acc", "psr"),
    ),
    "table6": TableTarget(
        "Only the reference frame", "table6_reference.csv",
        Experiment("mcqa", "reference"), ("acc",),
    ),
    "table7": TableTarget(
        "Multiple choice with a hint", "table7_mcqa_hint.csv",
        Experiment("mcqa", "hint"), ("acc", "psr"),
    ),
    "table8": TableTarget(
        "Open-ended generation in full", "table8_oeg.csv",
        Experiment("oeg"), ("agg", "cc", "ps"),
    ),
    "table9": TableTarget(
        "Open-ended generation with a hint", "table9_oeg_hint.csv",
        Experiment("oeg", "hint"), ("agg", "cc", "ps"),
    ),
    "table10": TableTarget(
        "Open-ended generation in several turns", "table10_oeg_multi_turn.csv",
        Experiment("oeg", multi_turn=True), ("acc", "psr"),
    ),
}  # fmt: skip
"""The published tables. Table 3 takes the run before training first, then those after it."""

PLOTS: Mapping[str, PlotTarget] = {
    "fig3": PlotTarget(
        "acc against acc on the reference frame", "recognition", "zero-shot and reference"
    ),
    "fig4": PlotTarget("shares of turns that ask, abstain, predict", "shares", "zero-shot"),
    "fig5": PlotTarget(
        "random suggestions: shares of turns", "random-suggestions",
        "zero-shot and random-suggestions",
    ),
    "fig6": PlotTarget("a hint: acc (a) and psr (b)", "hint", "zero-shot and hint"),
    "fig6c": PlotTarget(
        "a hint: open-ended ps", "open-ended-hint", "zero-shot and hint of oeg"
    ),
    "fig7": PlotTarget("shares of turns with a hint", "hint-shares", "hint"),
    "fig8": PlotTarget("the conversation history: acc and psr", "history", "zero-shot and history"),
    "fig9": PlotTarget("solved examples: acc and psr", "icl", "zero-shot, and icl:1 or icl:3"),
    "fig10": PlotTarget(
        "the filter: samples by the models right in the first turn", "filter-models",
        "zero-shot of several models on all samples",
    ),
    "fig11": PlotTarget(
        "the filter: samples that stay at each threshold", "filter-thresholds",
        "zero-shot of several models on all samples",
    ),
    "fig19": PlotTarget("as fig4, for each scenario", "shares-by-scenario", "zero-shot"),
    "fig20": PlotTarget(
        "as fig5, for each scenario", "random-suggestions-by-scenario",
        "zero-shot and random-suggestions",
    ),
    "fig21": PlotTarget("as fig7, for each scenario", "hint-shares-by-scenario", "hint"),
    "acc-psr": PlotTarget(
        "acc against psr; not in the paper", "acc-psr", "any runs of several turns"
    ),
    "help-seeking": PlotTarget(
        "asking when help is needed and not; not in the paper", "help-seeking",
        "zero-shot and clear",
    ),
}  # fmt: skip
"""The figures, those of the paper first."""

TARGETS: Mapping[str, TableTarget | PlotTarget] = {**TABLES, **PLOTS}
