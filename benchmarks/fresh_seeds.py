"""Compares the baselines on two seeds of fresh scenes.

    python -m benchmarks.fresh_seeds [fresh:1:px=96 fresh:2:px=96] [--out seeds]

Plays all seven scenarios with every baseline that `run` plays by default. Prints the averages over
the scenarios with 95 % intervals, as `run` does, and the p-values of the differences between the
two seeds, as `compare` does. A difference between the seeds would say that a seed is easier than
another. The runs are kept in the folder `--out`, and a rerun plays what is missing.

The baselines use no pictures, so small frames give the same numbers. The baselines of a seed share
the frames, so each is computed once.
"""

import argparse
from itertools import product
from pathlib import Path

from proactive_agent import evaluate
from proactive_agent.metrics import PlayedRun
from proactive_agent.providers.baselines import DEFAULT_BASELINES
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.reports.comparison.pairing import METRICS
from proactive_agent.reports.comparison.report import make_report
from proactive_agent.reports.runs import read_runs
from proactive_agent.reports.tables.grid import Cell
from proactive_agent.reports.tables.numbers import mean_cell, percent_cell
from proactive_agent.scenarios.open_data import open_data

CACHE_BYTES = 2**30
COLUMNS = {"acc": percent_cell, "informed": percent_cell, "psr": mean_cell}


def main() -> None:
    """Prints the table of the two seeds in Markdown, and the smallest p-value."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="*", default=["fresh:1:px=96", "fresh:2:px=96"])
    parser.add_argument("--out", type=Path, default=Path("seeds"))
    options = parser.parse_args()
    one, other = options.sources
    folders = {
        (source, name): options.out / f"{source.replace(':', '-')}-{name}"
        for source, name in product((one, other), DEFAULT_BASELINES)
    }
    for source in (one, other):
        data = open_data(source)
        data.images = data.store(CACHE_BYTES)
        for name in DEFAULT_BASELINES:
            evaluate(f"baseline:{name}", data=data, out=folders[source, name])
            print(f"played: {name} on {source}", flush=True)
    print("\n| baseline | scenes | acc % | informed % | psr | p: acc, informed, psr |")
    print("| --- | --- | --- | --- | --- | --- |")
    smallest = []
    for name in DEFAULT_BASELINES:
        runs = read_runs([RunFolder(folders[source, name]) for source in (one, other)])
        (difference,) = make_report(runs, runs[0], with_published=False).differences.values()
        found = [difference.macro[metric].p for metric in METRICS]
        smallest += [p for p in found if p is not None]
        shown = ", ".join("-" if p is None else f"{p:.2f}" for p in found)
        print(f"| `{name}` | `{one}` | {_cells(runs[0])} | |")
        print(f"| | `{other}` | {_cells(runs[1])} | {shown} |")
    print(f"\nsmallest of {len(smallest)} p-values: {min(smallest):.3f}")


def _cells(run: PlayedRun) -> str:
    return " | ".join(
        _text(write(getattr(run.summary.macro, metric))) for metric, write in COLUMNS.items()
    )


def _text(cell: Cell) -> str:
    return f"{cell.text} ({cell.interval})" if cell.interval else cell.text


if __name__ == "__main__":
    main()
