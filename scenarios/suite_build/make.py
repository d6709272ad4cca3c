"""Rebuilds the embedded suite: python scenarios/suite_build/make.py --out scenarios/suite."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

import blocks
import checks
import corruption
import credit_page
import crops
import passing
import reveal
import sketch
import views
from sources import Library
from writer import Dataset

SCENARIOS = (blocks, passing, views, corruption, sketch, reveal, crops)
SEED = 2603


def make(out: Path, cache: Path) -> None:
    """Write the seven files, their frames and the credits; `out` is emptied of old ones."""
    library = Library(cache)
    used: dict[str, set[str]] = {}
    for scenario in SCENARIOS:
        shutil.rmtree(out / scenario.STEM, ignore_errors=True)
        library.used.clear()
        data = Dataset(out, scenario.STEM, SEED, library)
        scenario.build(data)
        data.write()
        for name in library.used:
            used.setdefault(name, set()).add(scenario.STEM)
        print(f"{scenario.STEM}: {len(data.records)} samples")
    (out / "CREDITS.md").write_text(credit_page.page(used), encoding="utf-8")


def main() -> int:
    """Make the suite and check it; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the suite")
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path.home() / ".cache/proactive-suite",
        help="folder for the downloaded packages (default: %(default)s)",
    )
    arguments = parser.parse_args()
    make(arguments.out, arguments.cache)
    found = list(checks.faults(arguments.out))
    print(*found, sep="\n", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
