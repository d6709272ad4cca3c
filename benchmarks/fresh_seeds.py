"""Compares runs of the same models on two seeds of fresh scenes.

    python -m proactive_agent run --data fresh:1 --out seeds/1
    python -m proactive_agent run --data fresh:2 --out seeds/2
    python -m benchmarks.fresh_seeds seeds/1 seeds/2

Without `--provider`, `run` plays the baselines, which look at no picture: `fresh:1:px=96` gives the
same numbers and is faster. This program prints the averages over the scenarios with 95 % intervals,
as `run` does, and the p-values of the differences between the seeds, as `compare` does. The two
seeds are the baselines of each other: a difference would say that one of them is easier.
"""

import argparse
from pathlib import Path

from proactive_agent.metrics import PlayedRun
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.reports.comparison.pairing import METRICS
from proactive_agent.reports.comparison.report import make_report
from proactive_agent.reports.runs import read_runs
from proactive_agent.reports.tables.grid import Cell
from proactive_agent.reports.tables.numbers import mean_cell, percent_cell

COLUMNS = {"acc": percent_cell, "informed": percent_cell, "psr": mean_cell}


def main() -> None:
    """Prints the table of the two seeds in Markdown, and the smallest p-value."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("one", type=Path)
    parser.add_argument("other", type=Path)
    options = parser.parse_args()
    print("| model | scenes | acc % | informed % | psr | p: acc, informed, psr |")
    print("| --- | --- | --- | --- | --- | --- |")
    smallest = []
    others = _by_provider(options.other)
    for provider, folder in _by_provider(options.one).items():
        runs = read_runs([folder, others[provider]])
        (difference,) = make_report(runs, runs[0], with_published=False).differences.values()
        found = [difference.macro[metric].p for metric in METRICS]
        smallest += [p for p in found if p is not None]
        shown = ", ".join("-" if p is None else f"{p:.2f}" for p in found)
        print(f"| `{provider}` | {_cells(runs[0])} | |")
        print(f"| | {_cells(runs[1])} | {shown} |")
    print(f"\nsmallest of {len(smallest)} p-values: {min(smallest):.3f}")


def _by_provider(results: Path) -> dict[str, RunFolder]:
    folders = (RunFolder(file.parent) for file in sorted(results.glob("*/run.json")))
    return {folder.read_manifest().settings.provider: folder for folder in folders}


def _cells(run: PlayedRun) -> str:
    rates = run.summary.macro
    scores = [_text(write(getattr(rates, metric))) for metric, write in COLUMNS.items()]
    return " | ".join([f"`{run.manifest.settings.data}`", *scores])


def _text(cell: Cell) -> str:
    interval = cell.interval if cell.interval.startswith("±") else f"({cell.interval})"
    return f"{cell.text} {interval}" if cell.interval else cell.text


if __name__ == "__main__":
    main()
